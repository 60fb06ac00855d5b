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
    var base: StoreIndex { didSet { lowercased = nil } }
    var changes = Changes()
    /// Counts commits of this writer, so that staged names are never used twice.
    var batch = 0
    var slots: [NodePath: Int] = [:]
    var nextSlot = 0
    /// Ids that commits gave to data sets that this session created, by slot.
    var created: [Int: Int] = [:]
    /// Held while this writer lives, so that others leave its directory alone.
    var ownLock: (any FileLock)?
    /// After a failure in the middle of a commit nobody knows what the disk holds.
    var poison: HyperslabError?
    var isClosed = false
    private var lowercased: [String: NodePath]?

    init(base: StoreIndex) { self.base = base }

    /// Every node there is or will be, by its name in lower case.
    mutating func names() -> [String: NodePath] {
      if let lowercased { return lowercased }
      var names: [String: NodePath] = [:]
      for keys in [
        Array(base.nodes.keys), Array(changes.groups.keys), Array(changes.datasets.keys),
      ] {
        for path in keys where holds(path) {
          names[path.description.lowercased()] = path
        }
      }
      lowercased = names
      return names
    }

    mutating func forgetNames() { lowercased = nil }

    /// Whether there is or will be such a node.
    func holds(_ path: NodePath) -> Bool {
      changes.groups[path] != nil || changes.datasets[path] != nil
        || base.nodes[path] != nil && changes.removed[path] == nil
    }

    mutating func addNames(_ paths: [NodePath]) {
      for path in paths { lowercased?[path.description.lowercased()] = path }
    }

    /// A number for a data set that starts with nothing written; what was written to a namesake
    /// that it replaces is dropped.
    mutating func newSlot(_ path: NodePath) -> Int {
      if let old = slots[path] { changes.slots[old] = nil }
      defer { nextSlot += 1 }
      slots[path] = nextSlot
      return nextSlot
    }

    /// Drops what was written to a data set that is removed; its handles end.
    mutating func forgetSlot(_ path: NodePath) {
      if let slot = slots.removeValue(forKey: path) { changes.slots[slot] = nil }
    }

    /// Remembers the ids of what a commit created.
    mutating func noteCreated(in index: StoreIndex) {
      for path in changes.datasets.keys {
        if let slot = slots[path] { created[slot] = index.dataset(path)?.id }
      }
    }

    /// Refuses a handle of a data set that this session removed or is replacing.
    func checkCurrent(_ slot: Int, _ path: NodePath) throws(HyperslabError) {
      guard slots[path] == slot else {
        throw HyperslabError(
          .snapshotChanged, "the data set was replaced or removed since it was opened",
          at: "\(path)", remedy: "Open it again")
      }
    }

    /// Refuses a chunk whose valid part is not what it is in the array's shape by now.
    func checkShape(
      _ slot: Int, _ path: NodePath, _ chunk: ChunkIndex, opened: DatasetRecord
    ) throws(HyperslabError) {
      guard let shape = shape(slot, path, opened: opened), shape != opened.description.shape else {
        return
      }
      let grid = try ChunkGrid(arrayShape: shape, chunkShape: opened.grid.chunkShape)
      guard grid.contains(chunk), grid.validShape(of: chunk) == opened.grid.validShape(of: chunk)
      else {
        throw HyperslabError(
          .snapshotChanged, "the data set was resized since it was opened", at: "\(path)",
          chunk: chunk, expected: "a handle of shape \(shape)",
          found: "one of \(opened.description.shape)",
          remedy: "Use the handle that resizing returned, or open the data set again")
      }
    }

    /// The shape that this session gave to a data set or last saw it in; nil where the handle, opened
    /// as `opened`, knows better.
    func shape(_ slot: Int, _ path: NodePath, opened: DatasetRecord) -> Shape? {
      if let shape = changes.slots[slot]?.shape { return shape }
      if let new = changes.datasets[path] { return new.record.description.shape }
      return base.commit >= opened.commit ? base.dataset(path)?.description.shape : nil
    }
  }

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

  /// Lets a chunk be encoded into a file of the private directory and remembers its row.
  func stage(
    path: NodePath, slot: Int, chunk: ChunkIndex, opened: DatasetRecord,
    encode: (StagedFile) throws(HyperslabError) -> EncodedChunk
  ) throws(HyperslabError) {
    let directory = try prepareStaging(slot, path)
    let written = directory / "\(slot)-\(chunk.key).new"
    let sink = StagedFile(path: written, in: files)
    var row = ChunkRow(state: .fill)
    do throws(HyperslabError) {
      let encoded = try encode(sink)
      row.statistics = encoded.statistics
      if encoded.isFill {
        sink.discard()
      } else if let file = sink.take() {
        row.state = .stored
        row.byteCount = encoded.byteCount
        row.crc = encoded.headerCRC
        if durability == .full { try synchronizer.add(file) } else { try file.close() }
      }
    } catch {
      sink.discard()
      throw error
    }
    let final = row
    try withState { (state) throws(HyperslabError) -> Void in
      do throws(HyperslabError) {
        try state.checkCurrent(slot, path)
        try state.checkShape(slot, path, chunk, opened: opened)
      } catch {
        if final.state == .stored { try? files.remove(written) }
        throw error
      }
      // The name tells the batch, which a commit on another thread may have ended meanwhile.
      let batch = state.batch
      let name = StoreLayout.staged(writer: writer, slot: slot, chunk: chunk, batch: batch)
      if final.state == .stored {
        try files.rename(written, to: name)
      } else if state.changes.slots[slot]?.rows[chunk]?.row.state == .stored {
        try files.remove(name)
      }
      state.changes.slots[slot, default: .init(path: path, opened: opened)].rows[chunk] = .init(
        row: final, batch: batch, shape: opened.description.shape)
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
        // Nobody refers to it, so it does no harm if it stays.
        try? files.remove(
          StoreLayout.staged(writer: writer, slot: slot, chunk: chunk, batch: staged.batch))
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
    state.changes = Changes()
    state.slots = [:]
    state.base = newest
    state.batch += 1
  }

  private func prepareStaging(_ slot: Int, _ path: NodePath) throws(HyperslabError) -> StorePath {
    try withState { (state) throws(HyperslabError) -> Void in
      try state.checkCurrent(slot, path)
      try prepareStaging(&state)
    }
    return StoreLayout.staging(writer: writer)
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
