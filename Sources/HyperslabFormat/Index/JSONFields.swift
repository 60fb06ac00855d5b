import HyperslabCore

/// Takes the members of a JSON object one by one and complains about what is missing, of the wrong
/// kind or left over.
struct JSONFields {
  private let object: JSONText
  private let members: [JSONText.MemberPlace]
  private var isTaken: [Bool]
  let place: String
  private let code: HyperslabError.Code

  /// Texts that are compared, or that messages repeat, are no longer.
  static let maximumTextByteCount = 1024

  init(_ value: JSONText, place: String, code: HyperslabError.Code) throws(HyperslabError) {
    guard value.isObject else { throw HyperslabError(code, "not a JSON object", at: place) }
    object = value
    members = value.memberPlaces
    isTaken = Array(repeating: false, count: members.count)
    self.place = place
    self.code = code
  }

  func error(_ name: String, _ expected: String) -> HyperslabError {
    HyperslabError(code, "the member \"\(name)\"", at: place, expected: expected)
  }

  private mutating func take(_ name: String) -> JSONText? {
    guard let index = members.firstIndex(where: { object.holds(name, at: $0.name) })
    else { return nil }
    isTaken[index] = true
    return object[members[index].value]
  }

  func has(_ name: String) -> Bool { members.contains { object.holds(name, at: $0.name) } }

  mutating func optional(_ name: String) -> JSONText? {
    take(name).flatMap { $0.isNull ? nil : $0 }
  }

  mutating func required(_ name: String) throws(HyperslabError) -> JSONText {
    guard let value = take(name) else { throw error(name, "present") }
    return value
  }

  /// A value of a few numbers or short strings.
  mutating func short(_ name: String) throws(HyperslabError) -> JSONValue {
    let value = try required(name)
    guard value.place.count <= Self.maximumTextByteCount else { throw error(name, "a short value") }
    return value.value
  }

  mutating func string(_ name: String) throws(HyperslabError) -> String {
    let value = try required(name)
    guard value.place.count <= 6 * Self.maximumTextByteCount, let text = value.string,
      text.utf8.count <= Self.maximumTextByteCount
    else { throw error(name, "a string of at most \(Self.maximumTextByteCount) bytes") }
    return text
  }

  /// A non-negative integer.
  mutating func count(
    _ name: String, upTo limit: Int = 1 << 53 - 1
  ) throws(HyperslabError) -> Int {
    guard let value = try required(name).integer, (0...limit).contains(value) else {
      throw error(name, "an integer from 0 to \(limit)")
    }
    return value
  }

  mutating func object(_ name: String) throws(HyperslabError) -> JSONText {
    let value = try required(name)
    guard value.isObject else { throw error(name, "an object") }
    return value
  }

  mutating func array(_ name: String) throws(HyperslabError) -> JSONText {
    let value = try required(name)
    guard value.isArray else { throw error(name, "an array") }
    return value
  }

  mutating func strings(_ name: String) throws(HyperslabError) -> [String] {
    var result: [String] = []
    try array(name).forEachElement { (value) throws(HyperslabError) in
      guard value.place.count <= Self.maximumTextByteCount, let text = value.string else {
        throw error(name, "an array of short strings")
      }
      result.append(text)
    }
    return result
  }

  /// An array of integers within limits.
  mutating func integers(
    _ name: String, in limits: ClosedRange<Int>
  ) throws(HyperslabError) -> [Int] {
    guard let result = try array(name).integers, result.allSatisfy({ limits.contains($0) }) else {
      throw error(name, "integers in \(limits)")
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
    try array(name).forEachElement { (value) throws(HyperslabError) in
      guard let pair = value.integers, pair.count == 2, pair[0] >= ranges.last?.upperBound ?? 0,
        pair[1] >= 1, let end = Checked.add(pair[0], pair[1]), end <= StoreIndex.maximumChunkCount
      else { throw error(name, "rising pairs of start and count") }
      ranges.append(pair[0]..<end)
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
    var rest = JSONObject()
    for (member, isTaken) in zip(members, isTaken) where !isTaken {
      let name = object[member.name].string ?? ""
      guard name.utf8.starts(with: "x-".utf8) else {
        throw HyperslabError(
          code, "the unknown member \"\(String(decoding: name.utf8.prefix(80), as: UTF8.self))\"",
          at: place, remedy: "It may need a newer version of Hyperslab")
      }
      _ = rest.append(name, object[member.value].alone)
    }
    return rest
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

  /// Whether one of rising ranges holds a number.
  func holds(_ number: Int) -> Bool {
    var (low, high) = (0, count)
    while low < high {
      let middle = (low + high) / 2
      if self[middle].upperBound <= number { low = middle + 1 } else { high = middle }
    }
    return low < count && self[low].contains(number)
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
