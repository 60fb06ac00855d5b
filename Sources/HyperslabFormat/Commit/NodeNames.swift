import HyperslabCore

/// The names of all nodes in lower case: some file systems take names for the same that differ in no more.
struct NodeNames: Sendable {
  private var known: [String: NodePath] = [:]
  /// The commit that they are of; nil when they are to be collected again.
  private var commit: Int?

  var count: Int { known.count }

  /// The node whose name is the same but for letter case.
  subscript(path: NodePath) -> NodePath? { known[path.description.lowercased()] }

  /// Collects the names of an index and of changes to it, unless they are known.
  mutating func collect(from index: StoreIndex, and state: borrowing ChangeSet.State) {
    if commit == index.commit { return }
    known = [:]
    for path in index.nodes.keys where state.holds(path, in: index) { add(path) }
    for path in Array(state.changes.groups.keys) + Array(state.changes.datasets.keys) { add(path) }
    commit = index.commit
  }

  mutating func add(_ path: NodePath) { known[path.description.lowercased()] = path }

  mutating func forget() { commit = nil }
}
