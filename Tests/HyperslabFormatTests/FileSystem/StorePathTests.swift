import Testing

@testable import HyperslabFormat

@Suite("Paths of a store")
struct StorePathTests {
  /// The last begins with an accent, which belongs to the slash before it if characters are counted.
  private static let names = ["ecephys", "é", "日本", "c", "12", "\u{301}x"]

  @Test func namesComeBack() {
    for count in 0...Self.names.count {
      let names = Array(Self.names.prefix(count))
      let path = names.reduce(.root) { $0 / $1 }
      #expect(path.components == names)
      #expect(path.depth == count)
      #expect(path.isRoot == (count == 0))
      #expect(path.name == (names.last ?? ""))
      #expect(path == StorePath(names.joined(separator: "/")))
    }
  }

  @Test func aboveAPathAreItsAncestors() {
    let path = Self.names.reduce(.root) { $0 / $1 }
    var above: [StorePath] = []
    var next = path
    while !next.isRoot {
      #expect(next.parent / next.name == next)
      next = next.parent
      above.append(next)
    }
    #expect(path.ancestors == above.reversed())
    #expect(StorePath.root.ancestors.isEmpty)
    #expect(StorePath.root.parent == .root)
  }
}
