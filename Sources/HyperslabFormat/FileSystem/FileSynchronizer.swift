import Dispatch
import HyperslabCore
import Synchronization

/// Fsyncs written files: a few on other threads, so that encoding goes on meanwhile, many together at the
/// end, where the file system can.
final class FileSynchronizer: Sendable {
  private struct State {
    /// Files since the last wait that are being made permanent.
    var group = DispatchGroup()
    /// How many there were; where there were many before it, more than that from the start.
    var count = 0
    /// Whether some of them wait to be made permanent together with all others.
    var isWaiting = false
    var failure: HyperslabError?
  }

  private let files: any FileSystem
  private let width: Int
  private let places: DispatchSemaphore
  private let state = Mutex(State())

  /// - Parameter width: Half of how many files at a time; 0 works on the caller's thread, in order.
  init(files: any FileSystem, width: Int) {
    self.files = files
    let width = Swift.min(width, Machine.openChunkLimit / 16)
    self.width = width
    places = DispatchSemaphore(value: 2 * Swift.max(width, 1))
  }

  /// Takes over a written file: makes it permanent, now or with all others, and closes it. Waits while
  /// too many are open.
  func add(_ file: any FileHandle) throws(HyperslabError) {
    let group = state.withLock { state -> DispatchGroup? in
      state.count += 1
      if files.synchronizesTogether(state.count) {
        state.isWaiting = true
        return nil
      }
      if width > 0 { state.group.enter() }
      return state.group
    }
    guard let group else {
      file.beginSynchronizing()
      return try file.close()
    }
    if width == 0 {
      try file.synchronize()
      return try file.close()
    }
    places.wait()
    Threads.run { [self] in
      do throws(HyperslabError) {
        try file.synchronize()
        try file.close()
      } catch {
        state.withLock { if $0.failure == nil { $0.failure = error } }
      }
      places.signal()
      group.leave()
    }
  }

  /// Waits until every file handed over so far is permanent; what others hand over meanwhile is for the
  /// next one who waits.
  ///
  /// - Parameter isEverythingUnsure: Set where the failure may be that of any file on the disk.
  /// - Returns: whether everything else on the disk, names too, is permanent with them.
  /// - Throws: the first failure; it is not forgotten before the files are, whose contents are unknown.
  func wait(_ isEverythingUnsure: inout Bool) throws(HyperslabError) -> Bool {
    let (group, isWaiting) = state.withLock { state in
      defer {
        state.group = DispatchGroup()
        state.count = state.isWaiting ? Int.max / 2 : 0
        state.isWaiting = false
      }
      return (state.group, state.isWaiting)
    }
    group.wait()
    if let failure = state.withLock({ $0.failure }) { throw failure }
    if isWaiting {
      isEverythingUnsure = true
      try files.synchronizeAll()
      isEverythingUnsure = false
    }
    return isWaiting
  }

  /// Forgets all files that were handed over: somebody threw them away.
  func forget() {
    let group = state.withLock { $0.group }
    group.wait()
    state.withLock { state in
      state.group = DispatchGroup()
      state.count = 0
      state.isWaiting = false
      state.failure = nil
    }
  }
}
