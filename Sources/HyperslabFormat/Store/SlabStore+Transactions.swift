public import HyperslabCore

extension SlabStore {
  /// Runs one operation with changes of its own; see
  /// ``ChunkedStore/operation(on:appends:checkWanted:_:)``.
  ///
  /// - Throws: what `body` throws, with everything thrown away that was not committed; `conflict` where
  ///   this handle created, resized or removed the data set and has not committed that: the operation does
  ///   not see it, and only one of both could be committed. To append to one created so is `not_found`.
  public func operation<R>(
    on path: NodePath, appends: Bool, checkWanted: () throws(HyperslabError) -> Void,
    _ body: (SlabStore) throws(HyperslabError) -> R
  ) throws(HyperslabError) -> R {
    let own = try writing()
    // A part of a transaction is published with the whole of it.
    if role != .direct {
      do throws(HyperslabError) {
        if role == .transaction, let failure = own.state.withLock({ $0.failure }) { throw failure }
        return try own.part { () throws(HyperslabError) in
          if appends { try own.standInLine(path, checkWanted) }
          guard role == .transaction, appends else { return try body(self) }
          return try own.inTurn(path, checkWanted) { () throws(HyperslabError) in
            try body(SlabStore(opened, own, role: .appending))
          }
        }
      } catch {
        if role == .transaction { own.fail(error) }
        throw error
      }
    }
    if let change = own.state.withLock({ $0.uncommittedChange(of: path) }) {
      throw HyperslabError(
        appends && change == .created ? .notFound : .conflict,
        "\(change.rawValue) through this handle, and not committed", at: "\(self.path)/\(path)",
        remedy: "Call commit() first, or do both in one transaction")
    }
    let changes = ChangeSet(opened, own.session, view: try opened.newest())
    defer { changes.leaveLines() }
    if appends { try changes.standInLine(path, checkWanted) }
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
  /// processes do. One sees the commit that it began with; where an append finds a later one, having waited
  /// for its turn, it goes on with that, if nothing of what it has looked at is another there, else it is a
  /// `conflict`. Data sets are opened through the handle; what was opened before writes elsewhere.
  /// What is written is kept in files until the end, not in memory. What the transaction has appended to,
  /// others append to when it is over: `body` must not wait for a thread that does.
  ///
  /// All of it or nothing: `body` waits for every write, append and task that it starts on the handle. If
  /// one still runs when `body` returns, nothing is published, the transaction throws `unfinished` at once,
  /// and what runs ends with `closed`.
  /// - Throws: what `body` throws; what ``commit()`` throws, and `unfinished`, with nothing published. An
  ///   operation that failed inside spoils the transaction, also where `body` goes on.
  public func transaction<R>(_ body: (SlabStore) throws -> R) throws -> R {
    let own = try writing()
    if role == .transaction {
      do {
        try own.beginPart()
        let outcome = Result { try body(self) }
        try own.endPart()
        return try outcome.get()
      } catch {
        own.fail(Self.spoiled(error, at: path.string))
        throw error
      }
    }
    let changes = ChangeSet(opened, own.session, view: try opened.newest())
    defer { changes.leaveLines() }
    defer { changes.discard(newest: nil) }
    let result = try own.session.appenders.inside(changes.number) {
      try body(SlabStore(opened, changes, role: .transaction))
    }
    try SlabStore(opened, changes, role: .operation).commit(closing: false, ending: true)
    return result
  }

  private static func spoiled(_ error: any Error, at place: String) -> HyperslabError {
    error as? HyperslabError
      ?? HyperslabError(
        .cancelled, "a part of the transaction failed: \(error)", at: place,
        remedy: "Nothing of it was published; begin another", cause: error)
  }
}

extension ChangeSet {
  /// Waits until the operations have ended that began to append to a data set before. Where those wait for
  /// this one, to append to another data set, a conflict decides.
  ///
  /// - Throws: `conflict` where those go on only when this thread returns; what `checkWanted` throws.
  func standInLine(
    _ path: NodePath, _ checkWanted: () throws(HyperslabError) -> Void
  ) throws(HyperslabError) {
    let isInLine = state.withLock { state in
      state.appended.insert(path)
      return state.lines.contains(path)
    }
    if isInLine { return }
    let turn = try session.appenders.enter(path, number) { () throws(HyperslabError) in
      try checkStillWanted(checkWanted)
    }
    switch turn {
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
    try follow()
  }

  private func waitsForItself(_ path: NodePath) -> HyperslabError {
    HyperslabError(
      .conflict, "what appends to this data set already goes on only when this returns",
      at: "\(session.files.rootDescription)/\(path)",
      remedy: "Append after it, or in a transaction through the handle that it gives")
  }

  /// Neither cancelled nor, by now, a part of what is over.
  private func checkStillWanted(
    _ checkWanted: () throws(HyperslabError) -> Void
  ) throws(HyperslabError) {
    try checkWanted()
    try state.withLock { (state) throws(HyperslabError) in try check(state) }
  }

  /// Lets the appends of one transaction to a data set follow one another, whichever threads make them.
  func inTurn<R>(
    _ path: NodePath, _ checkWanted: () throws(HyperslabError) -> Void,
    _ body: () throws(HyperslabError) -> R
  ) throws(HyperslabError) -> R {
    let turn = session.newNumber()
    let outcome = try appends.enter(path, turn) { () throws(HyperslabError) in
      try checkStillWanted(checkWanted)
    }
    if outcome == .itself { throw waitsForItself(path) }
    defer { if outcome == .has { appends.leave(path) } }
    return try appends.inside(turn, body)
  }

  /// Goes by what has been committed while this stood in line.
  ///
  /// - Throws: `conflict` where that is not what the transaction has looked at before.
  private func follow() throws(HyperslabError) {
    let newest = opened.snapshot
    try state.withLock { (state) throws(HyperslabError) in
      guard let view = state.view, view.index.commit < newest.index.commit else { return }
      try state.move(to: newest)
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
