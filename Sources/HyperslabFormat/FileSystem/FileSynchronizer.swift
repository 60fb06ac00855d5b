import Dispatch
import HyperslabCore
import Synchronization

/// Makes written files permanent on threads of its own, so that encoding goes on meanwhile.
final class FileSynchronizer: Sendable {
  private struct State {
    var next = 0
    var failure: HyperslabError?
  }

  private let queues: [DispatchQueue]
  private let group = DispatchGroup()
  private let places: DispatchSemaphore
  private let state = Mutex(State())

  /// - Parameter width: How many files at a time; 0 works on the caller's thread, in order.
  init(width: Int) {
    queues = (0..<width).map { DispatchQueue(label: "hyperslab.synchronize.\($0)") }
    places = DispatchSemaphore(value: 4 * Swift.max(width, 1))
  }

  /// Takes over a written file: makes it permanent and closes it. Waits while too many are open.
  func add(_ file: any FileHandle) throws(HyperslabError) {
    if queues.isEmpty {
      try file.synchronize()
      return try file.close()
    }
    places.wait()
    let queue = state.withLock { state in
      state.next += 1
      return queues[state.next % queues.count]
    }
    queue.async(group: group) { [self] in
      do throws(HyperslabError) {
        try file.synchronize()
        try file.close()
      } catch {
        state.withLock { if $0.failure == nil { $0.failure = error } }
      }
      places.signal()
    }
  }

  /// Waits until every file handed over is permanent.
  ///
  /// - Throws: the first failure; it is never forgotten, since the file's contents are unknown.
  func wait() throws(HyperslabError) {
    group.wait()
    if let failure = state.withLock({ $0.failure }) { throw failure }
  }
}
