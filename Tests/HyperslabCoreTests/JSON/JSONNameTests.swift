import HyperslabCore
import HyperslabTestSupport
import Testing

/// Names of members and nodes: which are the same, however long they are.
@Suite struct JSONNameTests {
  private let marks = Self.marks("\u{316}\u{301}")
  private let turned = Self.marks("\u{301}\u{316}")

  /// As many marks in a row as may be, again and again.
  private static func marks(_ two: String) -> String {
    String(repeating: "a" + String(repeating: two, count: 15), count: 5_000)
  }

  @Test func shortSpellingsAreOneName() throws {
    #expect(throws: HyperslabError.self) {
      try JSONParser.parse("{\"é\": 1, \"e\u{301}\": 2}".utf8)
    }
    var object: JSONObject = ["é": 1]
    #expect(object["e\u{301}"] == 1)
    object["e\u{301}"] = 2
    #expect(object.count == 1)
    #expect(object.keys[0].unicodeScalars.count == 1)
    object["e\u{301}"] = nil
    #expect(object.isEmpty)
  }

  @Test(.timeLimit(.minutes(1))) func longNamesAreBytes() throws {
    let text = "{\"\(marks)\": 1, \"\(turned)\": {\"\(marks)\": \"\(turned)\"}}"
    let read = try #require(try JSONParser.parse(text.utf8).object)
    #expect(read.count == 2)
    #expect(read[marks] == 1)
    #expect(read[turned]?.object?[marks]?.string?.utf8.count == turned.utf8.count)
    #expect(read != [marks: 1, turned: [marks: .string(marks)]])
    #expect(throws: HyperslabError.self) {
      try JSONParser.parse("{\"\(marks)\": 1, \"\(marks)\": 2}".utf8)
    }
    #expect(JSONValue.string(marks) != .string(turned))
    #expect(throws: HyperslabError.self) { try NodePath(marks) }
    // By canonical equivalence one comparison of these, which no text that was read has, takes minutes.
    let heaps = ["\u{316}\u{301}", "\u{301}\u{316}"].map { String(repeating: $0, count: 80_000) }
    #expect(JSONObject(dictionaryLiteral: (heaps[0], 1))[heaps[1]] == nil)
    #expect(throws: HyperslabError.self) { try JSONParser.parse("[\"\(heaps[0])\"]".utf8) }
    #expect(throws: HyperslabError.self) { try NodePath(heaps[0]) }
  }

  @Test func manyNamesAreTold() throws {
    for count in [1, 23, 24, 25, 40, 400] {
      let members = (0..<count).map { "\"n\($0)\": \($0)" }
      let object = try #require(
        try JSONParser.parse("{\(members.joined(separator: ", "))}".utf8).object)
      #expect(object.keys == (0..<count).map { "n\($0)" })
      #expect((0..<count).allSatisfy { object["n\($0)"] == .integer($0) })
      for twin in ["n\(count - 1)", "\\u006e0"] {
        let twice = members + ["\"\(twin)\": 1"]
        #expect(throws: HyperslabError.self) {
          try JSONParser.parse("{\(twice.joined(separator: ", "))}".utf8)
        }
      }
    }
  }

  @Test func aTextIsReadWhereItStands() throws {
    let text =
      " {\"a\": [1, -2, 3], \"\\u0062\": {\"c\": \"d\\n\"}, \"e\": null, \"f\": 1.5, \"g\": []} "
    let whole = try JSONText(checking: Array(text.utf8), depthLimit: 8)
    let tree = try JSONParser.parse(text.utf8)
    #expect(whole.value == tree)
    #expect(JSONValue.object(JSONObject(whole)) == tree)
    #expect(JSONObject(whole).keys == ["a", "b", "e", "f", "g"])
    #expect(whole.member("a")?.integers == [1, -2, 3])
    #expect(whole.member("b")?.member("c")?.is("d\n") == true)
    #expect(whole.member("e")?.isNull == true)
    #expect(whole.member("f")?.integer == nil)
    #expect(whole.member("g")?.isEmpty == true)
    #expect(whole.member("h") == nil)
    var changed = JSONObject(whole)
    changed["a"] = 5
    #expect(changed.keys == ["a", "b", "e", "f", "g"])
    #expect(changed["a"] == 5 && changed["f"] == 1.5)
    for broken in ["{\"a\": 1, \"a\": 2}", "[1", "[1] x", "{\"a\": [01]}"] {
      #expect(throws: HyperslabError.self) {
        try JSONText(checking: Array(broken.utf8), depthLimit: 8)
      }
    }
  }

  @Test func pathsCompareAsTheirComponents() throws {
    var generator = SeededGenerator("paths")
    let names = ["a", "b", "ab", "a b", "a.b", "é", "e\u{301}", "z\u{301}", "日", "c1", "\u{301}"]
    func path() throws -> NodePath {
      try NodePath(
        (0..<Int.random(in: 0...4, using: &generator)).map { _ in
          names.randomElement(using: &generator) ?? "a"
        }.joined(separator: "/"))
    }
    for _ in 0..<2000 {
      let (a, b) = (try path(), try path())
      let (own, others) = (a.components, b.components)
      #expect((a == b) == (own == others))
      #expect((a < b) == own.lexicographicallyPrecedes(others))
      #expect(
        a.isDescendant(of: b) == (own.count > others.count && own.starts(with: others)))
      if a == b { #expect(a.hashValue == b.hashValue) }
      #expect(a.parent?.components == (own.isEmpty ? nil : own.dropLast()))
      #expect(a.ancestors.map(\.components) == own.indices.map { Array(own.prefix($0)) })
      #expect(a.name == own.last ?? "")
      #expect(a.description == own.joined(separator: "/"))
    }
  }
}
