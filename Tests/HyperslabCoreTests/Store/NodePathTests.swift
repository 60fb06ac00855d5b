import HyperslabCore
import Testing

@Suite struct NodePathTests {
  @Test(arguments: [
    ("", [String]()), ("/", []), ("a", ["a"]), ("/a/b/", ["a", "b"]), ("a/b/d", ["a", "b", "d"]),
    ("C", ["C"]), ("cc", ["cc"]), ("_a", ["_a"]), ("a.b", ["a.b"]),
    ("x/slab.json.old", ["x", "slab.json.old"]),
    ("mémoire/日本/😀", ["mémoire", "日本", "😀"]), ("a b", ["a b"]), ("-", ["-"]),
  ])
  func reads(_ text: String, _ components: [String]) throws {
    let path = try NodePath(text)
    #expect(path.components == components)
    #expect(path.description == components.joined(separator: "/"))
    #expect(path.name == components.last ?? "")
    #expect(try NodePath(path.description) == path)
  }

  @Test(arguments: [
    "a//b", "//a", "a//", ".", "..", "a/..", ".hidden", "a/.x", "__slab", "__", "a/__x", "c", "a/c",
    "zarr.json", "slab.json", "a/slab.json", "a\\b", "a\u{0}", "a\nb", "\u{7F}", "\u{85}",
    ".\u{301}", "__\u{301}", "_\u{301}_/.\u{301}b", "a/\u{301}b/..",
  ])
  func refuses(_ text: String) {
    let error = #expect(throws: HyperslabError.self) { try NodePath(text) }
    #expect(error?.code == .invalidName)
  }

  @Test func limitsAreInBytes() throws {
    #expect(try NodePath(String(repeating: "x", count: 255)).components.count == 1)
    #expect(throws: HyperslabError.self) { try NodePath(String(repeating: "x", count: 256)) }
    #expect(try NodePath(String(repeating: "é", count: 127)).components.count == 1)
    #expect(throws: HyperslabError.self) { try NodePath(String(repeating: "é", count: 128)) }
    let name = String(repeating: "y", count: 127)
    let long = Array(repeating: name, count: 8).joined(separator: "/")
    #expect(try NodePath(long).components.count == 8)
    #expect(throws: HyperslabError.self) { try NodePath(long + "/yy") }
  }

  /// A node found by its name in a group is the one that its whole path reads as, in every spelling.
  @Test(arguments: [
    "a", "C", "é", "e\u{301}", "\u{1100}\u{1161}", "가", "a\u{316}\u{301}", "a\u{301}\u{316}", "日本",
    "\u{301}", "c", "", ".x", "__x", "a/b", "a\\b", "\u{85}", "\u{2028}", "zarr.json", "slab.jso",
    String(repeating: "x", count: 255), String(repeating: "x", count: 256),
  ])
  func childrenReadAsTheirPaths(_ name: String) throws {
    let groups = ["", "g", "é/f", "e\u{301}/f", String(repeating: "/y234567", count: 96)]
    let deep = String(repeating: "/y234567", count: 127)
    for group in groups + [deep] {
      let child = try NodePath(group).child(named: name)
      let path = name.isEmpty || name.contains("/") ? nil : try? NodePath("\(group)/\(name)")
      #expect(child == path)
      #expect(child?.hashValue == path?.hashValue)
      #expect(child?.description == path?.description)
    }
  }

  @Test func spellingsAreOnePath() throws {
    let (composed, decomposed) = (try NodePath("é/g/한"), try NodePath("e\u{301}/g/한"))
    #expect(composed == decomposed && composed.hashValue == decomposed.hashValue)
    #expect(composed.child(named: "é") == decomposed.child(named: "e\u{301}"))
    #expect(composed != (try NodePath("e/g/한")))
  }

  @Test func knowsItsPlace() throws {
    let path = try NodePath("a/b/d")
    #expect(path.parent?.description == "a/b")
    #expect(NodePath.root.parent == nil)
    #expect(path.ancestors.map(\.description) == ["", "a", "a/b"])
    #expect(path.isDescendant(of: .root))
    #expect(path.isDescendant(of: try NodePath("a/b")))
    #expect(!path.isDescendant(of: path))
    #expect(!path.isDescendant(of: try NodePath("a/bb")))
    let sorted = try ["b", "a/b", "a-b", "a", ""].map { try NodePath($0) }.sorted()
    #expect(sorted.map(\.description) == ["", "a", "a/b", "a-b", "b"])
  }
}
