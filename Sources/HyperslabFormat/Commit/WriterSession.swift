import HyperslabCodecs
import HyperslabCore
import Synchronization

/// How much a commit outlives.
public enum Durability: String, Sendable, CaseIterable {
  /// A power cut: every step is made permanent before the next depends on it.
  case full
  /// A killed process, not a power cut; only for a store's first session.
  case fast
}

/// One writer's uncommitted work: what it changed, and its private directory of staged chunks.
///
/// Nothing reaches a chunk's final name before the store's lock is held and conflicts are checked.
final class WriterSession: Sendable {
  struct State {
    /// The index that the changes are made against.
    var base: StoreIndex
    var changes = Changes()
    /// Counts commits of this writer, so that staged names are never used twice.
    var batch = 0
    var slots: [NodePath: Int] = [:]
    /// Held while this writer lives, so that others leave its directory alone.
    var ownLock: (any FileLock)?
    /// After a failure in the middle of a commit nobody knows what the disk holds.
    var poison: HyperslabError?
    var isClosed = false
  }

  let writer = StoreLayout.newIdentifier()
  let files: any FileSystem
  let durability: Durability
  let state: Mutex<State>
  private let synchronizer: FileSynchronizer

  init(files: any FileSystem, base: StoreIndex, durability: Durability, synchronizerWidth: Int) {
    self.files = files
    self.durability = durability
    state = Mutex(State(base: base))
    synchronizer = FileSynchronizer(width: synchronizerWidth)
  }

  /// Runs `body` on the state of a session that can still write.
  func withState<R: Sendable>(
    _ body: (inout sending State) throws(HyperslabError) -> sending R
  ) throws(HyperslabError) -> R {
    try state.withLock { (state) throws(HyperslabError) -> sending R in
      if let poison = state.poison {
        throw HyperslabError(
          .poisoned, "an earlier failure left it unsure what the disk holds",
          at: files.rootDescription,
          remedy: "Close the store and open it again; it opens at its last commit", cause: poison)
      }
      if state.isClosed {
        throw HyperslabError(.closed, "the store is closed", at: files.rootDescription)
      }
      return try body(&state)
    }
  }

  /// The writer's own number of a data set.
  func slot(of path: NodePath) throws(HyperslabError) -> Int {
    try withState { state in
      if let slot = state.slots[path] { return slot }
      let slot = state.slots.count
      state.slots[path] = slot
      return slot
    }
  }

  /// The staged row of a chunk, if this session wrote it since its last commit, and its file.
  func staged(slot: Int, chunk: Int) -> (row: ChunkRow, path: StorePath)? {
    state.withLock { state in
      guard let staged = state.changes.slots[slot]?.rows[chunk] else { return nil }
      let path = StoreLayout.staged(writer: writer, slot: slot, chunk: chunk, batch: staged.batch)
      return (staged.row, path)
    }
  }

  /// The filter that this session chose for a data set since its last commit.
  func filter(slot: Int) -> Filter? {
    state.withLock { $0.changes.slots[slot]?.filter }
  }

  /// Records a choice of filter, unless another thread's was first; returns the one that holds.
  func settleFilter(_ choice: Filter, slot: Int, path: NodePath) throws(HyperslabError) -> Filter {
    try withState { state in
      let settled = state.changes.slots[slot]?.filter ?? choice
      state.changes.slots[slot, default: .init(path: path)].filter = settled
      return settled
    }
  }

  /// Lets a chunk be encoded into a file of the private directory and remembers its row.
  func stage(
    path: NodePath, slot: Int, chunk: Int,
    encode: (StagedFile) throws(HyperslabError) -> EncodedChunk
  ) throws(HyperslabError) {
    let batch = try prepareStaging()
    let name = StoreLayout.staged(writer: writer, slot: slot, chunk: chunk, batch: batch)
    let isReplacing = staged(slot: slot, chunk: chunk)?.row.state == .stored
    // A chunk written twice before a commit: the second must not be torn over the first.
    let target = isReplacing ? name.parent / (name.name + ".new") : name
    let sink = StagedFile(path: target, in: files)
    var row = ChunkRow(state: .fill)
    do throws(HyperslabError) {
      let encoded = try encode(sink)
      row.statistics = encoded.statistics
      if encoded.isFill {
        sink.discard()
        if isReplacing { try files.remove(name) }
      } else {
        row.state = .stored
        row.byteCount = encoded.byteCount
        row.crc = encoded.headerCRC
        guard let file = sink.take() else { return }
        if durability == .full { try synchronizer.add(file) } else { try file.close() }
        if isReplacing { try files.rename(target, to: name) }
      }
    } catch {
      sink.discard()
      throw error
    }
    let final = row
    try withState { (state) throws(HyperslabError) -> Void in
      state.changes.slots[slot, default: .init(path: path)].rows[chunk] = .init(
        row: final, batch: batch)
    }
  }

  /// Waits until all staged files are permanent; a failure ends the session.
  func synchronizeStaged(_ state: inout State) throws(HyperslabError) {
    do { try synchronizer.wait() } catch {
      state.poison = error
      throw error
    }
  }

  private func prepareStaging() throws(HyperslabError) -> Int {
    try withState { (state) throws(HyperslabError) -> Int in
      try prepareStaging(&state)
      return state.batch
    }
  }

  /// Makes the private directory and takes its lock, by which others know that this writer lives.
  func prepareStaging(_ state: inout State) throws(HyperslabError) {
    guard state.ownLock == nil else { return }
    _ = try files.makeDirectories(StoreLayout.staging(writer: writer))
    state.ownLock = try files.lock(StoreLayout.writerLock(writer: writer), wait: false)
  }

  /// Removes the private directory; best effort, others sweep what a dead writer left.
  func removeStaging(_ state: inout State) {
    guard let lock = state.ownLock else { return }
    try? files.removeTree(StoreLayout.staging(writer: writer))
    lock.release()
    state.ownLock = nil
  }
}
