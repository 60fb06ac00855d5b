import HyperslabCodecs
import HyperslabCore

/// Chunks of a data set on their way into the private directory.
struct Staging {
  let slot: Int
  let path: NodePath
  let opened: DatasetRecord
  /// The data set's id; nil for one that this session made.
  let id: Int?
  let chunks: [ChunkIndex]
  /// Where they are written, and for which batch.
  var names: [StorePath] = []
  var batch = 0
  /// What became of them.
  var rows: [ChunkRow] = []
  /// How many of them the changes list.
  var recorded = 0
}

extension WriterSession {
  /// Lets chunks be encoded into files of the private directory and remembers their rows; goes on while
  /// a commit is made, to which they do not belong then.
  func stage(
    path: NodePath, slot: Int, chunks: [ChunkIndex], opened: DatasetRecord, id: Int?,
    encode: ([StagedFile]) throws(HyperslabError) -> [EncodedChunk]
  ) throws(HyperslabError) {
    var staging = Staging(slot: slot, path: path, opened: opened, id: id, chunks: chunks)
    try begin(&staging)
    defer { intake.withLock { $0.encoding -= chunks.count } }
    let sinks = staging.names.map { StagedFile(path: $0, in: files) }
    do throws(HyperslabError) {
      for (sink, encoded) in zip(sinks, try encode(sinks)) {
        staging.rows.append(try finish(sink, encoded, batch: staging.batch))
      }
      try end(&staging)
    } catch {
      for sink in sinks[staging.recorded...] { discard(sink, batch: staging.batch) }
      throw error
    }
  }

  /// The row of a chunk that was encoded; its file is on its way to being permanent.
  private func finish(
    _ sink: StagedFile, _ encoded: EncodedChunk, batch: Int
  ) throws(HyperslabError) -> ChunkRow {
    var row = ChunkRow(state: .fill)
    row.statistics = encoded.statistics
    if encoded.isFill {
      discard(sink, batch: batch)
    } else if let file = sink.take() {
      row.state = .stored
      row.byteCount = encoded.byteCount
      row.crc = encoded.headerCRC
      if durability == .full { try synchronizer.add(file) } else { try file.close() }
    }
    return row
  }

  private func discard(_ sink: StagedFile, batch: Int) {
    if !sink.discard() { state.withLock { $0.noteStray(ofBatch: batch) } }
  }

  /// Names new files in the private directory for chunks. A name tells the batch, unless the chunk was
  /// written in that before.
  private func begin(_ staging: inout Staging) throws(HyperslabError) {
    let isBesideCommit = try intake.withLock { (intake) throws(HyperslabError) -> Bool in
      guard let sealed = intake.sealed else { return false }
      try sealed.checkCurrent(staging.slot, staging.path)
      intake.encoding += staging.chunks.count
      name(&staging, intake.slots, batch: sealed.batch + 1)
      return true
    }
    if isBesideCommit { return }
    try withState { (state) throws(HyperslabError) -> Void in
      try state.checkCurrent(staging.slot, staging.path)
      try prepareStaging(&state)
      intake.withLock { $0.encoding += staging.chunks.count }
      name(&staging, state.changes.slots, batch: state.batch)
    }
  }

  private func name(_ staging: inout Staging, _ slots: [Int: Changes.Dataset], batch: Int) {
    let (slot, rows) = (staging.slot, slots[staging.slot]?.rows)
    staging.batch = batch
    staging.names = staging.chunks.map { chunk in
      rows?[chunk] == nil
        ? StoreLayout.staged(writer: writer, slot: slot, chunk: chunk, batch: batch)
        : StoreLayout.replacement(writer: writer, slot: slot, chunk: chunk)
    }
  }

  /// Remembers the rows of chunks that were encoded.
  private func end(_ staging: inout Staging) throws(HyperslabError) {
    let isBesideCommit = try intake.withLock { (intake) throws(HyperslabError) -> Bool in
      guard let sealed = intake.sealed else { return false }
      try check(staging, sealed)
      try record(&staging, sealed.batch + 1, &intake.slots)
      return true
    }
    if isBesideCommit { return }
    try withState { (state) throws(HyperslabError) -> Void in
      try check(staging, state)
      try record(&staging, state.batch, &state.changes.slots)
    }
  }

  private func check(_ staging: Staging, _ state: State) throws(HyperslabError) {
    try state.checkCurrent(staging.slot, staging.path)
    for chunk in staging.chunks {
      try state.checkShape(staging.slot, staging.path, chunk, opened: staging.opened)
    }
  }

  private func record(
    _ staging: inout Staging, _ batch: Int, _ slots: inout [Int: Changes.Dataset]
  ) throws(HyperslabError) {
    let dataset = Changes.Dataset(path: staging.path, opened: staging.opened)
    for (number, chunk) in staging.chunks.enumerated() {
      let staged = Changes.StagedRow(
        row: staging.rows[number], batch: batch, shape: staging.opened.description.shape,
        id: staging.id)
      try record(staged, at: staging.names[number], chunk, staging.slot, dataset, &slots)
      staging.recorded += 1
    }
  }

  /// Remembers a row, and gives its file the name that the commit will look for: a commit on another
  /// thread may have begun or ended since it was written.
  func record(
    _ staged: Changes.StagedRow, at written: StorePath, _ chunk: ChunkIndex, _ slot: Int,
    _ dataset: Changes.Dataset, _ slots: inout [Int: Changes.Dataset]
  ) throws(HyperslabError) {
    let name = StoreLayout.staged(writer: writer, slot: slot, chunk: chunk, batch: staged.batch)
    if staged.row.state == .stored {
      if written != name {
        _ = try files.makeDirectories(name.parent)
        try files.rename(written, to: name)
        files.removeEmptied([written.parent], below: StoreLayout.staging(writer: writer))
      }
    } else if slots[slot]?.rows[chunk]?.row.state == .stored {
      try files.remove(name)
    }
    slots[slot, default: dataset].rows[chunk] = staged
  }
}
