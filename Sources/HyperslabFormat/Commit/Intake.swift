import HyperslabCore

/// Where threads that encode chunks leave them while a commit is made. It holds the session's lock for as
/// long as the disk takes, and they go on; what they stage meanwhile belongs to the next commit.
struct Intake: Sendable {
  /// What the session was when the commit began; nil while none is made.
  var sealed: WriterSession.State?
  /// What was staged since, by the writer's own number of the data set.
  var slots: [Int: Changes.Dataset] = [:]
  /// How many chunks are being encoded into files of the private directory.
  var encoding = 0
}

extension WriterSession {
  /// Begins a commit: what is staged from now on, until ``unseal(_:)``, is for the next one.
  ///
  /// - Parameter isOpen: Whether staging goes on meanwhile; it waits otherwise.
  /// - Returns: whether what is staged is no more than what the changes list.
  func seal(_ state: State, isOpen: Bool) -> Bool {
    intake.withLock { intake in
      if isOpen { intake.sealed = state }
      return intake.encoding == 0 && !state.hasStrays
    }
  }

  /// Takes over what was staged while a commit was made, whatever became of that.
  func unseal(_ state: inout State) {
    let slots = intake.withLock { intake in
      defer { intake.slots = [:] }
      intake.sealed = nil
      return intake.slots
    }
    // Nothing will be permanent any more.
    if state.poison != nil { return }
    do throws(HyperslabError) {
      for (slot, dataset) in slots {
        for (chunk, staged) in dataset.rows {
          let name = StoreLayout.staged(
            writer: writer, slot: slot, chunk: chunk, batch: staged.batch)
          var staged = staged
          staged.batch = state.batch
          try record(
            staged, at: name, chunk, slot, .init(path: dataset.path, opened: dataset.opened),
            &state.changes.slots)
        }
      }
    } catch { state.poison = error }
  }
}
