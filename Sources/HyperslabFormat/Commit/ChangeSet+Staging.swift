import HyperslabCodecs
import HyperslabCore

/// Chunks of a data set on their way into the private directory.
struct Staging {
  let slot: Int
  let path: NodePath
  let opened: DatasetRecord
  /// The data set's id; nil for one that this change set made.
  let id: Int?
  let chunks: [ChunkIndex]
  /// The batch whose directory they are written to, and which of its files for the chunk each one is.
  var batch = 0
  var copies: [Int] = []
  /// What became of them.
  var rows: [ChunkRow] = []

  func row(_ number: Int) -> Changes.StagedRow {
    Changes.StagedRow(
      row: rows[number], batch: batch, copy: copies[number], shape: opened.description.shape, id: id
    )
  }

  func file(_ number: Int, writer: String) -> StorePath {
    StoreLayout.staged(
      writer: writer, slot: slot, chunk: chunks[number], batch: batch, copy: copies[number])
  }
}

extension ChangeSet {
  /// Lets chunks be encoded into files of the private directory and remembers their rows; goes on while
  /// a commit is made, to which they do not belong then.
  func stage(
    path: NodePath, slot: Int, chunks: [ChunkIndex], opened: DatasetRecord, id: Int?,
    encode: ([StagedFile]) throws(HyperslabError) -> [EncodedChunk]
  ) throws(HyperslabError) {
    try session.enter()
    defer { session.leave() }
    try session.prepareDirectory()
    var staging = Staging(slot: slot, path: path, opened: opened, id: id, chunks: chunks)
    try begin(&staging)
    defer { end(staging) }
    let sinks = (0..<chunks.count).map {
      StagedFile(path: staging.file($0, writer: writer), in: files)
    }
    do throws(HyperslabError) {
      for (sink, encoded) in zip(sinks, try encode(sinks)) {
        try opened.description.dataType.checkRange(encoded.statistics)
        staging.rows.append(try finish(sink, encoded, batch: staging.batch))
      }
      let superseded = try record(&staging)
      remove(superseded)
      state.withLock { state in
        for place in superseded.compactMap(Self.place) { state.removing.remove(place) }
      }
      session.scheduling.wake()
    } catch {
      for sink in sinks { discard(sink, batch: staging.batch) }
      let directories = chunks.indices.map { staging.file($0, writer: writer).parent }
      state.withLock { for directory in directories { $0.refused[directory] = staging.batch } }
      throw error
    }
  }

  /// The row of a chunk that was encoded; its file is on its way to being durable.
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
      if session.durability == .full { try synchronizer.add(file) } else { try file.close() }
    }
    return row
  }

  private func discard(_ sink: StagedFile, batch: Int) {
    if !sink.discard() { state.withLock { _ = $0.strays.insert(batch) } }
  }

  /// Removes the files of rows that nobody refers to any more. What stays does no harm where it is.
  func remove(_ rows: [Changes.StagedChunk]) {
    for staged in rows {
      do { try files.remove(staged.file(writer: writer)) } catch {
        if error.code != .missing { state.withLock { _ = $0.strays.insert(staged.row.batch) } }
      }
    }
  }

  /// Chooses the files that chunks are written to.
  private func begin(_ staging: inout Staging) throws(HyperslabError) {
    try state.withLock { (state) throws(HyperslabError) in
      try check(state)
      if let failure = state.failure { throw failure }
      state.rebase(on: state.snapshot(opened).index)
      try state.checkCurrent(staging.slot, staging.path, opened)
      state.name(&staging)
      state.encoding[staging.batch, default: 0] += staging.chunks.count
    }
  }

  /// Remembers the rows of chunks that were encoded.
  ///
  /// - Returns: rows that they take the place of, whose files nobody needs any more.
  private func record(
    _ staging: inout Staging
  ) throws(HyperslabError) -> [Changes.StagedChunk] {
    while true {
      let (isRecorded, superseded) = try state.withLock {
        (state) throws(HyperslabError) -> (Bool, [Changes.StagedChunk]) in
        try check(state)
        try state.checkCurrent(staging.slot, staging.path, opened)
        for chunk in staging.chunks {
          try state.checkShape(staging.slot, staging.path, chunk, opened: staging.opened)
        }
        guard state.batch == staging.batch else { return (false, []) }
        return (true, state.record(staging))
      }
      if isRecorded { return superseded }
      try move(&staging)
    }
  }

  /// Moves files to the directory of the present batch: a commit has begun since they were, and what lies
  /// beside them belongs to that.
  private func move(_ staging: inout Staging) throws(HyperslabError) {
    let old = staging
    state.withLock { state in
      state.name(&staging)
      state.encoding[staging.batch, default: 0] += staging.chunks.count
    }
    defer { end(old) }
    do throws(HyperslabError) {
      for number in staging.chunks.indices where staging.rows[number].state == .stored {
        let (from, to) = (old.file(number, writer: writer), staging.file(number, writer: writer))
        _ = try files.makeDirectories(to.parent)
        try files.rename(from, to: to)
        files.removeEmptied([from.parent], below: StoreLayout.staging(writer: writer))
      }
    } catch {
      state.withLock { $0.strays.formUnion([old.batch, staging.batch]) }
      throw error
    }
  }

  /// Gives names back that chunks were written under.
  private func end(_ staging: Staging) {
    state.withLock { state in
      state.encoding[staging.batch, default: 0] -= staging.chunks.count
      if state.encoding[staging.batch] == 0 { state.encoding[staging.batch] = nil }
      for (chunk, copy) in zip(staging.chunks, staging.copies) where copy == 0 {
        state.reserved.remove(.init(slot: staging.slot, chunk: chunk, batch: staging.batch))
      }
    }
    session.scheduling.wake()
  }
}

extension ChangeSet.State {
  /// Names files in the present batch's directory: the name that a commit looks for, unless the chunk has
  /// one there or is being written under it.
  fileprivate mutating func name(_ staging: inout Staging) {
    staging.batch = batch
    let rows = changes.slots[staging.slot]?.rows
    staging.copies = []
    for chunk in staging.chunks {
      let place = ChangeSet.Place(slot: staging.slot, chunk: chunk, batch: batch)
      if rows?[chunk] == nil, !removing.contains(place), reserved.insert(place).inserted {
        staging.copies.append(0)
      } else {
        copies += 1
        staging.copies.append(copies)
      }
    }
  }

  fileprivate mutating func record(
    _ staging: Staging
  ) -> [Changes.StagedChunk] {
    var superseded: [Changes.StagedChunk] = []
    for (number, chunk) in staging.chunks.enumerated() {
      let old = changes.slots[
        staging.slot, default: .init(path: staging.path, opened: staging.opened)
      ].rows.updateValue(staging.row(number), forKey: chunk)
      if let old, old.row.state == .stored {
        let replaced = Changes.StagedChunk(slot: staging.slot, chunk: chunk, row: old)
        superseded.append(replaced)
        if let place = ChangeSet.place(of: replaced) { removing.insert(place) }
      }
    }
    if !superseded.isEmpty { epoch += 1 }
    return superseded
  }
}
