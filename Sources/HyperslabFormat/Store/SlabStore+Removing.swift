public import HyperslabCore

extension SlabStore {
  /// Removes a data set, or a group with all it holds; gone for others with the next commit.
  ///
  /// Handles of what was removed cannot be used any more. Chunk files are deleted after the commit.
  /// - Throws: `not_found`, `read_only`, `invalid_name` for the root. Committing throws `conflict` when
  ///   another writer changed what is removed.
  public func remove(_ path: NodePath) throws(HyperslabError) {
    let session = try writing()
    guard path != .root else {
      throw HyperslabError(
        .invalidName, "the root group cannot be removed", at: self.path.string,
        remedy: "Remove the store's directory")
    }
    let path = spelledAsStored(path)
    guard contains(path) else { throw notFound(path) }
    let index = snapshot.index
    try session.withState { (state) throws(HyperslabError) -> Void in
      let isBelow = { (node: NodePath) in node == path || node.isDescendant(of: path) }
      for node in state.changes.datasets.keys.filter(isBelow) {
        // What it was to replace goes all the same.
        if let new = state.changes.datasets.removeValue(forKey: node), let id = new.replaces {
          state.changes.removed[node] = .init(id: id, commit: new.replacedCommit ?? 0)
        }
      }
      for node in state.changes.groups.keys.filter(isBelow) { state.changes.groups[node] = nil }
      for node in state.changes.attributes.keys.filter(isBelow) {
        state.changes.attributes[node] = nil
      }
      for node in state.slots.keys.filter(isBelow) { state.forgetSlot(node) }
      for node in index.nodes.keys.filter(isBelow) where state.changes.removed[node] == nil {
        let record = index.dataset(node)
        state.changes.removed[node] = .init(id: record?.id, commit: record?.commit ?? 0)
      }
      state.forgetNames()
    }
  }
}
