import HyperslabCore

extension ChangeSet {
  /// Takes what was done so far as the changes to publish; what is done from now on is for the next commit.
  ///
  /// - Parameters:
  ///   - closing: Whether it is what the session ends with: then even no changes are published.
  ///   - ending: Whether it is what a transaction ends with: nothing is done to it any more.
  /// - Returns: nil where there is nothing to publish.
  /// - Throws: why the changes must not be published; `unfinished` where a part of a transaction runs.
  func seal(closing: Bool, ending: Bool = false) throws(HyperslabError) -> Sealed? {
    try withState(closing: closing, isWhole: !ending) {
      (state) throws(HyperslabError) -> Sealed? in
      if ending {
        state.isOver = true
        if state.parts > 0 { throw state.failure ?? unfinished(state.parts) }
        if let failure = state.failure { throw failure }
      }
      if state.changes.isEmpty && !closing { return nil }
      if let failure = state.failure { throw failure }
      if state.view != nil {
        for (slot, dataset) in state.changes.slots where !state.appended.contains(dataset.path) {
          state.changes.slots[slot]?.followsHandle = false
        }
      }
      let sealed = Sealed(
        changes: state.changes, batch: state.batch,
        isWhole: state.encoding[state.batch] == nil && !state.strays.contains(state.batch))
      state.sealed = sealed
      state.changes = Changes()
      state.batch += 1
      state.epoch += 1
      return sealed
    }
  }

  /// Gives staged files the names that the commit will look for.
  ///
  /// - Returns: the changes by those names.
  func settleNames(_ sealed: Sealed) throws(HyperslabError) -> Sealed {
    var sealed = sealed
    defer {
      state.withLock { state in
        state.sealed = sealed
        state.epoch += 1
      }
    }
    var emptied: Set<StorePath> = []
    for (slot, dataset) in sealed.changes.slots {
      for (chunk, row) in dataset.rows where row.batch != sealed.batch || row.copy != 0 {
        if row.row.state == .stored {
          let from = row.file(writer: writer, slot: slot, chunk: chunk)
          let to = StoreLayout.staged(
            writer: writer, slot: slot, chunk: chunk, batch: sealed.batch)
          // Somebody may still be writing to a file of that name, which then belongs to the next batch, or
          // be about to remove it.
          let place = Place(slot: slot, chunk: chunk, batch: sealed.batch)
          session.scheduling.wait {
            state.withLock { !$0.reserved.contains(place) && !$0.removing.contains(place) }
          }
          _ = try files.makeDirectories(to.parent)
          try files.rename(from, to: to)
          emptied.insert(from.parent)
        }
        sealed.changes.slots[slot]?.rows[chunk]?.batch = sealed.batch
        sealed.changes.slots[slot]?.rows[chunk]?.copy = 0
      }
    }
    files.removeEmptied(emptied, below: StoreLayout.staging(writer: writer))
    return sealed
  }

  /// Goes on from a commit that stands.
  func published(_ snapshot: Snapshot) {
    let (base, beside, refused) = state.withLock { state -> (StoreIndex, [Place], Set<StorePath>) in
      guard let sealed = state.sealed else { return (state.base, [], []) }
      let base = state.base
      // What is staged now goes to directories of another batch.
      let refused = state.refused.filter {
        $0.value < state.batch && state.encoding[$0.value] == nil
      }
      for directory in refused.keys { state.refused[directory] = nil }
      for path in sealed.changes.datasets.keys {
        if let slot = state.slots[path] { state.ids[slot] = snapshot.index.dataset(path)?.id }
      }
      state.sealed = nil
      state.base = snapshot.index
      if state.view != nil { state.view = snapshot }
      state.epoch += 1
      state.strays = state.strays.filter { $0 >= state.batch }
      var beside: [Place] = []
      for (slot, dataset) in state.changes.slots {
        for chunk in dataset.rows.keys where sealed.changes.slots[slot]?.rows[chunk] == nil {
          beside.append(Place(slot: slot, chunk: chunk, batch: state.batch))
        }
      }
      return (base, beside, Set(refused.keys))
    }
    session.scheduling.wake()
    files.removeEmptied(refused, below: StoreLayout.staging(writer: writer))
    checkUntouched(beside, since: base, in: snapshot)
  }

  /// What was staged beside a commit was made against the index before it: of its chunks that the commit
  /// did not write, nobody else may have written one in between.
  private func checkUntouched(_ chunks: [Place], since base: StoreIndex, in snapshot: Snapshot) {
    // Nobody came between.
    if snapshot.index.commit == base.commit + 1 { return }
    for place in chunks {
      let (path, staged) = state.withLock { state in
        let dataset = state.changes.slots[place.slot]
        return (dataset?.path, dataset?.rows[place.chunk]?.row)
      }
      guard let path, let old = base.dataset(path), let new = snapshot.index.dataset(path),
        old.id == new.id
      else { continue }
      let before = try? snapshot.table(old).row(place.chunk)
      let now = try? snapshot.table(new).row(place.chunk)
      if let now, before == now || staged == now { continue }
      state.withLock { state in
        state.failure = CommitPlan.conflict("another writer wrote chunk \(place.chunk)", path)
      }
      return
    }
  }

  /// Takes back what could not be published; what was staged meanwhile comes on top.
  func unseal() {
    let unneeded = state.withLock { state -> [Changes.StagedChunk] in
      guard let sealed = state.sealed else { return [] }
      var changes = sealed.changes
      let unneeded = changes.absorb(state.changes)
      state.changes = changes
      state.sealed = nil
      state.epoch += 1
      return unneeded
    }
    session.scheduling.wake()
    remove(unneeded)
  }

  /// Throws away what was not published, with its files; handles opened before write no more.
  ///
  /// - Parameter newest: What is done next is made against; nil where nothing may be done any more.
  func discard(newest: Snapshot?) {
    if newest != nil { synchronizer.forget() }
    let (directories, refused) = state.withLock { state -> (Set<StorePath>, Set<StorePath>) in
      var unneeded: Set<StorePath> = []
      for (slot, dataset) in state.changes.slots {
        for (chunk, row) in dataset.rows where row.row.state == .stored {
          let directory = StoreLayout.stagedChunks(writer: writer, slot: slot, batch: row.batch)
          unneeded.insert(
            row.copy == 0 ? directory : row.file(writer: writer, slot: slot, chunk: chunk))
        }
      }
      state.changes = Changes()
      state.slots = [:]
      state.failure = nil
      state.batch += 1
      state.epoch += 1
      state.names.forget()
      if let newest {
        state.base = newest.index
        if state.view != nil { state.view = newest }
      } else {
        state.isOver = true
      }
      defer { state.refused = [:] }
      return (unneeded, Set(state.refused.keys))
    }
    session.scheduling.wake()
    for path in directories { try? files.removeTree(path) }
    files.removeEmptied(refused, below: StoreLayout.staging(writer: writer))
  }

  /// Marks changes of which a part failed: they must not be published.
  func fail(_ error: HyperslabError) {
    state.withLock { if $0.failure == nil { $0.failure = error } }
  }
}
