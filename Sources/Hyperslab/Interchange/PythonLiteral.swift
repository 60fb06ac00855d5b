import HyperslabCore

/// The part of Python's literals that array headers are written in.
enum PythonLiteral: Equatable {
  case string(String)
  case boolean(Bool)
  case none
  case integer(Int)
  /// A tuple or a list.
  case sequence([PythonLiteral])
  /// A dictionary; keys in order, possibly repeated.
  case dictionary([Member])

  struct Member: Equatable {
    var key: PythonLiteral
    var value: PythonLiteral
  }

  /// Parses one literal, surrounded by nothing but white space.
  static func parse(_ bytes: some Collection<UInt8>) throws(HyperslabError) -> PythonLiteral {
    var parser = PythonLiteralParser(bytes: Array(bytes))
    let value = try parser.value(depth: 0)
    parser.skipSpace()
    guard parser.isAtEnd else { throw parser.failure("the end") }
    return value
  }
}

private struct PythonLiteralParser {
  let bytes: [UInt8]
  var position = 0

  init(bytes: [UInt8]) { self.bytes = bytes }

  var isAtEnd: Bool { position == bytes.count }
  private var next: UInt8? { isAtEnd ? nil : bytes[position] }

  func failure(_ expected: String) -> HyperslabError {
    let found = next.map { "byte \($0) (\(String(UnicodeScalar($0)).debugDescription))" }
    return HyperslabError(
      .invalidArrayFile, "the header cannot be read at its byte \(position)", expected: expected,
      found: found ?? "the end")
  }

  mutating func skipSpace() {
    while let byte = next, byte == 0x20 || (0x09...0x0D).contains(byte) { position += 1 }
  }

  private mutating func take(_ scalar: UnicodeScalar) -> Bool {
    skipSpace()
    guard next == UInt8(ascii: scalar) else { return false }
    position += 1
    return true
  }

  mutating func value(depth: Int) throws(HyperslabError) -> PythonLiteral {
    // Real headers nest three deep; a bound keeps hostile ones off the stack.
    guard depth < 16 else { throw failure("fewer brackets") }
    skipSpace()
    switch next {
    case UInt8(ascii: "'"), UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "("): return try sequence(closing: ")", depth: depth)
    case UInt8(ascii: "["): return try sequence(closing: "]", depth: depth)
    case UInt8(ascii: "{"): return try dictionary(depth: depth)
    case UInt8(ascii: "-"), .some(UInt8(ascii: "0")...UInt8(ascii: "9")): return try integer()
    default: return try word()
    }
  }

  private mutating func sequence(
    closing: UnicodeScalar, depth: Int
  ) throws(HyperslabError) -> PythonLiteral {
    position += 1
    var elements: [PythonLiteral] = []
    while !take(closing) {
      elements.append(try value(depth: depth + 1))
      if take(",") { continue }
      guard take(closing) else { throw failure("a comma or \(closing)") }
      // `(3)` is the number 3, not a tuple.
      if closing == ")", elements.count == 1 { return elements[0] }
      break
    }
    return .sequence(elements)
  }

  private mutating func dictionary(depth: Int) throws(HyperslabError) -> PythonLiteral {
    position += 1
    var members: [PythonLiteral.Member] = []
    while !take("}") {
      let key = try value(depth: depth + 1)
      guard take(":") else { throw failure("a colon") }
      members.append(.init(key: key, value: try value(depth: depth + 1)))
      if take(",") { continue }
      guard take("}") else { throw failure("a comma or }") }
      break
    }
    return .dictionary(members)
  }

  private mutating func string() throws(HyperslabError) -> String {
    let quote = next
    position += 1
    var content: [UInt8] = []
    while let byte = next, byte != quote {
      guard byte != UInt8(ascii: "\\"), byte >= 0x20 else { throw failure("a plain character") }
      content.append(byte)
      position += 1
    }
    guard !isAtEnd else { throw failure("a closing quote") }
    position += 1
    return String(decoding: content, as: UTF8.self)
  }

  private mutating func integer() throws(HyperslabError) -> PythonLiteral {
    let start = position
    if next == UInt8(ascii: "-") { position += 1 }
    while let byte = next, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { position += 1 }
    guard let number = Int(String(decoding: bytes[start..<position], as: UTF8.self)) else {
      position = start
      throw failure("an integer of at most 64 bits")
    }
    // Python 2 wrote long integers as `240L`.
    if next == UInt8(ascii: "L") { position += 1 }
    return .integer(number)
  }

  private mutating func word() throws(HyperslabError) -> PythonLiteral {
    for (word, value) in [
      ("True", PythonLiteral.boolean(true)), ("False", .boolean(false)), ("None", .none),
    ] where bytes[position...].starts(with: word.utf8) {
      position += word.utf8.count
      return value
    }
    throw failure("a value")
  }
}
