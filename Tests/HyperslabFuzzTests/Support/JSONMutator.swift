import HyperslabCore
import HyperslabTestSupport

/// A document taken apart once, so that many mutations of it cost little.
struct JSONSample: Sendable {
  enum Step: Sendable {
    case element(Int)
    case member(String)
  }

  let value: JSONValue
  /// Every value in the document, to be put where another belongs, and the way to it.
  private(set) var pieces: [JSONValue] = []
  private(set) var paths: [[Step]] = []
  private(set) var names: [String] = []

  init(_ value: JSONValue) {
    self.value = value
    collect(value, [])
  }

  private mutating func collect(_ value: JSONValue, _ path: [Step]) {
    pieces.append(value)
    paths.append(path)
    switch value {
    case .array(let elements):
      for (index, element) in elements.enumerated() { collect(element, path + [.element(index)]) }
    case .object(let members):
      for (name, member) in members {
        names.append(name)
        collect(member, path + [.member(name)])
      }
    default: break
    }
  }
}

/// Breaks JSON documents by their structure: values replaced, members dropped, doubled, renamed.
struct JSONMutator {
  private var generator: SeededGenerator
  private let sample: JSONSample
  private var pieces: [JSONValue] { sample.pieces }
  private var names: [String] { sample.names }

  static let hostile: [JSONValue] = [
    0, 1, -1, 2, .integer(1 << 31), .integer(1 << 31 - 1), .integer(1 << 40), .integer(1 << 53),
    .integer(1 << 53 - 1), .integer(1 << 62 - 1), .integer(1 << 62), .integer(.max),
    .integer(.min), .unsigned(1 << 63), .unsigned(.max), 1e308, 1.0, 0.5, -0.0, nil, true, false,
    [], [:], "", "NaN", "Infinity", "-Infinity", "0x7fc00001", "d0", "d9007199254740990",
    "d9223372036854775807", "00000000", "..", "\u{0}", "float64", "int8", "complex128", "auto",
    [[0, 1]], [[0, .integer(1 << 40)]], [[.integer(.max), 1]], [0], [.integer(1 << 62 - 1)],
  ]

  init(_ sample: JSONSample, using generator: inout SeededGenerator) {
    self.generator = SeededGenerator(seed: generator.next())
    self.sample = sample
  }

  /// The document with one to three changes.
  mutating func mutate() -> JSONValue {
    var result = sample.value
    for _ in 0..<Int.random(in: 1...3, using: &generator) {
      let path = sample.paths.randomElement(using: &generator) ?? []
      result = change(result, path[...])
    }
    return result
  }

  /// Changes what a path leads to; an earlier change may have removed it.
  private mutating func change(
    _ value: JSONValue, _ path: ArraySlice<JSONSample.Step>
  ) -> JSONValue {
    switch (path.first, value) {
    case (nil, _): return replacement(of: value)
    case (.element(let index), .array(let array)) where array.indices.contains(index):
      var elements = array.elements
      elements[index] = change(elements[index], path.dropFirst())
      return .array(elements)
    case (.member(let name), .object(var members)):
      if let member = members[name] { members[name] = change(member, path.dropFirst()) }
      return .object(members)
    default: return value
    }
  }

  private mutating func replacement(of value: JSONValue) -> JSONValue {
    if generator.chance(1, in: 4) { return Self.hostile.randomElement(using: &generator) ?? nil }
    if generator.chance(1, in: 6) { return pieces.randomElement(using: &generator) ?? nil }
    switch value {
    case .integer(let number):
      if generator.chance(1, in: 2) {
        return .integer(number &+ Int.random(in: -2...2, using: &generator))
      }
      return Self.hostile.randomElement(using: &generator) ?? nil
    case .array(let elements): return .array(changed(elements.elements))
    case .object(let members): return .object(changed(members))
    case .string(let text):
      let bytes = Mutator.bytes(Array(text.utf8), other: [], using: &generator)
      return .string(String(decoding: bytes, as: UTF8.self))
    default: return Self.hostile.randomElement(using: &generator) ?? nil
    }
  }

  private mutating func changed(_ elements: [JSONValue]) -> [JSONValue] {
    var result = elements
    let position = Int.random(in: 0...result.count, using: &generator)
    switch Int.random(in: 0..<4, using: &generator) {
    case 0: if position < result.count { result.remove(at: position) }
    case 1: if position < result.count { result.insert(result[position], at: position) }
    case 2: result.insert(pieces.randomElement(using: &generator) ?? nil, at: position)
    default: result.shuffle(using: &generator)
    }
    return result
  }

  private mutating func changed(_ members: JSONObject) -> JSONObject {
    var result = members
    let name = members.keys.randomElement(using: &generator) ?? ""
    let other = names.randomElement(using: &generator) ?? "x-new"
    switch Int.random(in: 0..<4, using: &generator) {
    case 0: result[name] = nil
    case 1: result[other] = pieces.randomElement(using: &generator) ?? nil
    case 2:
      result[other] = members[name]
      result[name] = nil
    default: result["x-\(name)"] = members[name]
    }
    return result
  }
}
