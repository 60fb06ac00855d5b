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
  private let synchronizer: FileSynchronizer

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

  /// Lets chunks be encoded into files of the private directory and remembers their rows.
  func stage(
    path: NodePath, slot: Int, chunks: [ChunkIndex], opened: DatasetRecord,
    encode: ([StagedFile]) throws(HyperslabError) -> [EncodedChunk]
  ) throws(HyperslabError) {
    let names = try beginStaging(slot, path, chunks)
    defer { state.withLock { $0.encoding -= chunks.count } }
    let sinks = names.map { StagedFile(path: $0, in: files) }
    var recorded = 0
    do throws(HyperslabError) {
      var rows: [ChunkRow] = []
      for (sink, encoded) in zip(sinks, try encode(sinks)) {
        rows.append(try finish(sink, encoded))
      }
      try withState { (state) throws(HyperslabError) -> Void in
        try state.checkCurrent(slot, path)
        for chunk in chunks { try state.checkShape(slot, path, chunk, opened: opened) }
        for (number, chunk) in chunks.enumerated() {
          try record(rows[number], names[number], chunk, slot, path, opened, &state)
          recorded += 1
        }
      }
    } catch {
      for sink in sinks[recorded...] { discard(sink) }
      throw error
    }
  }

  /// The row of a chunk that was encoded; its file is on its way to being permanent.
  private func finish(
    _ sink: StagedFile, _ encoded: EncodedChunk
  ) throws(HyperslabError) -> ChunkRow {
    var row = ChunkRow(state: .fill)
    row.statistics = encoded.statistics
    if encoded.isFill {
      discard(sink)
    } else if let file = sink.take() {
      row.state = .stored
      row.byteCount = encoded.byteCount
      row.crc = encoded.headerCRC
      if durability == .full { try synchronizer.add(file) } else { try file.close() }
    }
    return row
  }

  /// Remembers a row, and gives its file the name that the commit will look for.
  private func record(
    _ row: ChunkRow, _ written: StorePath, _ chunk: ChunkIndex, _ slot: Int, _ path: NodePath,
    _ opened: DatasetRecord, _ state: inout State
  ) throws(HyperslabError) {
    // A commit on another thread may have ended the batch meanwhile.
    let batch = state.batch
    let name = StoreLayout.staged(writer: writer, slot: slot, chunk: chunk, batch: batch)
    if row.state == .stored {
      if written != name {
        _ = try files.makeDirectories(name.parent)
        try files.rename(written, to: name)
      }
    } else if state.changes.slots[slot]?.rows[chunk]?.row.state == .stored {
      try files.remove(name)
    }
    state.changes.slots[slot, default: .init(path: path, opened: opened)].rows[chunk] = .init(
      row: row, batch: batch, shape: opened.description.shape)
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
  func synchronizeStaged(_ state: inout State) throws(HyperslabError) {
    do { try synchronizer.wait() } catch {
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

  /// Sees to the private directory and names new files in it for chunks. A name tells the batch,
  /// unless the chunk was written in that before.
  private func beginStaging(
    _ slot: Int, _ path: NodePath, _ chunks: [ChunkIndex]
  ) throws(HyperslabError) -> [StorePath] {
    try withState { state throws(HyperslabError) -> [StorePath] in
      try state.checkCurrent(slot, path)
      try prepareStaging(&state)
      state.encoding += chunks.count
      let (rows, batch) = (state.changes.slots[slot]?.rows, state.batch)
      return chunks.map { chunk in
        rows?[chunk] == nil
          ? StoreLayout.staged(writer: writer, slot: slot, chunk: chunk, batch: batch)
          : StoreLayout.replacement(writer: writer, slot: slot, chunk: chunk)
      }
    }
  }

  private func discard(_ sink: StagedFile) {
    if !sink.discard() { state.withLock { $0.hasStrays = true } }
  }

  /// Removes a staged file that nobody refers to. If it stays, it does no harm where it is.
  private func removeUnneeded(_ path: StorePath, _ state: inout State) {
    do { try files.remove(path) } catch { state.hasStrays = true }
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

  /// Removes the private directory, unless the index may still need what is staged in it; best
  /// effort, others sweep what a dead writer left.
  func removeStaging(_ state: inout State, newest: StoreIndex?) {
    guard let lock = state.ownLock else { return }
    if let newest, !newest.datasets.contains(where: { $0.record.pending?.writer == writer }) {
      try? files.removeTree(StoreLayout.staging(writer: writer))
    }
    lock.release()
    state.ownLock = nil
  }
}
