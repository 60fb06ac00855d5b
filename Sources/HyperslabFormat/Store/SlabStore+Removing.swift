public import HyperslabCore

extension SlabStore {
  /// Removes a data set, or a group with all it holds; gone for others with the next commit.
  ///
  /// Handles of what was removed cannot be used any more. Chunk files are deleted after the commit.
  /// - Throws: `not_found`, `read_only`, `invalid_name` for the root. Committing throws `conflict` when
  ///   another writer changed what is removed.
  public func remove(_ path: NodePath) throws(HyperslabError) {
    let changes = try writing()
    guard path != .root else {
      throw HyperslabError(
        .invalidName, "the root group cannot be removed", at: self.path.string,
        remedy: "Remove the store's directory")
    }
    let path = spelledAsStored(path)
    let unneeded = try changes.withState {
      (state) throws(HyperslabError) -> [Changes.StagedChunk] in
      let index = state.snapshot(opened).index
      guard state.holds(path, in: index) else { throw notFound(path) }
      let isBelow = { (node: NodePath) in node == path || node.isDescendant(of: path) }
      for node in state.changes.datasets.keys.filter(isBelow) {
        // What it was to replace goes all the same.
        if let replaced = state.changes.datasets.removeValue(forKey: node)?.replaces {
          state.changes.removed[node] = replaced
        }
      }
      for node in state.changes.groups.keys.filter(isBelow) { state.changes.groups[node] = nil }
      for node in state.changes.attributes.keys.filter(isBelow) {
        state.changes.attributes[node] = nil
      }
      let unneeded = state.slots.keys.filter(isBelow).flatMap { state.forgetSlot($0, in: index) }
      for node in index.nodes.keys.filter(isBelow) where state.changes.removed[node] == nil {
        state.changes.removed[node] = state.removal(of: node, in: index)
      }
      state.names.forget()
      return unneeded
    }
    changes.remove(unneeded)
  }
}
