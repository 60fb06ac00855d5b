import HyperslabCodecs
import HyperslabCore
import Synchronization

/// What one operation did and has not published: a `write`, an `append`, a transaction, or the direct
/// calls between two commits.
///
/// Change sets of one session meet each other as two processes do, under the same conflict rules. Nobody
/// but its own `commit` publishes one. No lock is held here while a file is touched.
final class ChangeSet: Sendable {
  let session: WriterSession
  let opened: OpenStore
  /// Which of the session's it is.
  let number: Int
  let state: Mutex<State>
  /// In which appends to one data set follow one another within a transaction.
  let appends: Lines<NodePath>
  /// Fsyncs the files that this operation staged, and no others.
  let synchronizer: FileSynchronizer

  /// Changes whose publication is under way; no more are added to them.
  struct Sealed: Sendable {
    var changes: Changes
    let batch: Int
    /// Whether the directories of the batch hold no file that the changes do not list.
    let isWhole: Bool
  }

  struct State: Sendable {
    /// The commit that the operation sees: like another process it does not follow those of others while
    /// it is at work. Nil where it does.
    var view: Snapshot?
    /// The index that the changes are made against.
    var base: StoreIndex
    var changes = Changes()
    var sealed: Sealed?
    /// Counts commits, so that staged names are never used twice.
    var batch = 0
    /// Counts what makes a reader of these changes look again.
    var epoch = 0
    /// Counts files that were written beside others for one chunk.
    var copies = 0
    var slots: [NodePath: Int] = [:]
    /// The store's numbers of data sets, by slot; none for one that is created and not committed.
    var ids: [Int: Int] = [:]
    /// How many chunks are being encoded, by the batch that their files are in.
    var encoding: [Int: Int] = [:]
    /// Chunks that are being encoded into files of the name that a commit looks for.
    var reserved: Set<Place> = []
    /// Chunks of which a file of that name, which another took the place of, has yet to be removed.
    var removing: Set<Place> = []
    /// The batches whose directories may hold files that nobody refers to.
    var strays: Set<Int> = []
    /// Directories of chunks that were not staged after all, which may be empty, with their batches.
    var refused: [StorePath: Int] = [:]
    /// Why the changes must not be published: a part of them failed, or another writer was first.
    var failure: HyperslabError?
    var isOver = false
    /// How many parts of what they are, such as the appends of a transaction, have begun and not ended.
    var parts = 0
    /// How many of them must not be cut in two by a commit.
    var wholeParts = 0
    /// The lines of appenders that this operation stands first in.
    var lines: [NodePath] = []
    /// What it appends to.
    var appended: Set<NodePath> = []
    /// Whether a transaction has asked for nodes, other than to append to them. What it has changed is held against
    /// the commit that it was changed on.
    var hasLookedUp = false
    var names = CollectedNames()

    init(base: StoreIndex) { self.base = base }

    /// The commit that is seen.
    func snapshot(_ opened: OpenStore) -> Snapshot { view ?? opened.snapshot }
  }

  /// The file of a chunk in the directory of a batch.
  struct Place: Hashable, Sendable {
    let slot: Int
    let chunk: ChunkIndex
    let batch: Int
  }

  /// Where a staged chunk's file has the name that a commit looks for.
  static func place(of staged: Changes.StagedChunk) -> Place? {
    guard staged.row.copy == 0 else { return nil }
    return Place(slot: staged.slot, chunk: staged.chunk, batch: staged.row.batch)
  }

  /// - Parameter view: The commit that it sees from its beginning to its end; nil for one that sees the
  ///   commits of others as they come.
  init(_ opened: OpenStore, _ session: WriterSession, view: Snapshot?) {
    self.opened = opened
    self.session = session
    number = session.newNumber()
    var state = State(base: (view ?? opened.snapshot).index)
    state.view = view
    self.state = Mutex(state)
    appends = Lines(session.scheduling)
    synchronizer = FileSynchronizer(files: session.files, width: session.synchronizerWidth)
  }

  var files: any FileSystem { session.files }
  var writer: String { session.writer }

  /// Runs `body` on the state of a change set that can still be written to and of which nothing is being
  /// published; waits for that.
  ///
  /// - Parameters:
  ///   - closing: Whether it is what the session ends with.
  ///   - isWhole: Whether to wait, too, for parts that must not be cut in two.
  func withState<R: Sendable>(
    closing: Bool = false, isWhole: Bool = false, _ body: (inout State) throws(HyperslabError) -> R
  ) throws(HyperslabError) -> R {
    var outcome: Result<R, HyperslabError>?
    session.scheduling.wait {
      state.withLock { state in
        guard state.sealed == nil, !isWhole || state.wholeParts == 0 else { return false }
        do throws(HyperslabError) {
          try check(state, closing: closing)
          state.rebase(on: state.snapshot(opened).index)
          outcome = .success(try body(&state))
        } catch { outcome = .failure(error) }
        return true
      }
    }
    guard let outcome else { throw session.closedError }
    return try outcome.get()
  }

  /// Refuses what must not be written to any more.
  func check(_ state: borrowing State, closing: Bool = false) throws(HyperslabError) {
    try session.check(closing: closing)
    if state.isOver { throw overError }
  }

  // MARK: - What readers of these changes see

  /// The commit that they come on top of.
  var snapshot: Snapshot { state.withLock { $0.snapshot(opened) } }

  /// Looks for newer commits of others.
  ///
  /// - Returns: whether there was one.
  func refresh() throws(HyperslabError) -> Bool {
    let isNewer = try opened.refresh()
    let newest = opened.snapshot
    return try state.withLock { (state) throws(HyperslabError) in
      guard let view = state.view else { return isNewer }
      guard newest.index.commit > view.index.commit || newest.index.uuid != view.index.uuid else {
        return false
      }
      try state.move(to: newest)
      return true
    }
  }

  /// The session's number of a data set.
  ///
  /// - Parameter id: The store's number for it; nil for one that this change set created. What was written
  ///   to another one that stood there before is not of this one.
  func slot(of path: NodePath, id: Int?) -> Int {
    state.withLock { state in
      if let slot = state.slots[path], id == nil || state.ids[slot] == id { return slot }
      let slot = session.newNumber()
      // A handle of what was removed or replaced here writes nothing.
      if id != nil, state.changes.removed[path] != nil || state.created(path) != nil { return slot }
      state.slots[path] = slot
      state.ids[slot] = id
      return slot
    }
  }

  /// Remembers that a transaction has looked for a node, whether it found one or not.
  func noteLookedUp() { state.withLock { $0.hasLookedUp = true } }

  /// Remembers the attributes that a transaction has seen, as they were when it first looked.
  func noteSeen(_ paths: [NodePath], in index: StoreIndex) {
    state.withLock { state in
      state.hasLookedUp = true
      for path in paths { state.noteSeen(path, in: index) }
    }
  }

  /// Remembers what the handle says that an append gives back; false where nothing was appended.
  func noteAppended(_ path: NodePath) -> Bool {
    state.withLock { state in
      guard state.appended.contains(path) else { return false }
      state.noteSeen(path, in: state.snapshot(opened).index)
      return true
    }
  }

  /// Remembers that a transaction has read values of a data set.
  func noteSeen(slot: Int) {
    state.withLock { _ = $0.changes.seenSlots.insert(slot) }
  }

  /// The row of a chunk, if it was written or dropped since the last commit, and where its file is or
  /// will have moved by the time it is opened.
  ///
  /// - Throws: `busy` when the changes are not those of a reader's view any more.
  func staged(
    slot: Int, chunk: ChunkIndex, epoch: Int
  ) throws(HyperslabError) -> (row: ChunkRow, paths: [StorePath])? {
    try state.withLock { (state) throws(HyperslabError) in
      guard state.epoch == epoch else {
        throw HyperslabError(.busy, "a commit was made meanwhile")
      }
      for (changes, batch) in state.layers {
        guard let dataset = changes.slots[slot] else { continue }
        if let staged = dataset.rows[chunk] {
          var paths = [staged.file(writer: writer, slot: slot, chunk: chunk)]
          if let batch {
            paths.append(
              StoreLayout.staged(writer: writer, slot: slot, chunk: chunk, batch: batch))
            paths.append(
              StoreLayout.waiting(writer: writer, slot: slot, chunk: chunk, batch: batch))
          }
          return (staged.row, paths)
        }
        if dataset.dropped(chunk) { return (.neverWritten, []) }
      }
      return nil
    }
  }

  /// The chunks of a data set that were written since the last commit.
  func writtenChunks(slot: Int) -> [ChunkIndex] {
    state.withLock { $0.layers.flatMap { Array(($0.changes.slots[slot]?.rows ?? [:]).keys) } }
  }

  /// The shape that a data set was given since the last commit.
  func shape(slot: Int) -> Shape? {
    state.withLock { $0.layers.lazy.compactMap { $0.changes.slots[slot]?.shape }.first }
  }

  /// The coding that was chosen for a data set since the last commit.
  func coding(slot: Int) -> BlockCoding? {
    state.withLock { $0.layers.lazy.compactMap { $0.changes.slots[slot]?.coding }.first }
  }

  /// Records a choice of coding, unless another thread's was first; returns the one that holds.
  func settle(
    _ choice: BlockCoding, slot: Int, path: NodePath, opened: DatasetRecord
  ) throws(HyperslabError) -> BlockCoding {
    try state.withLock { (state) throws(HyperslabError) -> BlockCoding in
      try check(state)
      state.rebase(on: state.snapshot(self.opened).index)
      try state.checkCurrent(slot, path, self.opened)
      if let settled = state.layers.lazy.compactMap({ $0.changes.slots[slot]?.coding }).first {
        return settled
      }
      state.changes.slots[slot, default: .init(path: path, opened: opened)].coding = choice
      return choice
    }
  }
}

extension ChangeSet.State {
  /// The changes from the newest to the oldest; of those being published with their batch.
  var layers: [(changes: Changes, batch: Int?)] {
    guard let sealed else { return [(changes, nil)] }
    return [(changes, nil), (sealed.changes, sealed.batch)]
  }

  var isEmpty: Bool { changes.isEmpty && sealed == nil }

  /// With nothing written yet, what is written next starts from the newest commit that was seen.
  mutating func rebase(on index: StoreIndex) {
    // What an operation read is held against the commit that it began with.
    guard view == nil, isEmpty, index.commit > base.commit || index.uuid != base.uuid
    else { return }
    base = index
  }

  /// A data set that was created and not committed.
  func created(_ path: NodePath) -> Changes.NewDataset? {
    for (changes, _) in layers {
      if let new = changes.datasets[path] { return new }
      if changes.removed[path] != nil { return nil }
    }
    return nil
  }

  /// Whether a group was created at a path, and not a data set since.
  func createdGroup(_ path: NodePath) -> Bool {
    for (changes, _) in layers {
      if changes.groups[path] != nil { return true }
      if changes.datasets[path] != nil || changes.removed[path] != nil { return false }
    }
    return false
  }

  /// What was done to a data set that an operation with changes of its own would neither see nor get past.
  func uncommittedChange(of path: NodePath) -> UncommittedChange? {
    if created(path) != nil { return .created }
    if changes.removed[path] != nil { return .removed }
    // What is being committed will have been before the operation commits.
    return slots[path].flatMap { changes.slots[$0]?.shape } == nil ? nil : .resized
  }

  enum UncommittedChange: String { case created, removed, resized }

  /// Whether there is or will be such a node.
  func holds(_ path: NodePath, in index: StoreIndex) -> Bool {
    for (changes, _) in layers {
      if changes.groups[path] != nil || changes.datasets[path] != nil { return true }
      if changes.removed[path] != nil { return false }
    }
    return index.nodes[path] != nil
  }

  /// What is known of a node to remove or replace. An operation holds it against the commit that it began
  /// with, whatever it has seen since; direct calls follow what the handle sees.
  func removal(of path: NodePath, in index: StoreIndex) -> Changes.Removal {
    let id = index.dataset(path)?.id
    let known = view != nil && base.owner(of: path) == index.owner(of: path) ? base : index
    return Changes.Removal(
      id: id, commit: known.dataset(path)?.commit ?? 0,
      attributes: known.attributes(of: path, id: id) ?? [:])
  }

  /// Drops what was written to a data set that is removed or replaced; its handles end.
  ///
  /// - Returns: the rows whose files nobody needs any more.
  ///
  /// What was written to one that another writer removed or replaced stays, and makes the commit a conflict.
  mutating func forgetSlot(_ path: NodePath, in index: StoreIndex) -> [Changes.StagedChunk] {
    guard let slot = slots.removeValue(forKey: path) else { return [] }
    if let id = ids[slot], index.dataset(path)?.id != id {
      changes.slots[slot]?.isGone = true
      return []
    }
    let rows = changes.slots.removeValue(forKey: slot)?.rows ?? [:]
    return rows.filter { $0.value.row.state == .stored }
      .map { Changes.StagedChunk(slot: slot, chunk: $0.key, row: $0.value) }
  }

  /// Refuses a handle of a data set that was removed or replaced, here or by another writer.
  func checkCurrent(
    _ slot: Int, _ path: NodePath, _ opened: OpenStore
  ) throws(HyperslabError) {
    let isThere = ids[slot].map { snapshot(opened).index.dataset(path)?.id == $0 } ?? true
    guard slots[path] == slot, isThere else {
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

  /// The shape that a data set was given here or was last seen in; nil where the handle, opened as
  /// `opened`, knows better.
  func shape(_ slot: Int, _ path: NodePath, opened: DatasetRecord) -> Shape? {
    for (changes, _) in layers {
      if let shape = changes.slots[slot]?.shape { return shape }
      if let new = changes.datasets[path] { return new.record.description.shape }
    }
    return base.commit >= opened.commit ? base.dataset(path)?.description.shape : nil
  }
}
