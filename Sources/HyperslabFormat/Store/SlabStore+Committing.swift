public import HyperslabCore

extension SlabStore {
  /// Makes everything written through this handle so far durable and visible, all or nothing; what other
  /// writes, appends and transactions have not finished is no part of it. In a transaction it does
  /// nothing: that commits at its end.
  ///
  /// - Throws: `conflict` when another writer wrote a chunk or node first, with nothing published
  ///   and the changes kept. Where the disk failed or is full and nothing of the commit is left on it, what
  ///   was written through this handle since its last commit is lost, and the same error comes again until
  ///   ``reload()``; other writes and transactions go on. Where it cannot be known what the disk holds, after
  ///   a failed fsync of a directory or a failure once the new index was under way, everything in this store
  ///   throws `poisoned` until it is closed and opened again.
  public func commit() throws(HyperslabError) {
    if isInTransaction { return }
    try commit(closing: false)
  }

  /// Begins ``commit()`` on a thread of its own, so that chunks are encoded while the disk is waited for;
  /// everything but writing chunks waits until it is over.
  public func beginCommit(
    completion: @escaping @Sendable (Result<Void, HyperslabError>) -> Void
  ) {
    if isInTransaction { return completion(.success(())) }
    let sealed: ChangeSet.Sealed?
    do throws(HyperslabError) {
      guard let found = try writing().seal(closing: false) else { return completion(.success(())) }
      sealed = found
    } catch { return completion(.failure(error)) }
    guard let sealed, let session else { return }
    session.scheduling.start { [self] in
      do throws(HyperslabError) {
        try publish(sealed, closing: false)
        completion(.success(()))
      } catch { completion(.failure(error)) }
    }
  }

  /// Whether other processes may write at the same time: not into a store whose commits an unclean
  /// end of the system can take back.
  public var isShareable: Bool { session.map { $0.durability == .full } ?? false }

  /// Forgets everything written through this handle since its last commit and looks at what other writers
  /// have committed; data sets must be opened again. The way on after a `conflict`.
  ///
  /// - Throws: `read_only`, `closed`, `poisoned`, and what opening a store throws.
  public func reload() throws(HyperslabError) {
    let changes = try writing()
    guard !isInTransaction else {
      throw HyperslabError(
        .invalidValue, "a transaction sees one commit", at: path.string,
        remedy: "Let it end with an error and begin another")
    }
    // Not before a commit is over that is being made.
    try changes.withState { (_) throws(HyperslabError) -> Void in }
    _ = try opened.refresh()
    changes.discard(newest: opened.snapshot)
  }

  /// Commits, finishes what is pending and ends the session; a store opened for reading just closes.
  /// Writes and transactions that go on in other threads end with `closed`.
  ///
  /// Whoever closes it a second time does not wait for that.
  /// - Throws: what ``commit()`` throws; the last commit stands all the same.
  public func close() throws(HyperslabError) {
    guard let session, let changes else { return }
    guard role == .direct else {
      throw HyperslabError(
        .invalidValue, "a transaction ends by itself", at: path.string,
        remedy: "Close the store's own handle")
    }
    guard session.close() else { return }
    defer {
      // What the disk says now, whatever became of this session's last commit.
      session.removeDirectory(newest: (try? Snapshot.read(files, cache: cache))?.index)
    }
    let hasChanges = changes.state.withLock { !$0.isEmpty }
    if opened.snapshot.index.state != "complete" || hasChanges {
      if hasChanges { try commit(closing: true) }
      // One more index says that nobody is at work, and that what a commit left pending is settled. Where
      // that cannot be written, all was committed: the next writer does it, as after a writer that died.
      if opened.snapshot.index.state != "complete" { try? commit(closing: true) }
      try? Recovery(
        files: files, durability: session.durability, cache: cache, patience: session.patience
      ).sweepTrash()
    }
  }

  /// - Parameter ending: Whether it is the end of the transaction that this handle is for.
  func commit(closing: Bool, ending: Bool = false) throws(HyperslabError) {
    guard let sealed = try writing().seal(closing: closing, ending: ending) else { return }
    try publish(sealed, closing: closing)
  }

  /// Publishes sealed changes, after those that other operations of this session began to publish before.
  private func publish(_ sealed: ChangeSet.Sealed, closing: Bool) throws(HyperslabError) {
    let changes = try writing()
    let session = changes.session
    do throws(HyperslabError) {
      try session.enter(closing: closing)
      defer { session.leave() }
      try session.prepareDirectory()
      let sealed = try changes.settleNames(sealed)
      let namesArePermanent: Bool
      var isEverythingUnsure = false
      do throws(HyperslabError) {
        namesArePermanent = try changes.synchronizer.wait(&isEverythingUnsure)
      } catch {
        // Never tried again: nobody knows what the files hold. They are nobody else's, unless the file
        // system was asked about all at once: it tells of a failure only once.
        if isEverythingUnsure { session.poison(error) } else { changes.fail(lost(error)) }
        throw error
      }
      // A number of its own: the changes of one handle are published more than once.
      session.publications.enter(.next, session.newNumber())
      defer { session.publications.leave(.next) }
      try session.check(closing: closing)
      let step = CommitProtocol(
        files: files, durability: session.durability, writer: session.writer, cache: cache,
        patience: session.patience, movesDirectories: sealed.isWhole,
        namesArePermanent: namesArePermanent, adopting: session.adopting.withLock { $0 },
        taken: session.taken.withLock { $0 }, settled: session.settled.withLock { $0 })
      var aftermath = CommitProtocol.Aftermath()
      defer { session.note(aftermath) }
      do throws(HyperslabError) {
        let snapshot = try step.run(
          sealed.changes, base: changes.state.withLock { $0.base }, closing: closing,
          aftermath: &aftermath)
        opened.publish(snapshot)
        changes.published(snapshot)
      } catch {
        if aftermath.isSpent { changes.fail(lost(error)) }
        throw error
      }
    } catch {
      changes.unseal()
      throw error
    }
  }

  /// What is told of changes from now on that can never be published.
  private func lost(_ error: HyperslabError) -> HyperslabError {
    guard role == .direct else { return error }
    var error = error
    error.remedy =
      "What was written through this handle since its last commit is lost: call reload() to go on, and write it again"
    return error
  }
}
