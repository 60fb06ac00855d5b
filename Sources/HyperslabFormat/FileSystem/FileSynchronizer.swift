import Dispatch
import HyperslabCore
import Synchronization

/// Makes written files permanent: a few on threads of its own, so that encoding goes on meanwhile, many
/// together at the end, where the file system can.
final class FileSynchronizer: Sendable {
  private struct State {
    /// Files since the last wait; where there were many before it, more than that from the start.
    var count = 0
    /// Whether some of them wait to be made permanent together with all others.
    var isWaiting = false
    var failure: HyperslabError?
  }

  private let files: any FileSystem
  private let queues: [DispatchQueue]
  private let group = DispatchGroup()
  private let places: DispatchSemaphore
  private let state = Mutex(State())

  /// - Parameter width: How many files at a time; 0 works on the caller's thread, in order.
  init(files: any FileSystem, width: Int) {
    self.files = files
    queues = (0..<width).map { DispatchQueue(label: "hyperslab.synchronize.\($0)") }
    places = DispatchSemaphore(value: 4 * Swift.max(width, 1))
  }

  /// Takes over a written file: makes it permanent, now or with all others, and closes it. Waits while
  /// too many are open.
  func add(_ file: any FileHandle) throws(HyperslabError) {
    let number = state.withLock { state in
      state.count += 1
      if files.synchronizesTogether(state.count) { state.isWaiting = true }
      return state.count
    }
    if files.synchronizesTogether(number) {
      file.beginSynchronizing()
      return try file.close()
    }
    if queues.isEmpty {
      try file.synchronize()
      return try file.close()
    }
    places.wait()
    queues[number % queues.count].async(group: group) { [self] in
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
    let (failure, isWaiting) = state.withLock { state in
      defer {
        state.count = state.isWaiting ? Int.max / 2 : 0
        state.isWaiting = false
      }
      return (state.failure, state.isWaiting)
    }
    if let failure { throw failure }
    if isWaiting { try files.synchronizeAll() }
  }
}
