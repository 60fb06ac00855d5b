import HyperslabCore
import HyperslabTestSupport

/// Breaks JSON documents by their structure: values replaced, members dropped, doubled, renamed.
struct JSONMutator {
  private var generator: SeededGenerator
  /// Every value of the document, to be put where another belongs.
  private let pieces: [JSONValue]
  private let names: [String]

  static let hostile: [JSONValue] = [
    0, 1, -1, 2, .integer(1 << 31), .integer(1 << 31 - 1), .integer(1 << 40), .integer(1 << 53),
    .integer(1 << 53 - 1), .integer(1 << 62 - 1), .integer(1 << 62), .integer(.max),
    .integer(.min), .unsigned(1 << 63), .unsigned(.max), 1e308, 1.0, 0.5, -0.0, nil, true, false,
    [], [:], "", "NaN", "Infinity", "-Infinity", "0x7fc00001", "d0", "d9007199254740990",
    "d9223372036854775807", "00000000", "..", "\u{0}", "float64", "int8", "complex128", "auto",
    [[0, 1]], [[0, .integer(1 << 40)]], [[.integer(.max), 1]], [0], [.integer(1 << 62 - 1)],
  ]

  init(_ document: JSONValue, using generator: inout SeededGenerator) {
    self.generator = SeededGenerator(seed: generator.next())
    var pieces: [JSONValue] = []
    var names: [String] = []
    Self.collect(document, &pieces, &names)
    self.pieces = pieces
    self.names = names
  }

  private static func collect(
    _ value: JSONValue, _ pieces: inout [JSONValue], _ names: inout [String]
  ) {
    pieces.append(value)
    switch value {
    case .array(let elements): for element in elements { collect(element, &pieces, &names) }
    case .object(let members):
      for (name, member) in members {
        names.append(name)
        collect(member, &pieces, &names)
      }
    default: break
    }
  }

  /// The document with one to three changes.
  mutating func mutate(_ document: JSONValue) -> JSONValue {
    var result = document
    for _ in 0..<Int.random(in: 1...3, using: &generator) {
      var countdown = Int.random(in: 0..<pieces.count, using: &generator)
      result = change(result, &countdown)
    }
    return result
  }

  /// Changes the value that the countdown ends at.
  private mutating func change(_ value: JSONValue, _ countdown: inout Int) -> JSONValue {
    countdown -= 1
    if countdown < 0 {
      countdown = .max
      return replacement(of: value)
    }
    switch value {
    case .array(var elements):
      for index in elements.indices where countdown >= 0 && countdown < pieces.count {
        elements[index] = change(elements[index], &countdown)
      }
      return .array(elements)
    case .object(var members):
      for name in members.keys where countdown >= 0 && countdown < pieces.count {
        if let member = members[name] { members[name] = change(member, &countdown) }
      }
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
    case .array(let elements): return .array(changed(elements))
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
