import HyperslabCodecs
public import HyperslabCore

extension SlabStore {
  /// Changes a data set's shape; see ``SlabDataset/resized(to:)``.
  public func resizeDataset(
    _ path: NodePath, to shape: Shape
  ) throws(HyperslabError) -> SlabDataset {
    try dataset(path).resized(to: shape)
  }
}

extension ChangeSet.State {
  /// Notes another shape of a data set and forgets what was staged outside it.
  ///
  /// - Returns: the rows whose files nobody needs any more.
  mutating func resize(
    slot: Int, path: NodePath, opened: DatasetRecord, to grid: ChunkGrid
  ) throws(HyperslabError) -> [Changes.StagedChunk] {
    var dataset = changes.slots[slot] ?? .init(path: path, opened: opened)
    let least = zip(dataset.cut?.arrayShape ?? opened.description.shape, grid.arrayShape)
      .map { Swift.min($0, $1) }
    if dataset.cut != nil || least != Array(opened.description.shape) {
      dataset.cut = try ChunkGrid(arrayShape: Shape(least), chunkShape: grid.chunkShape)
    }
    dataset.shape = grid.arrayShape
    var unneeded: [Changes.StagedChunk] = []
    for (chunk, staged) in dataset.rows where !grid.contains(chunk) {
      if staged.row.state == .stored {
        unneeded.append(.init(slot: slot, chunk: chunk, row: staged))
      }
      dataset.rows[chunk] = nil
    }
    // What stays was padded for an edge that is another now, unless it is rewritten.
    for chunk in dataset.rows.keys { dataset.rows[chunk]?.shape = grid.arrayShape }
    changes.slots[slot] = dataset
    return unneeded
  }
}

extension ChangeSet {
  /// Makes a data set's changes what they were before a resize that failed.
  ///
  /// - Returns: the rows that it had staged; nil where files that those had took the place of are gone.
  fileprivate func takeBack(slot: Int, to before: Changes.Dataset?) -> [Changes.StagedChunk]? {
    state.withLock { state in
      let now = state.changes.slots[slot]?.rows ?? [:]
      let rewritten = now.filter { chunk, row in
        before?.rows[chunk].map {
          row.row != $0.row || row.batch != $0.batch || row.copy != $0.copy
        }
          ?? true
      }
      let areFilesThere = rewritten.keys.allSatisfy { before?.rows[$0]?.row.state != .stored }
      guard areFilesThere else { return nil }
      state.changes.slots[slot] = before
      state.epoch += 1
      return rewritten.filter { $0.value.row.state == .stored }
        .map { Changes.StagedChunk(slot: slot, chunk: $0.key, row: $0.value) }
    }
  }
}

extension SlabDataset {
  /// The data set in another shape, visible to others with the store's next commit.
  ///
  /// Growing writes nothing: what is new reads as never written, but for the rest of edge chunks,
  /// which reads as the fill value. Shrinking drops every chunk outside and rewrites those that the
  /// new edge cuts, so that growing again never brings old values back.
  ///
  /// Nobody may write to the data set meanwhile. This handle goes on reading what the new shape still
  /// has as long as it did not shrink; write through the one returned.
  /// - Parameter shape: As many axes, none above the maximum shape.
  /// - Throws: `invalid_shape`, `limit`, `read_only`; what reading and writing chunks throw.
  public func resized(to shape: Shape) throws(HyperslabError) -> SlabDataset {
    let changes = try store.writing()
    guard let slot else { throw openForReading }
    let reshaped = try reshapedRecord(shape)
    return try changes.part(isWhole: true) { () throws(HyperslabError) in
      try resized(to: reshaped, changes, slot: slot)
    }
  }

  private func resized(
    to reshaped: DatasetRecord, _ changes: ChangeSet, slot: Int
  ) throws(HyperslabError) -> SlabDataset {
    let old = grid
    let opened = record
    let (before, unneeded) = try changes.withState {
      (state) throws(HyperslabError) -> (Changes.Dataset?, [Changes.StagedChunk]) in
      try state.checkCurrent(slot, path, store.opened)
      guard state.shape(slot, path, opened: opened) ?? old.arrayShape == old.arrayShape else {
        throw HyperslabError(
          .snapshotChanged, "the data set was resized since it was opened", at: place,
          remedy: "Use the handle that resizing returned, or open the data set again")
      }
      let before = state.changes.slots[slot]
      return (
        before, try state.resize(slot: slot, path: path, opened: opened, to: reshaped.grid)
      )
    }
    do throws(HyperslabError) {
      let result = try SlabDataset(store: store, path: path, record: reshaped, isNew: id == nil)
      try result.rewriteCutChunks(from: old)
      changes.remove(unneeded)
      return result
    } catch {
      // Half of the edge would bring old values back.
      if let rewritten = changes.takeBack(slot: slot, to: before) {
        changes.remove(rewritten)
      } else {
        changes.fail(error)
      }
      throw error
    }
  }

  private func reshapedRecord(_ shape: Shape) throws(HyperslabError) -> DatasetRecord {
    var result = record
    // A data set of this session got its number with a commit.
    if let id { result.id = id }
    result.description.shape = shape
    do throws(HyperslabError) {
      guard shape.rank == grid.rank else {
        throw HyperslabError(
          .invalidShape, "resizing \(grid.arrayShape) to \(shape)", expected: "\(grid.rank) axes",
          found: "\(shape.rank)", remedy: "Give one length an axis")
      }
      result.grid = try result.description.validated()
    } catch { throw error.located(at: place) }
    return result
  }

  /// Writes anew every stored chunk of which less is inside the array than before.
  private func rewriteCutChunks(from old: ChunkGrid) throws(HyperslabError) {
    let size = description.dataType.byteCount
    for axis in 0..<grid.rank where grid.arrayShape[axis] < old.arrayShape[axis] {
      guard grid.arrayShape[axis] % grid.chunkShape[axis] != 0 else { continue }
      var bounds = grid.arrayShape.map { 0..<$0 }
      bounds[axis] = grid.arrayShape[axis] - 1..<grid.arrayShape[axis]
      for chunk in grid.chunks(touching: Selection(bounds)) {
        let valid = grid.validShape(of: chunk)
        // A chunk at a corner is cut by more than one axis; the first rewrites it.
        guard old.contains(chunk), valid != old.validShape(of: chunk),
          !isCut(chunk, before: axis, old),
          try state(of: chunk) == .stored,
          let layout = StridedLayout.rowMajor(valid, elementByteCount: size),
          let count = valid.elementCount
        else { continue }
        let memory = try ElementBuffer(allocating: count * size)
        try memory.withMutableBytes { (bytes) throws(HyperslabError) in
          try readChunk(
            chunk, region: StridedSelection(Selection(all: valid)), into: &bytes, layout: layout)
        }
        try memory.withBytes { (bytes) throws(HyperslabError) in
          try writeChunk(chunk, from: bytes, layout: layout)
        }
      }
    }
  }

  /// Whether an axis before this one cuts the chunk, too.
  private func isCut(_ chunk: ChunkIndex, before axis: Int, _ old: ChunkGrid) -> Bool {
    (0..<axis).contains { axis in
      grid.arrayShape[axis] < old.arrayShape[axis]
        && grid.arrayShape[axis] % grid.chunkShape[axis] != 0
        && chunk.coordinates[axis] == grid.gridShape[axis] - 1
    }
  }
}
