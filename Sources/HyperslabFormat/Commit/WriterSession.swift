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
  let writer = StoreLayout.newIdentifier()
  let files: any FileSystem
  let durability: Durability
  let patience: Duration
  let state: Mutex<State>
  /// Its lock may be taken under the state's, never the other way round.
  let intake = Mutex(Intake())
  let synchronizer: FileSynchronizer
  /// Nodes that another program made or changed, whose files may be replaced since that was taken in.
  let adopting = Mutex<Set<NodePath>>([])
  /// What of the last commit could not be brought to its place.
  let stuck = Mutex<Settle.Stuck>([:])

  init(
    files: any FileSystem, base: StoreIndex, durability: Durability, patience: Duration,
    synchronizerWidth: Int
  ) {
    self.files = files
    self.patience = patience
    self.durability = durability
    state = Mutex(State(base: base))
    synchronizer = FileSynchronizer(files: files, width: synchronizerWidth)
  }

  /// Runs `body` on the state of a session that can still write.
  ///
  /// - Parameter closing: Whether it is what the session ends with, which nobody else may get between.
  func withState<R: Sendable>(
    closing: Bool = false,
    _ body: (inout sending State) throws(HyperslabError) -> sending R
  ) throws(HyperslabError) -> R {
    try state.withLock { (state) throws(HyperslabError) -> sending R in
      if let poison = state.poison {
        throw HyperslabError(
          .poisoned, "an earlier failure left it unsure what the disk holds",
          at: files.rootDescription,
          remedy: "Close the store and open it again; it opens at its last commit", cause: poison)
      }
      if state.isClosed, !closing {
        throw HyperslabError(.closed, "the store is closed", at: files.rootDescription)
      }
      return try body(&state)
    }
  }

  /// The writer's own number of a data set.
  func slot(of path: NodePath) throws(HyperslabError) -> Int {
    try withState { state in
      if let slot = state.slots[path] { return slot }
      return state.newSlot(path)
    }
  }

  /// The id that a commit gave to a data set of this session.
  func createdID(slot: Int) -> Int? { state.withLock { $0.created[slot] } }

  /// The row of a chunk, if this session wrote or dropped it since its last commit, and its file.
  ///
  /// - Throws: `busy` when that commit was not yet made in the view of a reader.
  func staged(
    slot: Int, chunk: ChunkIndex, batch: Int
  ) throws(HyperslabError) -> (row: ChunkRow, path: StorePath)? {
    try state.withLock { (state) throws(HyperslabError) in
      guard state.batch == batch else {
        throw HyperslabError(.busy, "a commit was made meanwhile")
      }
      guard let dataset = state.changes.slots[slot] else { return nil }
      guard let staged = dataset.rows[chunk] else {
        return dataset.dropped(chunk) ? (.neverWritten, .root) : nil
      }
      let path = StoreLayout.staged(writer: writer, slot: slot, chunk: chunk, batch: staged.batch)
      return (staged.row, path)
    }
  }

  /// The shape that this session gave to a data set since its last commit.
  func shape(slot: Int) -> Shape? { state.withLock { $0.changes.slots[slot]?.shape } }

  /// The coding that this session chose for a data set since its last commit.
  func coding(slot: Int) -> BlockCoding? {
    state.withLock { $0.changes.slots[slot]?.coding }
  }

  /// Records a choice of coding, unless another thread's was first; returns the one that holds.
  func settle(
    _ choice: BlockCoding, slot: Int, path: NodePath, opened: DatasetRecord
  ) throws(HyperslabError) -> BlockCoding {
    try withState { (state) throws(HyperslabError) -> BlockCoding in
      try state.checkCurrent(slot, path)
      let settled = state.changes.slots[slot]?.coding ?? choice
      state.changes.slots[slot, default: .init(path: path, opened: opened)].coding = settled
      return settled
    }
  }

  /// Notes another shape of a data set and forgets what was staged outside it.
  func resize(
    _ state: inout State, slot: Int, path: NodePath, opened: DatasetRecord, to grid: ChunkGrid
  ) throws(HyperslabError) {
    var changes = state.changes.slots[slot] ?? .init(path: path, opened: opened)
    let least = zip(changes.cut?.arrayShape ?? opened.description.shape, grid.arrayShape)
      .map { Swift.min($0, $1) }
    if changes.cut != nil || least != Array(opened.description.shape) {
      changes.cut = try ChunkGrid(arrayShape: Shape(least), chunkShape: grid.chunkShape)
    }
    changes.shape = grid.arrayShape
    for (chunk, staged) in changes.rows where !grid.contains(chunk) {
      if staged.row.state == .stored {
        let name = StoreLayout.staged(
          writer: writer, slot: slot, chunk: chunk, batch: staged.batch)
        removeUnneeded(name, &state)
      }
      changes.rows[chunk] = nil
    }
    // What stays was padded for an edge that is another now, unless it is rewritten.
    for chunk in changes.rows.keys { changes.rows[chunk]?.shape = grid.arrayShape }
    state.changes.slots[slot] = changes
  }

  /// Waits until all staged files are permanent; a failure ends the session.
  ///
  /// - Returns: whether their names are, too.
  func synchronizeStaged(_ state: inout State) throws(HyperslabError) -> Bool {
    do { return try synchronizer.wait() } catch {
      state.poison = error
      throw error
    }
  }

  /// Drops what was not committed; handles opened before no longer write.
  func forgetChanges(_ state: inout State, newest: StoreIndex) {
    for (slot, dataset) in state.changes.slots {
      for (chunk, staged) in dataset.rows where staged.row.state == .stored {
        let name = StoreLayout.staged(
          writer: writer, slot: slot, chunk: chunk, batch: staged.batch)
        try? files.remove(name)
      }
    }
    state.slots = [:]
    state.beginBatch(on: newest)
  }

  /// Removes a staged file that nobody refers to. If it stays, it does no harm where it is.
  private func removeUnneeded(_ path: StorePath, _ state: inout State) {
    do { try files.remove(path) } catch { state.noteStray(ofBatch: state.batch) }
  }

  /// Makes the private directory and takes its lock, by which others know that this writer lives.
  func prepareStaging(_ state: inout State) throws(HyperslabError) {
    guard state.ownLock == nil else { return }
    // Under the store's lock, so that nobody sweeps the directory before its own lock is held.
    let storeLock = try StoreLock(files: files, patience: patience).acquire(writer: writer)
    defer { storeLock.release() }
    _ = try files.makeDirectories(StoreLayout.staging(writer: writer))
    state.ownLock = try files.lock(StoreLayout.writerLock(writer: writer), wait: false)
    state.ownLock?.describe(LockHolder.current(writer: writer))
  }

  /// Removes the private directory, unless the index may still need what is staged in it, or a commit
  /// ended halfway: then it stays as if this writer had been killed, for others to sweep after. Best effort.
  func removeStaging(_ state: inout State, newest: StoreIndex?) {
    // Its end gives the lock free; told to, it would first take its holder's name from the file, whose
    // time says when this writer began.
    defer { state.ownLock = nil }
    guard let lock = state.ownLock, let newest, state.poison == nil,
      !newest.datasets.contains(where: { $0.record.isStaged(by: writer) })
    else { return }
    try? files.removeTree(StoreLayout.staging(writer: writer))
    lock.release()
  }
}
