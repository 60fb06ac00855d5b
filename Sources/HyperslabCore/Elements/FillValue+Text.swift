// The spelling of fill values that people type: Python's and Zarr's, and whatever says the same.

extension FillValue {
  /// Reads the spelling of a command line: `0`, `-1`, `1e3`, `0xff`, `true`, `1+2j`, `nan`, `-inf`, or
  /// JSON as ``init(json:dataType:)`` takes it, the quotes left out.
  ///
  /// Hexadecimal digits are an integer's value, and of floats the bits, as many as the type has.
  /// - Throws: `invalid_value` for what the type cannot hold exactly; floats are rounded.
  public init(text: String, dataType: DataType) throws(HyperslabError) {
    let word = text.filter { !$0.isWhitespace }.lowercased()
    guard let bytes = Self.bytes(ofWord: word, dataType) else {
      throw HyperslabError(
        .invalidValue, "\"\(text)\" is no fill value of type \(dataType)",
        expected: Self.textHint(dataType))
    }
    try self.init(bytes: bytes, dataType: dataType)
  }

  private static func textHint(_ dataType: DataType) -> String {
    let bits = "0x and \(2 * dataType.componentByteCount) hexadecimal digits for its bits"
    switch dataType.kind {
    case .boolean: return "true or false, 1 or 0"
    case .signed, .unsigned:
      let width = 8 * dataType.byteCount
      let (low, high) =
        dataType.kind == .signed
        ? ("-2^\(width - 1)", "2^\(width - 1) - 1") : ("0", "2^\(width) - 1")
      return "a whole number from \(low) to \(high); integers have no NaN and no infinity"
    case .floating:
      return "a number of at most \(largest(dataType.byteCount)), nan, inf, -inf, or \(bits)"
    case .complex:
      return "a number such as 0, 1.5 or 1+2j, of parts of at most "
        + "\(largest(dataType.componentByteCount)), nan or inf, or two: [1,2]; or \(bits) of a part"
    }
  }

  private static func largest(_ byteCount: Int) -> String {
    byteCount == 2 ? "65504" : byteCount == 4 ? "3.4e38" : "1.8e308"
  }

  private static func bytes(ofWord word: String, _ dataType: DataType) -> [UInt8]? {
    let size = dataType.byteCount
    switch dataType.kind {
    case .boolean:
      switch word {
      case "true", "1": return [1]
      case "false", "0": return [0]
      default: return nil
      }
    case .signed, .unsigned:
      guard let value = integer(word) else { return nil }
      return (try? FillValue(json: value, dataType: dataType))?.bytes
    case .floating: return real(word[...], size)
    case .complex: return complex(word, size / 2)
    }
  }

  /// A whole number, also where it is written as 1e3 or -999.0.
  private static func integer(_ word: String) -> JSONValue? {
    let isNegative = word.hasPrefix("-")
    let digits = word.drop { $0 == "-" || $0 == "+" }
    guard word.utf8.count - digits.utf8.count <= 1, digits.first?.isNumber == true else {
      return nil
    }
    if digits.hasPrefix("0x") {
      let hex = digits.dropFirst(2)
      guard hex.allSatisfy(\.isHexDigit), let value = UInt64(hex, radix: 16) else { return nil }
      return isNegative ? negative(value) : integer(value)
    }
    if let value = UInt64(digits) { return isNegative ? negative(value) : integer(value) }
    guard digits.allSatisfy({ "0123456789.e+-".contains($0) }), let value = Double(word),
      let whole = Int(exactly: value)
    else { return nil }
    return .integer(whole)
  }

  private static func integer(_ value: UInt64) -> JSONValue {
    Int(exactly: value).map { .integer($0) } ?? .unsigned(value)
  }

  private static func negative(_ value: UInt64) -> JSONValue? {
    value == 1 << 63 ? .integer(.min) : Int(exactly: value).map { .integer(-$0) }
  }

  /// A float of some size, little-endian.
  private static func real(_ word: Substring, _ size: Int) -> [UInt8]? {
    if word.hasPrefix("0x") { return float(.string(String(word)), size) }
    let isNegative = word.hasPrefix("-")
    let magnitude = isNegative || word.hasPrefix("+") ? word.dropFirst() : word
    switch magnitude {
    case "nan": return float("NaN", size)
    case "inf", "infinity": return float(isNegative ? "-Infinity" : "Infinity", size)
    default:
      // Nothing but decimal numbers: `Double` also reads hexadecimal ones and NaN's payloads.
      guard magnitude.first == "." || magnitude.first?.isNumber == true,
        magnitude.allSatisfy({ "0123456789.e+-".contains($0) }),
        let value = Double(padded(word)), value.isFinite
      else { return nil }
      return float(.double(value), size)
    }
  }

  /// `1.` and `.5`, which Python takes, with the digits that `Double` wants.
  private static func padded(_ word: Substring) -> String {
    guard let point = word.firstIndex(of: ".") else { return String(word) }
    let (before, after) = (word[..<point], word[word.index(after: point)...])
    let whole = before.last?.isNumber == true ? before : before + "0"
    return whole + "." + (after.first?.isNumber == true ? after : "0" + after)
  }

  /// A complex number of parts of some size: `1+2j`, `(1+2j)`, `2j`, `1`, or a pair `[1,2]`.
  private static func complex(_ word: String, _ size: Int) -> [UInt8]? {
    var body = word[...]
    if body.hasPrefix("["), body.hasSuffix("]") {
      let parts = body.dropFirst().dropLast().split(
        separator: ",", omittingEmptySubsequences: false)
      guard parts.count == 2, let first = real(parts[0], size), let second = real(parts[1], size)
      else { return nil }
      return first + second
    }
    if body.hasPrefix("("), body.hasSuffix(")") { body = body.dropFirst().dropLast() }
    if body.hasPrefix("0x"), body.utf8.count == 2 + 4 * size {
      let middle = body.index(body.startIndex, offsetBy: 2 + 2 * size)
      guard let first = real(body[..<middle], size), let second = real("0x" + body[middle...], size)
      else { return nil }
      return first + second
    }
    let zero = [UInt8](repeating: 0, count: size)
    guard body.hasSuffix("j") else { return real(body, size).map { $0 + zero } }
    body = body.dropLast()
    // Where the imaginary part begins: at the last sign that is no exponent's.
    let signs = body.indices.filter { index in
      guard index > body.startIndex, body[index] == "+" || body[index] == "-" else { return false }
      return body[body.index(before: index)] != "e"
    }
    guard let sign = signs.last else { return real(body, size).map { zero + $0 } }
    guard let first = real(body[..<sign], size), let second = real(body[sign...], size)
    else { return nil }
    return first + second
  }
}
