import HyperslabCore

/// What runs as a part of changes that are published together. A transaction that ends before a part of
/// it has ended is published with none of it.
extension ChangeSet {
  /// Runs a part.
  ///
  /// - Parameter isWhole: Whether a commit waits for it, lest it publish half of it.
  /// - Throws: what `body` throws; `closed` where the changes were thrown away or published before or
  ///   meanwhile, since then it did not become a part of them.
  func part<R>(
    isWhole: Bool = false, _ body: () throws(HyperslabError) -> R
  ) throws(HyperslabError) -> R {
    try beginPart(isWhole: isWhole)
    let outcome: Result<R, HyperslabError>
    do throws(HyperslabError) { outcome = .success(try body()) } catch { outcome = .failure(error) }
    try endPart(isWhole: isWhole)
    return try outcome.get()
  }

  func beginPart(isWhole: Bool = false) throws(HyperslabError) {
    try state.withLock { (state) throws(HyperslabError) in
      if state.isOver { throw overError }
      state.parts += 1
      if isWhole { state.wholeParts += 1 }
    }
  }

  func endPart(isWhole: Bool = false) throws(HyperslabError) {
    let isOver = state.withLock { state in
      state.parts -= 1
      if isWhole { state.wholeParts -= 1 }
      return state.isOver
    }
    if isWhole { session.scheduling.wake() }
    if isOver {
      throw HyperslabError(
        .closed, "the write or transaction that this was a part of ended first, without it",
        at: files.rootDescription,
        remedy: "Wait in the transaction for all that it starts, or use the store's own handle")
    }
  }

  var overError: HyperslabError {
    HyperslabError(
      .closed, "the write or transaction is over", at: files.rootDescription,
      remedy: "Use the store's own handle")
  }

  func unfinished(_ count: Int) -> HyperslabError {
    HyperslabError(
      .unfinished, "the transaction ended while parts of it still ran; nothing of it was published",
      at: files.rootDescription, found: "\(count) of them",
      remedy: "Wait in the transaction for every write, append and task that it starts")
  }
}
