import HyperslabCore

extension ChangeSet.State {
  /// Remembers the attributes that a node had when it was first looked at.
  mutating func noteSeen(_ path: NodePath, in index: StoreIndex) {
    guard changes.seenAttributes[path] == nil else { return }
    changes.seenAttributes[path] = index.attributes(of: path, id: index.dataset(path)?.id)
  }

  /// Lets an operation that sees one commit see a later one from now on. Nobody can tell that from having begun
  /// with the later one, unless something that it has looked at is another there.
  ///
  /// - Throws: `conflict`, naming what.
  mutating func move(to newest: Snapshot) throws(HyperslabError) {
    guard let view else { return }
    if let (path, what) = changedSinceSeen(from: view.index, to: newest.index) {
      throw HyperslabError(
        .conflict, "another writer \(what)", at: "\(path)", remedy: "Begin the transaction again")
    }
    self.view = newest
    epoch += 1
  }

  /// A node that has been looked at and is another in a later index. Of nodes that were not there, or were
  /// listed, nobody knows which; so where any has been looked for, none may come or go.
  private func changedSinceSeen(from old: StoreIndex, to new: StoreIndex) -> (NodePath, String)? {
    let changed = "changed what the transaction has looked at"
    if old.uuid != new.uuid { return (.root, changed) }
    if hasLookedUp {
      let what = "created, replaced or removed a node, and the transaction has looked for nodes"
      for path in old.nodes.keys where old.owner(of: path) != new.owner(of: path) {
        return (path, what)
      }
      for path in new.nodes.keys where old.owner(of: path) == nil { return (path, what) }
    }
    let read = slots.filter { changes.seenSlots.contains($0.value) }.map(\.key)
    for path in read + changes.seenAttributes.keys {
      let (before, after) = (old.dataset(path), new.dataset(path))
      if before?.id != after?.id || before?.commit != after?.commit { return (path, changed) }
    }
    for (path, seen) in changes.seenAttributes {
      if new.attributes(of: path, id: new.dataset(path)?.id) != seen { return (path, changed) }
    }
    return nil
  }
}
