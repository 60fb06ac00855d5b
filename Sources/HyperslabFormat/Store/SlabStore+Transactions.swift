public import HyperslabCore

extension SlabStore {
  /// Runs one operation with changes of its own; see ``ChunkedStore/operation(appendingTo:_:)``.
  ///
  /// - Throws: what `body` throws, with everything thrown away that was not committed.
  public func operation<R>(
    appendingTo path: NodePath?, _ body: (SlabStore) throws(HyperslabError) -> R
  ) throws(HyperslabError) -> R {
    let own = try writing()
    // A part of a transaction is published with the whole of it.
    if role != .direct {
      if let path { own.standInLine(path) }
      do throws(HyperslabError) { return try body(self) } catch {
        if role == .transaction { own.fail(error) }
        throw error
      }
    }
    if let path, own.state.withLock({ $0.created(path) }) != nil {
      throw HyperslabError(
        .notFound, "created by this handle, and not committed", at: "\(self.path)/\(path)",
        remedy: "Call commit() first, or do both in one transaction")
    }
    let changes = ChangeSet(opened, own.session, follows: false)
    defer { changes.leaveLines() }
    if let path { changes.standInLine(path) }
    defer { changes.discard(newest: nil) }
    return try body(SlabStore(opened, changes, role: .operation))
  }

  /// Makes several changes one commit: all that `body` does through the handle that it is given becomes
  /// durable and visible when it returns, or nothing of it when it throws.
  ///
  ///     try store.transaction { store in
  ///       try store.append(samples, to: "raw")
  ///       try store.append(times, to: "time")
  ///       try store.setAttribute("last", .string(name), of: NodePath("raw"))
  ///     }
  ///
  /// Transactions of one session meet each other, and its writes and appends, as those of different
  /// processes do. Data sets are opened through the handle; what was opened before writes elsewhere.
  /// What is written is kept in files until the end, not in memory.
  /// - Throws: what `body` throws; what ``commit()`` throws, with nothing published. An operation that
  ///   failed inside spoils the transaction, also where `body` goes on.
  public func transaction<R>(_ body: (SlabStore) throws -> R) throws -> R {
    let own = try writing()
    if role == .transaction {
      do { return try body(self) } catch {
        own.fail(Self.spoiled(error, at: path.string))
        throw error
      }
    }
    let changes = ChangeSet(opened, own.session, follows: false)
    defer { changes.leaveLines() }
    defer { changes.discard(newest: nil) }
    let result = try body(SlabStore(opened, changes, role: .transaction))
    try SlabStore(opened, changes, role: .operation).commit()
    return result
  }

  private static func spoiled(_ error: any Error, at place: String) -> HyperslabError {
    error as? HyperslabError
      ?? HyperslabError(.cancelled, "a part of the transaction failed: \(error)", at: place)
  }
}

extension ChangeSet {
  /// Waits until the operations have ended that began to append to a data set before. Where those wait for
  /// this one, to append to another data set, a conflict decides.
  func standInLine(_ path: NodePath) {
    if state.withLock({ $0.lines.contains(path) }) { return }
    guard session.appenders.enter(path, number) else { return }
    state.withLock { $0.lines.append(path) }
    follow()
  }

  /// Goes by what has been committed while this stood in line; what it did before is still held against
  /// the commit that it was done on.
  private func follow() {
    let newest = opened.snapshot
    state.withLock { state in
      guard let view = state.view, view.index.commit < newest.index.commit else { return }
      state.view = newest
      state.epoch += 1
    }
  }

  func leaveLines() {
    let lines = state.withLock { state in
      defer { state.lines = [] }
      return state.lines
    }
    for path in lines { session.appenders.leave(path) }
  }
}
