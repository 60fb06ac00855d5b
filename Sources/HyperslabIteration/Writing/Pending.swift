import Dispatch
import HyperslabCore
import Synchronization

/// What another thread is still at work on.
final class Pending<Value: Sendable>: Sendable {
  private let done = DispatchSemaphore(value: 0)
  private let state = Mutex(State())

  private struct State {
    var isComplete = false
    var result: Result<Value, HyperslabError>?
  }

  /// What is told first counts; a store of somebody else's may say it twice.
  func complete(_ value: Result<Value, HyperslabError>) {
    let isFirst = state.withLock { state in
      if state.isComplete { return false }
      state = State(isComplete: true, result: value)
      return true
    }
    if isFirst { done.signal() }
  }

  var isComplete: Bool { state.withLock { $0.isComplete } }

  /// Waits for it, once; whoever asks is its only owner then.
  func wait() -> Result<Value, HyperslabError>? {
    done.wait()
    return state.withLock { state in
      defer { state.result = nil }
      return state.result
    }
  }
}
