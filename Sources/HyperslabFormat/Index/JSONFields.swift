import HyperslabCore

/// Takes the members of a JSON object one by one and complains about what is missing, of the wrong
/// kind or left over.
struct JSONFields {
  private var members: JSONObject
  let place: String
  private let code: HyperslabError.Code

  init(_ value: JSONValue, place: String, code: HyperslabError.Code) throws(HyperslabError) {
    guard case .object(let members) = value else {
      throw HyperslabError(code, "not a JSON object", at: place)
    }
    self.members = members
    self.place = place
    self.code = code
  }

  func error(_ name: String, _ expected: String) -> HyperslabError {
    HyperslabError(code, "the member \"\(name)\"", at: place, expected: expected)
  }

  mutating func optional(_ name: String) -> JSONValue? {
    defer { members[name] = nil }
    if case .null? = members[name] { return nil }
    return members[name]
  }

  mutating func required(_ name: String) throws(HyperslabError) -> JSONValue {
    guard let value = members[name] else { throw error(name, "present") }
    members[name] = nil
    return value
  }

  mutating func string(_ name: String) throws(HyperslabError) -> String {
    guard case .string(let value) = try required(name) else { throw error(name, "a string") }
    return value
  }

  /// A non-negative integer.
  mutating func count(
    _ name: String, upTo limit: Int = 1 << 53 - 1
  ) throws(HyperslabError) -> Int {
    guard case .integer(let value) = try required(name), (0...limit).contains(value) else {
      throw error(name, "an integer from 0 to \(limit)")
    }
    return value
  }

  mutating func object(_ name: String) throws(HyperslabError) -> JSONObject {
    guard case .object(let value) = try required(name) else { throw error(name, "an object") }
    return value
  }

  mutating func array(_ name: String) throws(HyperslabError) -> [JSONValue] {
    guard case .array(let value) = try required(name) else { throw error(name, "an array") }
    return value
  }

  mutating func strings(_ name: String) throws(HyperslabError) -> [String] {
    let values = try array(name).map(\.string)
    guard !values.contains(nil) else { throw error(name, "an array of strings") }
    return values.compactMap { $0 }
  }

  /// An array of integers within limits.
  mutating func integers(
    _ name: String, in limits: ClosedRange<Int>
  ) throws(HyperslabError) -> [Int] {
    var result: [Int] = []
    for value in try array(name) {
      guard case .integer(let number) = value, limits.contains(number) else {
        throw error(name, "integers in \(limits)")
      }
      result.append(number)
    }
    return result
  }

  /// A checksum as eight lower-case hexadecimal digits.
  mutating func checksum(_ name: String) throws(HyperslabError) -> UInt32 {
    let text = try string(name)
    guard text.utf8.count == 8, text.lowercased() == text, let value = UInt32(text, radix: 16),
      !text.hasPrefix("+")
    else { throw error(name, "eight lower-case hexadecimal digits") }
    return value
  }

  /// `[start, count]` pairs in rising order.
  mutating func ranges(_ name: String) throws(HyperslabError) -> [Range<Int>] {
    var ranges: [Range<Int>] = []
    for value in try array(name) {
      guard case .array(let pair) = value, pair.count == 2, let start = pair[0].integer,
        let count = pair[1].integer, start >= ranges.last?.upperBound ?? 0, count >= 1,
        let end = Checked.add(start, count), end <= StoreIndex.maximumChunkCount
      else { throw error(name, "rising pairs of start and count") }
      ranges.append(start..<end)
    }
    return ranges
  }

  /// The grid that numbers of chunks belong to.
  mutating func numbering(_ name: String) throws(HyperslabError) -> ChunkNumbering {
    let axes = try integers(name, in: 0...StoreIndex.maximumChunkCount)
    guard axes.count <= 32, let numbering = ChunkNumbering(Shape(axes)),
      numbering.count <= StoreIndex.maximumChunkCount
    else { throw error(name, "a grid of at most \(StoreIndex.maximumChunkCount) chunks") }
    return numbering
  }

  /// Unknown members are damage or the future, except those that start `x-`, which are kept.
  func rest() throws(HyperslabError) -> JSONObject {
    for (name, _) in members where !name.hasPrefix("x-") {
      throw HyperslabError(
        code, "the unknown member \"\(name)\"", at: place,
        remedy: "It may need a newer version of Hyperslab")
    }
    return members
  }
}

extension ChunkNumbering {
  var json: JSONValue { .array(gridShape.map { .integer($0) }) }
}

extension [Range<Int>] {
  /// As `[start, count]` pairs.
  var json: JSONValue {
    .array(map { .array([.integer($0.lowerBound), .integer($0.count)]) })
  }

  /// The ranges that hold some rising numbers.
  init(rising numbers: some Sequence<Int>) {
    self = []
    for number in numbers {
      if let last, last.upperBound == number {
        self[count - 1] = last.lowerBound..<number + 1
      } else {
        append(number..<number + 1)
      }
    }
  }
}
