import Dispatch
public import HyperslabCore

extension SlabStore {
  /// Makes everything written so far permanent and visible, all or nothing.
  ///
  /// - Throws: `conflict` when another writer wrote a chunk or node first, with nothing published
  ///   and this session's changes kept; after any other failure the store must be opened again.
  public func commit() throws(HyperslabError) {
    try commit(closing: false)
  }

  /// Begins ``commit()`` on a thread of its own, so that chunks are encoded while the disk is waited for;
  /// everything but writing chunks waits until it is over.
  public func beginCommit(
    completion: @escaping @Sendable (Result<Void, HyperslabError>) -> Void
  ) {
    let began = DispatchSemaphore(value: 0)
    // The session's lock sees to the order of commits.
    DispatchQueue.global().async { [self] in
      do throws(HyperslabError) {
        try commit(closing: false, began: { began.signal() })
        completion(.success(()))
      } catch { completion(.failure(error)) }
      // Where there was nothing to commit, or no way to begin.
      began.signal()
    }
    began.wait()
  }

  /// Whether other processes may write at the same time: not into a store whose commits an unclean
  /// end of the system can take back.
  public var isShareable: Bool { session.map { $0.durability == .full } ?? false }

  /// Forgets everything written since the last commit and looks at what other writers have
  /// committed; data sets must be opened again. The way on after a `conflict`.
  ///
  /// - Throws: `read_only`, `closed`, `poisoned`, and what opening a store throws.
  public func reload() throws(HyperslabError) {
    let session = try writing()
    try session.withState { (state) throws(HyperslabError) -> Void in
      // Not before a commit is over that is being made.
      let newest = try Snapshot.read(files, cache: cache)
      session.forgetChanges(&state, newest: newest.index)
      publish(newest)
    }
  }

  /// Commits, finishes what is pending and ends the session; a store opened for reading just closes.
  ///
  /// Whoever closes it a second time does not wait for that.
  /// - Throws: what ``commit()`` throws; the last commit stands all the same.
  public func close() throws(HyperslabError) {
    guard let session else { return }
    let wasClosed = session.state.withLock { state in
      defer { state.isClosed = true }
      return state.isClosed
    }
    if wasClosed { return }
    defer {
      // What the disk says now, whatever became of this session's last commit.
      let newest = (try? Snapshot.read(files, cache: cache))?.index
      session.state.withLock { session.removeStaging(&$0, newest: newest) }
    }
    if snapshot.index.state != "complete" || session.state.withLock({ !$0.changes.isEmpty }) {
      try commit(closing: true)
      // What the commit itself left pending is settled now; one more index says so.
      if snapshot.index.hasPending { try commit(closing: true) }
      try? Recovery(
        files: files, durability: session.durability, cache: cache, patience: session.patience
      ).sweepTrash()
    }
  }

  /// - Parameter began: Called once what is written belongs to the next commit, if one is made.
  private func commit(
    closing: Bool, began: () -> Void = {}
  ) throws(HyperslabError) {
    let session = try writing()
    try session.withState(closing: closing) { (state) throws(HyperslabError) -> Void in
      if state.changes.isEmpty && !closing { return }
      try session.prepareStaging(&state)
      // Whoever writes while the session ends is to find it closed.
      let holdsOnlyChanges = session.seal(state, isOpen: !closing)
      defer { session.unseal(&state) }
      began()
      let namesArePermanent = try session.synchronizeStaged(&state)
      let step = CommitProtocol(
        files: files, durability: session.durability, writer: session.writer, cache: cache,
        patience: session.patience, movesDirectories: holdsOnlyChanges,
        namesArePermanent: namesArePermanent, adopting: session.adopting.withLock { $0 },
        noteStuck: { stuck in session.stuck.withLock { $0 = stuck } })
      var doubt: HyperslabError?
      defer { if let doubt { state.poison = doubt } }
      let snapshot = try step.run(
        state.changes, base: state.base, closing: closing, doubt: &doubt)
      state.noteCreated(in: snapshot.index)
      state.beginBatch(on: snapshot.index)
      publish(snapshot)
    }
  }
}
