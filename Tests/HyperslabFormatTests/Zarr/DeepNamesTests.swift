import HyperslabCore
import Testing

@testable import HyperslabFormat

/// One name of an axis all the way down a tree.
@Suite struct DeepNamesTests {
  /// A name gets as many underscores as it takes to be no other's above it, and no more; what a group
  /// beside it has does not count.
  @Test func underscoresAreThoseOfGroupsAbove() throws {
    var index = StoreIndex(
      uuid: StoreLayout.newIdentifier(), commit: 1, time: "", writer: "", state: "complete",
      nodes: [.root: .group(attributes: [:], extensions: [:])])
    var expected: [(path: NodePath, names: [String])] = []
    func add(_ path: String, _ length: Int, _ names: [String]) throws {
      let description = DatasetDescription(
        shape: [length], chunkShape: [length], dataType: .int32, dimensionNames: ["t"])
      let path = try NodePath(path)
      index.nodes[path] = .dataset(
        DatasetRecord(
          id: expected.count, description: description, grid: try description.validated(),
          filter: nil, blockByteCount: 65536, commit: 1))
      expected.append((path, names))
    }
    func under(_ count: Int) -> String { String(repeating: "_", count: count) }
    for branch in ["g", "h"] {
      var group = branch
      for depth in 0..<40 {
        // Two lengths in one group, so that none of them is the name's own.
        try add("\(group)/a", 4, ["t_4" + under(depth)])
        try add("\(group)/b", 5, ["t_5" + under(depth)])
        // A data set that has the next name already, beside or below.
        if depth == 20 { try add("\(group)/t_6", 6, ["t_6_"]) }
        if depth == 30 { try add("\(group)/c6", 6, ["t_6"]) }
        if depth == 35 { try add("\(group)/c6", 6, ["t_6__"]) }
        group += "/g"
      }
    }
    let names = DimensionNames(of: index)
    for (path, wanted) in expected { #expect(names[path] == wanted, "\(path)") }
  }
}
