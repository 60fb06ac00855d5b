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
      if let path { try own.standInLine(path) }
      do throws(HyperslabError) {
        guard role == .transaction, let path else { return try body(self) }
        return try own.inTurn(path) { () throws(HyperslabError) in try body(self) }
      } catch {
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
    if let path { try changes.standInLine(path) }
    defer { changes.discard(newest: nil) }
    return try own.session.appenders.inside(changes.number) { () throws(HyperslabError) in
      try body(SlabStore(opened, changes, role: .operation))
    }
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
  /// What is written is kept in files until the end, not in memory. What the transaction has appended to,
  /// others append to when it is over: `body` must not wait for a thread that does.
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
    let result = try own.session.appenders.inside(changes.number) {
      try body(SlabStore(opened, changes, role: .transaction))
    }
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
  ///
  /// - Throws: `conflict` where those go on only when this thread returns.
  func standInLine(_ path: NodePath) throws(HyperslabError) {
    if state.withLock({ $0.lines.contains(path) }) { return }
    switch session.appenders.enter(path, number) {
    case .has: break
    case .ring: return
    case .itself: throw waitsForItself(path)
    }
    let failure = state.withLock { state -> HyperslabError? in
      do throws(HyperslabError) { try check(state) } catch { return error }
      state.lines.append(path)
      return nil
    }
    if let failure {
      session.appenders.leave(path)
      throw failure
    }
    follow()
  }

  private func waitsForItself(_ path: NodePath) -> HyperslabError {
    HyperslabError(
      .conflict, "what appends to this data set already goes on only when this returns",
      at: "\(session.files.rootDescription)/\(path)",
      remedy: "Append after it, or in a transaction through the handle that it gives")
  }

  /// Lets the appends of one transaction to a data set follow one another, whichever threads make them.
  func inTurn<R>(
    _ path: NodePath, _ body: () throws(HyperslabError) -> R
  ) throws(HyperslabError) -> R {
    let turn = session.newNumber()
    let outcome = appends.enter(path, turn)
    if outcome == .itself { throw waitsForItself(path) }
    defer { if outcome == .has { appends.leave(path) } }
    return try appends.inside(turn, body)
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
