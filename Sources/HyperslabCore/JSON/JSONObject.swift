/// A member name. Spellings that Unicode takes for equal are one name, but for long ones, which are
/// compared byte by byte.
package struct JSONName: Hashable, Sendable {
  /// The most bytes of a name that has several spellings.
  private static let longestSpelled = 255

  package let text: String
  private let isSpelled: Bool

  package init(_ text: String) {
    self.text = text
    isSpelled =
      text.utf8.count <= Self.longestSpelled && !text.utf8.span.isASCII && text.isStreamSafe
  }

  package static func == (a: JSONName, b: JSONName) -> Bool {
    a.isSpelled && b.isSpelled ? a.text == b.text : a.text.hasSameBytes(as: b.text)
  }

  package func hash(into hasher: inout Hasher) {
    if isSpelled { hasher.combine(text) } else { hasher.combine(bytesOf: text) }
  }
}

/// The members of a JSON object, in order, each name once.
///
/// Two spellings that Unicode takes for equal are one name, unless it is longer than 255 bytes.
public struct JSONObject: Hashable, Sendable, Sequence, ExpressibleByDictionaryLiteral {
  private struct Member: Sendable {
    let key: String
    private let stored: Stored

    private enum Stored: Sendable {
      case value(JSONValue)
      case text(JSONText)
    }

    init(_ key: String, _ value: JSONValue) {
      self.key = key
      stored = .value(JSONLevels(around: value.levels).areTooMany ? .tooDeep : value)
    }

    init(_ key: String, _ text: JSONText) {
      self.key = key
      stored = .text(text)
    }

    var value: JSONValue {
      switch stored {
      case .value(let value): value
      case .text(let text): text.value
      }
    }

    var levels: JSONLevels {
      switch stored {
      case .value(let value): value.levels
      // Not looked at.
      case .text: .ofDocument
      }
    }
  }

  private enum Contents: Sendable {
    /// With the places of the names where they are more than a few.
    case members([Member], [JSONName: Int])
    /// An object that was checked but not taken apart: attributes are many, and few of them looked at.
    case text(JSONText)
  }

  private static let fewest = 16

  private var contents = Contents.members([], [:])
  /// How many levels there are.
  private(set) var levels = JSONLevels(around: nil)

  /// An object without members.
  public init() {}
  /// An object written as a literal; of a name given twice the last value stays.
  public init(dictionaryLiteral elements: (String, JSONValue)...) {
    var members: [Member] = []
    members.reserveCapacity(elements.count)
    for (key, value) in elements {
      if elements.count <= Self.fewest, let place = Self.place(key, members, [:]) {
        members[place] = Member(members[place].key, value)
      } else {
        members.append(Member(key, value))
      }
    }
    if elements.count > Self.fewest {
      for member in members { self[member.key] = member.value }
      return
    }
    contents = .members(members, Self.places(members))
    levels = JSONLevels(around: members.lazy.map(\.levels).max())
  }

  /// The object that a text holds, read when it is asked for.
  package init(_ text: JSONText) {
    if text.isEmpty { return }
    contents = .text(text.alone)
    levels = .ofDocument
  }

  private var members: [Member] {
    switch contents {
    case .members(let members, _): members
    case .text(let text):
      text.members.map { Member($0.name.string ?? "", $0.value) }
    }
  }

  /// The names, in order.
  public var keys: [String] {
    switch contents {
    case .members(let members, _): members.map(\.key)
    case .text(let text): text.members.map { $0.name.string ?? "" }
    }
  }

  /// The number of members.
  public var count: Int {
    switch contents {
    case .members(let members, _): members.count
    case .text(let text): text.memberPlaces.count
    }
  }

  /// Whether there are none.
  public var isEmpty: Bool {
    switch contents {
    case .members(let members, _): members.isEmpty
    case .text(let text): text.isEmpty
    }
  }

  private static func place(
    _ key: String, _ members: [Member], _ places: [JSONName: Int]
  ) -> Int? {
    if members.count > fewest { return places[JSONName(key)] }
    let name = JSONName(key)
    return members.firstIndex { JSONName($0.key) == name }
  }

  private static func places(_ members: [Member]) -> [JSONName: Int] {
    guard members.count > fewest else { return [:] }
    return .init(
      members.enumerated().map { (JSONName($1.key), $0) }, uniquingKeysWith: { $1 })
  }

  /// A member's value; setting nil removes it, a new name goes to the end.
  public subscript(key: String) -> JSONValue? {
    get {
      switch contents {
      case .members(let members, let places):
        Self.place(key, members, places).map { members[$0].value }
      case .text(let text):
        if key.utf8.allSatisfy({ $0 < 0x80 }) {
          text.member(key)?.value
        } else {
          text.members.first { JSONName($0.name.string ?? "") == JSONName(key) }?.value.value
        }
      }
    }
    set {
      guard let newValue else {
        var members = members
        let name = JSONName(key)
        guard let place = members.firstIndex(where: { JSONName($0.key) == name }) else { return }
        members.remove(at: place)
        contents = .members(members, Self.places(members))
        levels = JSONLevels(around: members.lazy.map(\.levels).max())
        return
      }
      takeApart()
      guard let place = place(key) else {
        _ = append(Member(key, newValue))
        return
      }
      guard case .members(var members, let places) = contents else { return }
      // Nobody else holds the members while they change.
      contents = .members([], [:])
      let member = Member(members[place].key, newValue)
      let wasDeepest = JSONLevels(around: members[place].levels) == levels
      members[place] = member
      contents = .members(members, places)
      levels =
        wasDeepest
        ? JSONLevels(around: members.lazy.map(\.levels).max())
        : Swift.max(levels, JSONLevels(around: member.levels))
    }
  }

  /// Sets many members at once; nil removes one, and new names go to the end in their order.
  package mutating func set(_ values: [JSONName: JSONValue?]) {
    takeApart()
    var gone: Set<JSONName> = []
    for (key, value) in values.sorted(by: { $0.key.text.precedesBytewise($1.key.text) }) {
      if let value { self[key.text] = value } else { gone.insert(key) }
    }
    if gone.isEmpty { return }
    let kept = members.filter { !gone.contains(JSONName($0.key)) }
    contents = .members(kept, Self.places(kept))
  }

  /// What to set, nil for what to remove, so that another object becomes this one.
  package func changes(from old: JSONObject) -> [JSONName: JSONValue?] {
    var (own, old) = (self, old)
    own.takeApart()
    old.takeApart()
    var changes: [JSONName: JSONValue?] = [:]
    for (key, value) in own where old[key] != value {
      changes.updateValue(value, forKey: JSONName(key))
    }
    for key in old.keys where own[key] == nil { changes.updateValue(nil, forKey: JSONName(key)) }
    return changes
  }

  private func place(_ key: String) -> Int? {
    guard case .members(let members, let places) = contents else { return nil }
    return Self.place(key, members, places)
  }

  private mutating func takeApart() {
    guard case .text = contents else { return }
    let members = members
    contents = .members(members, Self.places(members))
  }

  /// Adds a member; false where one of the name is there.
  mutating func append(_ key: String, _ value: JSONValue) -> Bool { append(Member(key, value)) }

  /// Adds a member that is read when it is asked for; false where one of the name is there.
  package mutating func append(_ key: String, _ text: JSONText) -> Bool {
    append(Member(key, text))
  }

  private mutating func append(_ member: Member) -> Bool {
    takeApart()
    guard place(member.key) == nil, case .members(var members, var places) = contents else {
      return false
    }
    contents = .members([], [:])
    levels = Swift.max(levels, JSONLevels(around: member.levels))
    members.append(member)
    if members.count > Self.fewest + 1 {
      places[JSONName(member.key)] = members.count - 1
    } else {
      places = Self.places(members)
    }
    contents = .members(members, places)
    return true
  }

  /// The members, in order.
  public func makeIterator() -> AnyIterator<(key: String, value: JSONValue)> {
    switch contents {
    case .members(let members, _):
      var rest = members.makeIterator()
      return AnyIterator { rest.next().map { ($0.key, $0.value) } }
    case .text(let text):
      var rest = text.members.makeIterator()
      return AnyIterator { rest.next().map { ($0.name.string ?? "", $0.value.value) } }
    }
  }

  /// Equal members, whatever their order.
  public static func == (a: JSONObject, b: JSONObject) -> Bool {
    let (members, others) = (a.members, b.members)
    let places = Self.places(others)
    return members.count == others.count
      && members.allSatisfy { member in
        Self.place(member.key, others, places).map { others[$0].value == member.value } ?? false
      }
  }

  /// Hashes the members, whatever their order.
  public func hash(into hasher: inout Hasher) {
    var sum = 0
    for member in members {
      var own = Hasher()
      own.combine(JSONName(member.key))
      own.combine(member.value)
      sum ^= own.finalize()
    }
    hasher.combine(sum)
  }
}
