#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// A strict JSON reader: UTF-8 without byte-order mark, no duplicate names, bounded depth, nothing
/// after the value.
///
/// Foundation's reader keeps neither member order nor duplicate names nor the difference between
/// `1` and `1.0`, all of which the format's rules need (Spec, "JSON").
package struct JSONParser {
  private let bytes: UnsafeBufferPointer<UInt8>
  private var position = 0
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
    let array = ContiguousArray(text)
    let result = array.withUnsafeBufferPointer { buffer -> Result<JSONValue, HyperslabError> in
      var parser = JSONParser(
        bytes: buffer, depthLimit: depthLimit, roundsLargeIntegers: roundsLargeIntegers)
      do throws(HyperslabError) {
        let value = try parser.value(depth: 0)
        parser.skipSpace()
        guard parser.position == buffer.count else {
          throw parser.error("something follows the document")
        }
        return .success(value)
      } catch { return .failure(error) }
    }
    return try result.get()
  }

  private init(
    bytes: UnsafeBufferPointer<UInt8>, depthLimit: Int, roundsLargeIntegers: Bool
  ) {
    self.bytes = bytes
    self.depthLimit = depthLimit
    self.roundsLargeIntegers = roundsLargeIntegers
  }

  private func error(_ what: String) -> HyperslabError {
    HyperslabError(.invalidJSON, "JSON, byte \(position): \(what)")
  }

  private func isDigit(_ byte: UInt8) -> Bool {
    byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")
  }

  private var current: UInt8? { position < bytes.count ? bytes[position] : nil }

  private mutating func skipSpace() {
    while let byte = current, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 {
      position += 1
    }
  }

  private mutating func take(_ byte: UInt8) -> Bool {
    guard current == byte else { return false }
    position += 1
    return true
  }

  private mutating func word(_ text: StaticString, _ value: JSONValue) throws(HyperslabError)
    -> JSONValue
  {
    for index in 0..<text.utf8CodeUnitCount {
      guard take(text.utf8Start[index]) else { throw error("\(text) expected") }
    }
    return value
  }

  private mutating func value(depth: Int) throws(HyperslabError) -> JSONValue {
    guard depth <= depthLimit else { throw error("nested deeper than \(depthLimit)") }
    skipSpace()
    switch current {
    case UInt8(ascii: "{"): return .object(try object(depth: depth))
    case UInt8(ascii: "["): return .array(try array(depth: depth))
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): return try word("true", .bool(true))
    case UInt8(ascii: "f"): return try word("false", .bool(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    case let byte? where byte == UInt8(ascii: "-") || isDigit(byte): return try number()
    default: throw error("a value expected")
    }
  }

  private mutating func object(depth: Int) throws(HyperslabError) -> JSONObject {
    var object = JSONObject()
    position += 1
    skipSpace()
    if take(UInt8(ascii: "}")) { return object }
    while true {
      skipSpace()
      guard current == UInt8(ascii: "\"") else { throw error("a member name expected") }
      let name = try string()
      guard object[name] == nil else { throw error("the name \"\(name)\" stands twice") }
      skipSpace()
      guard take(UInt8(ascii: ":")) else { throw error("\":\" expected") }
      object[name] = try value(depth: depth + 1)
      skipSpace()
      if take(UInt8(ascii: "}")) { return object }
      guard take(UInt8(ascii: ",")) else { throw error("\",\" or \"}\" expected") }
    }
  }

  private mutating func array(depth: Int) throws(HyperslabError) -> [JSONValue] {
    var elements: [JSONValue] = []
    position += 1
    skipSpace()
    if take(UInt8(ascii: "]")) { return elements }
    while true {
      elements.append(try value(depth: depth + 1))
      skipSpace()
      if take(UInt8(ascii: "]")) { return elements }
      guard take(UInt8(ascii: ",")) else { throw error("\",\" or \"]\" expected") }
    }
  }

  private mutating func digits() -> Int {
    let start = position
    while let byte = current, isDigit(byte) { position += 1 }
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

  private mutating func string() throws(HyperslabError) -> String {
    position += 1
    let start = position
    while let byte = current, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte >= 0x20 {
      position += 1
    }
    var decoded = Array(bytes[start..<position])
    while let byte = current {
      position += 1
      switch byte {
      case UInt8(ascii: "\""):
        guard let text = String(validating: decoded, as: UTF8.self) else {
          throw error("a string that is not UTF-8")
        }
        return text
      case UInt8(ascii: "\\"): try escape(into: &decoded)
      case 0..<0x20: throw error("a control character in a string")
      default: decoded.append(byte)
      }
    }
    throw error("a string without end")
  }

  private mutating func escape(into decoded: inout [UInt8]) throws(HyperslabError) {
    guard let byte = current else { throw error("a string without end") }
    position += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): decoded.append(byte)
    case UInt8(ascii: "b"): decoded.append(0x08)
    case UInt8(ascii: "f"): decoded.append(0x0C)
    case UInt8(ascii: "n"): decoded.append(0x0A)
    case UInt8(ascii: "r"): decoded.append(0x0D)
    case UInt8(ascii: "t"): decoded.append(0x09)
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
      decoded += Array(String(Character(scalar)).utf8)
    default: throw error("an unknown escape")
    }
  }

  private mutating func hexUnit() throws(HyperslabError) -> UInt16 {
    guard position + 4 <= bytes.count,
      let text = String(validating: bytes[position..<position + 4], as: UTF8.self),
      text.allSatisfy(\.isHexDigit), let unit = UInt16(text, radix: 16)
    else { throw error("four hexadecimal digits expected") }
    position += 4
    return unit
  }
}
