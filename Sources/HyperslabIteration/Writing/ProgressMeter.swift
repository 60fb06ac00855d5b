import HyperslabCore
import Synchronization

/// Counts bytes from many threads and reports them, one report at a time, so that no observer ever
/// sees a number fall.
final class ProgressMeter: Sendable {
  private struct State {
    var committed = 0
    var lastReport: ContinuousClock.Instant
  }

  private let total: Int
  private let skipped: Int
  private let start = ContinuousClock.now
  private let written: Atomic<Int>
  private let state: Mutex<State>
  private let observer: (@Sendable (WriteProgress) -> Void)?

  /// - Parameter skipped: Bytes that are committed already.
  init(total: Int, skipped: Int = 0, observer: (@Sendable (WriteProgress) -> Void)?) {
    self.total = total
    self.skipped = skipped
    self.observer = observer
    written = Atomic(skipped)
    state = Mutex(State(committed: skipped, lastReport: start))
  }

  /// Counts bytes that a thread has given to the store; reports now and then.
  func add(written byteCount: Int) {
    written.wrappingAdd(byteCount, ordering: .relaxed)
    guard let observer else { return }
    // Whoever finds another thread reporting has nothing to add.
    _ = state.withLockIfAvailable { state in
      let now = ContinuousClock.now
      guard now - state.lastReport >= .milliseconds(100) else { return }
      report(&state, now, observer)
    }
  }

  /// The bytes counted so far.
  var writtenByteCount: Int { written.load(ordering: .relaxed) }

  /// Reports that so many of the bytes counted have been committed.
  func note(committed byteCount: Int) {
    state.withLock { state in
      state.committed = byteCount
      if let observer { report(&state, .now, observer) }
    }
  }

  private func report(
    _ state: inout State, _ now: ContinuousClock.Instant,
    _ observer: @Sendable (WriteProgress) -> Void
  ) {
    state.lastReport = now
    let progress = WriteProgress(
      committedByteCount: state.committed, writtenByteCount: writtenByteCount,
      skippedByteCount: skipped, totalByteCount: total, elapsed: now - start)
    ObserverThreads.run { observer(progress) }
  }
}
