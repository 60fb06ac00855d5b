import HyperslabCore
import Synchronization

@testable import HyperslabFormat

/// Chunks that are put one at a time while something else goes on, until one fails.
final class PutsMeanwhile: Sendable {
  private struct State {
    var model: StoreContents.Dataset
    var next = 0
    var isInside = false
    var failure: (any Error)?
  }

  private let dataset: SlabDataset
  private let chunks: [ChunkIndex]
  private let start: Int32
  private let state: Mutex<State>

  init(
    _ dataset: SlabDataset, _ model: StoreContents.Dataset, _ chunks: [ChunkIndex], _ start: Int32
  ) {
    self.dataset = dataset
    self.chunks = chunks
    self.start = start
    state = Mutex(State(model: model))
  }

  private var count: Int { 3 * chunks.count }

  /// Puts the next chunk; does nothing inside of itself.
  func putNext() {
    let found = state.withLock { state -> (number: Int, model: StoreContents.Dataset)? in
      if state.isInside || state.next == count || state.failure != nil { return nil }
      state.isInside = true
      state.next += 1
      return (state.next - 1, state.model)
    }
    guard let number = found?.number, var model = found?.model else { return }
    let chunk = chunks[number % chunks.count]
    model.put(chunk, number % 4 == 3 ? 0 : start + 10 * Int32(number))
    var failure: (any Error)?
    do { try dataset.put(chunk, of: model) } catch { failure = error }
    state.withLock { state in
      state.isInside = false
      state.failure = failure
      if failure == nil { state.model = model }
    }
  }

  /// What the data set holds now.
  func finish() throws -> StoreContents.Dataset {
    let state = state.withLock { $0 }
    if let failure = state.failure { throw failure }
    guard state.next == count else {
      throw CrashCheck.Failure(description: "\(state.next) of \(count) chunks were put")
    }
    return state.model
  }
}
