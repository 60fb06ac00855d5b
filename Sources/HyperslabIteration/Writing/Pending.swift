import Dispatch
import HyperslabCore
import Synchronization

/// What another thread is still at work on.
final class Pending<Value: Sendable>: Sendable {
  private let done = DispatchSemaphore(value: 0)
  private let result = Mutex<Result<Value, HyperslabError>?>(nil)

  func complete(_ value: Result<Value, HyperslabError>) {
    result.withLock { $0 = value }
    done.signal()
  }

  var isComplete: Bool { result.withLock { $0 != nil } }

  /// Waits for it, once; whoever asks is its only owner then.
  func wait() -> Result<Value, HyperslabError>? {
    done.wait()
    return result.withLock { value in
      defer { value = nil }
      return value
    }
  }
}
