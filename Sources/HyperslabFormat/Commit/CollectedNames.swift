import HyperslabCore

/// The names of all nodes that a change set sees.
struct CollectedNames: Sendable {
  var names = NodeNames()
  /// The commit that they are of; nil when they are to be collected again.
  private var commit: Int?

  /// Collects the names of an index and of changes to it, unless they are known.
  mutating func collect(from index: StoreIndex, and state: borrowing ChangeSet.State) {
    if commit == index.commit { return }
    names = NodeNames()
    for path in index.nodes.keys where state.holds(path, in: index) { names.add(path) }
    for path in Array(state.changes.groups.keys) + Array(state.changes.datasets.keys) {
      names.add(path)
    }
    commit = index.commit
  }

  mutating func forget() { commit = nil }
}
