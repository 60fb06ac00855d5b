import Dispatch
import HyperslabCore
import Synchronization

/// A store whose commits go on until somebody ends them.
final class SlowCommits: Sendable {
  struct State {
    var pending: WatchedStore.Completion?
    var begun = 0
    var mostAtOnce = 0
    var chunksAtBegin: [Int] = []
    var chunks = 0
  }
  let state = Mutex(State())

  func begin(_ completion: @escaping WatchedStore.Completion) {
    state.withLock { state in
      state.mostAtOnce = Swift.max(state.mostAtOnce, state.pending == nil ? 1 : 2)
      state.pending = completion
      state.begun += 1
      state.chunksAtBegin.append(state.chunks)
    }
  }

  /// Ends the commit that is made, if one is.
  func end(_ result: Result<Void, HyperslabError> = .success(())) {
    let completion = state.withLock { state in
      defer { state.pending = nil }
      return state.pending
    }
    completion?(result)
  }

  /// A store whose commit ends with the first chunk of the next buffer, or after `total` chunks by
  /// itself.
  func store(chunks total: Int) -> WatchedStore {
    WatchedStore(
      onBegin: { [self] completion in
        begin(completion)
        if state.withLock({ $0.chunks }) == total {
          DispatchQueue(label: "last").async { self.end() }
        }
      },
      onChunk: { [self] _ in
        end()
        state.withLock { $0.chunks += 1 }
      })
  }
}
