#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// A strict JSON reader: UTF-8 without byte-order mark, no duplicate names, bounded depth, nothing
/// after the value. Of combining marks at most 30 stand in a row (Unicode's Stream-Safe Text Format,
/// UAX #15): texts are compared by canonical equivalence, which takes time with the square of more.
///
/// Foundation's reader keeps neither member order nor duplicate names nor the difference between
/// `1` and `1.0`, all of which the format's rules need (Spec, "JSON").
package struct JSONParser {
  let bytes: [UInt8]
  var position: Int
  private let end: Int
  private let depthLimit: Int
  private let roundsLargeIntegers: Bool

  /// Parses one document.
  ///
  /// - Parameter roundsLargeIntegers: Whether an integer beyond 64 bits becomes the nearest double
  ///   instead of an error, as other JSON readers do.
  /// - Throws: `invalid_json` naming the byte where reading stopped.
  package static func parse(
    _ text: some Collection<UInt8>, depthLimit: Int = 64, roundsLargeIntegers: Bool = false
  ) throws(HyperslabError) -> JSONValue {
    let bytes = Array(text)
    var parser = JSONParser(
      bytes, 0..<bytes.count, depthLimit: depthLimit, roundsLargeIntegers: roundsLargeIntegers)
    let value = try parser.value(depth: 0)
    try parser.finish()
    return value
  }

  /// A reader of a part of some bytes.
  init(
    _ bytes: [UInt8], _ range: Range<Int>, depthLimit: Int = .max, roundsLargeIntegers: Bool = false
  ) {
    self.bytes = bytes
    position = range.lowerBound
    end = range.upperBound
    self.depthLimit = depthLimit
    self.roundsLargeIntegers = roundsLargeIntegers
  }

  /// Checks that nothing is left.
  mutating func finish() throws(HyperslabError) {
    skipSpace()
    guard position == end else { throw error("something follows the document") }
  }

  private func error(_ what: String) -> HyperslabError {
    HyperslabError(.invalidJSON, "JSON, byte \(position): \(what)")
  }

  private func isDigit(_ byte: UInt8) -> Bool {
    byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")
  }

  var current: UInt8? { position < end ? bytes[position] : nil }

  mutating func skipSpace() {
    while position < end {
      let byte = bytes[position]
      guard byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else { return }
      position += 1
    }
  }

  mutating func take(_ byte: UInt8) -> Bool {
    guard position < end, bytes[position] == byte else { return false }
    position += 1
    return true
  }

  private mutating func word(_ text: StaticString) throws(HyperslabError) {
    for index in 0..<text.utf8CodeUnitCount {
      guard unsafe take(text.utf8Start[index]) else { throw error("\(text) expected") }
    }
  }

  // MARK: - Values

  mutating func value(depth: Int) throws(HyperslabError) -> JSONValue {
    guard depth <= depthLimit else { throw error("nested deeper than \(depthLimit)") }
    skipSpace()
    switch current {
    case UInt8(ascii: "{"):
      var object = JSONObject()
      try forEachMember { (parser, name) throws(HyperslabError) in
        guard object.append(name, try parser.value(depth: depth + 1)) else {
          throw parser.error("the name \"\(name)\" stands twice")
        }
      }
      return .object(object)
    case UInt8(ascii: "["):
      var elements: [JSONValue] = []
      try forEachElement { (parser) throws(HyperslabError) in
        elements.append(try parser.value(depth: depth + 1))
      }
      return .array(elements)
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"):
      try word("true")
      return .bool(true)
    case UInt8(ascii: "f"):
      try word("false")
      return .bool(false)
    case UInt8(ascii: "n"):
      try word("null")
      return .null
    case let byte? where byte == UInt8(ascii: "-") || isDigit(byte): return try number()
    default: throw error("a value expected")
    }
  }

  /// Goes over a value, refusing all that ``value(depth:)`` does, and keeps nothing of it.
  mutating func skip(depth: Int) throws(HyperslabError) {
    guard depth <= depthLimit else { throw error("nested deeper than \(depthLimit)") }
    skipSpace()
    switch current {
    case UInt8(ascii: "{"):
      var names = JSONNames()
      try forEachMemberPlace { (parser, name) throws(HyperslabError) in
        guard names.insert(name, of: parser.bytes) else {
          let text = Self.text(name, of: parser.bytes).utf8.prefix(80)
          throw parser.error("the name \"\(String(decoding: text, as: UTF8.self))\" stands twice")
        }
        try parser.skip(depth: depth + 1)
      }
    case UInt8(ascii: "["):
      try forEachElement { (parser) throws(HyperslabError) in try parser.skip(depth: depth + 1) }
    case UInt8(ascii: "\""): try skipString()
    case let byte? where byte == UInt8(ascii: "-") || isDigit(byte): _ = try number()
    default: _ = try value(depth: depth)
    }
  }

  /// Goes over a value that was checked before.
  mutating func skipChecked() {
    var depth = 0
    while position < end {
      switch bytes[position] {
      case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
      case UInt8(ascii: "\""):
        position += 1
        while position < end, bytes[position] != UInt8(ascii: "\"") {
          position += bytes[position] == UInt8(ascii: "\\") ? 2 : 1
        }
        if depth == 0 { return position += 1 }
      case UInt8(ascii: "}"), UInt8(ascii: "]"):
        // The end of what a number stands in.
        if depth == 0 { return }
        depth -= 1
        if depth == 0 { return position += 1 }
      case UInt8(ascii: ","), 0...0x20: if depth == 0 { return }
      default: break
      }
      position += 1
    }
  }

  /// Calls `body` where each member's value begins, which it has to go over.
  mutating func forEachMember(
    _ body: (inout JSONParser, String) throws(HyperslabError) -> Void
  ) throws(HyperslabError) {
    try forEachMemberPlace { (parser, name) throws(HyperslabError) in
      try body(&parser, Self.text(name, of: parser.bytes))
    }
  }

  /// As ``forEachMember(_:)``, with the place of the name, quotes included, instead of the name.
  mutating func forEachMemberPlace(
    _ body: (inout JSONParser, Range<Int>) throws(HyperslabError) -> Void
  ) throws(HyperslabError) {
    position += 1
    skipSpace()
    if take(UInt8(ascii: "}")) { return }
    while true {
      skipSpace()
      guard current == UInt8(ascii: "\"") else { throw error("a member name expected") }
      let start = position
      try skipString()
      let name = start..<position
      skipSpace()
      guard take(UInt8(ascii: ":")) else { throw error("\":\" expected") }
      try body(&self, name)
      skipSpace()
      if take(UInt8(ascii: "}")) { return }
      guard take(UInt8(ascii: ",")) else { throw error("\",\" or \"}\" expected") }
    }
  }

  /// Calls `body` where each element begins, which it has to go over.
  mutating func forEachElement(
    _ body: (inout JSONParser) throws(HyperslabError) -> Void
  ) throws(HyperslabError) {
    position += 1
    skipSpace()
    if take(UInt8(ascii: "]")) { return }
    while true {
      try body(&self)
      skipSpace()
      if take(UInt8(ascii: "]")) { return }
      guard take(UInt8(ascii: ",")) else { throw error("\",\" or \"]\" expected") }
    }
  }

  // MARK: - Numbers

  private mutating func digits() -> Int {
    let start = position
    while position < end, isDigit(bytes[position]) { position += 1 }
    return position - start
  }

  private mutating func number() throws(HyperslabError) -> JSONValue {
    let start = position
    let negative = take(UInt8(ascii: "-"))
    let leading = position
    let whole = digits()
    guard whole > 0, whole == 1 || bytes[leading] != UInt8(ascii: "0") else {
      throw error("a number without superfluous zeros expected")
    }
    var isInteger = true
    if take(UInt8(ascii: ".")) {
      isInteger = false
      guard digits() > 0 else { throw error("a digit expected") }
    }
    if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
      isInteger = false
      if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
      guard digits() > 0 else { throw error("a digit expected") }
    }
    if isInteger, whole <= 18 {
      var value = 0
      for index in leading..<position { value = value * 10 + Int(bytes[index] - UInt8(ascii: "0")) }
      if negative, value == 0 { return .double(-0.0) }
      return .integer(negative ? -value : value)
    }
    let text = String(decoding: bytes[start..<position], as: UTF8.self)
    if isInteger {
      if let value = Int(text) { return .integer(value) }
      if let value = UInt64(text) { return .unsigned(value) }
      if !roundsLargeIntegers {
        throw error("the integer \(text.prefix(40)) does not fit into 64 bits")
      }
    }
    guard let value = Double(text), value.isFinite else {
      throw error("the number \(text.prefix(40)) does not fit into a double, which ends at 1.8e308")
    }
    return .double(value)
  }

  // MARK: - Strings

  mutating func string() throws(HyperslabError) -> String {
    let start = position
    try skipString()
    return Self.text(start..<position, of: bytes)
  }

  /// Goes over a string, which is checked.
  private mutating func skipString() throws(HyperslabError) {
    position += 1
    let start = position
    var others: UInt8 = 0
    var isPlain = true
    while position < end {
      let byte = bytes[position]
      position += 1
      switch byte {
      case UInt8(ascii: "\""):
        if others >= 0x80 {
          isPlain = false
          guard String(validating: bytes[start..<position - 1], as: UTF8.self) != nil else {
            throw error("a string that is not UTF-8")
          }
        }
        guard isPlain || Self.text(start - 1..<position, of: bytes).isStreamSafe else {
          throw error("a string of more than 30 combining marks in a row")
        }
        return
      case UInt8(ascii: "\\"): if try !escape().isASCII { isPlain = false }
      case 0..<0x20: throw error("a control character in a string")
      default: others |= byte
      }
    }
    throw error("a string without end")
  }

  /// The text of a checked string, quotes included in its place.
  static func text(_ place: Range<Int>, of bytes: [UInt8]) -> String {
    let inner = bytes[place.lowerBound + 1..<place.upperBound - 1]
    guard inner.contains(UInt8(ascii: "\\")) else { return String(decoding: inner, as: UTF8.self) }
    var parser = JSONParser(bytes, inner.startIndex..<inner.endIndex)
    var decoded: [UInt8] = []
    while let byte = parser.current {
      parser.position += 1
      if byte != UInt8(ascii: "\\") {
        decoded.append(byte)
      } else if let scalar = try? parser.escape() {
        decoded += Array(String(Character(scalar)).utf8)
      }
    }
    return String(decoding: decoded, as: UTF8.self)
  }

  /// What follows a backslash.
  private mutating func escape() throws(HyperslabError) -> Unicode.Scalar {
    guard let byte = current else { throw error("a string without end") }
    position += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
    case UInt8(ascii: "b"): return "\u{08}"
    case UInt8(ascii: "f"): return "\u{0C}"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "u"):
      var unit = UInt32(try hexUnit())
      if (0xD800..<0xDC00).contains(unit) {
        guard take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")) else {
          throw error("half a surrogate pair")
        }
        let low = UInt32(try hexUnit())
        guard (0xDC00..<0xE000).contains(low) else { throw error("half a surrogate pair") }
        unit = 0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00)
      }
      guard let scalar = Unicode.Scalar(unit) else { throw error("half a surrogate pair") }
      return scalar
    default: throw error("an unknown escape")
    }
  }

  private mutating func hexUnit() throws(HyperslabError) -> UInt16 {
    var unit: UInt16 = 0
    for _ in 0..<4 {
      guard let byte = current, let digit = Character(Unicode.Scalar(byte)).hexDigitValue,
        byte < 0x80
      else { throw error("four hexadecimal digits expected") }
      unit = unit << 4 | UInt16(digit)
      position += 1
    }
    return unit
  }
}

/// The names of one object so far; few plain ones are compared one by one, faster than they are hashed.
struct JSONNames {
  private var few: [Range<Int>] = []
  private var many: Set<JSONName> = []

  /// Adds a name; false for one that is there.
  mutating func insert(_ place: Range<Int>, of bytes: [UInt8]) -> Bool {
    if many.isEmpty, few.count < 24 {
      var isPlain = true
      for index in place where bytes[index] >= 0x80 || bytes[index] == UInt8(ascii: "\\") {
        isPlain = false
      }
      if isPlain {
        for other in few where other.count == place.count {
          let offset = place.lowerBound - other.lowerBound
          if other.allSatisfy({ bytes[$0] == bytes[$0 + offset] }) { return false }
        }
        few.append(place)
        return true
      }
    }
    for place in few { many.insert(JSONName(JSONParser.text(place, of: bytes))) }
    few = []
    return many.insert(JSONName(JSONParser.text(place, of: bytes))).inserted
  }
}
