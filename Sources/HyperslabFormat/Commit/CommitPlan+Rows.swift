import HyperslabCodecs
import HyperslabCore

// What a commit does to one data set: its shape, its rows, and the files that follow from them.

extension CommitPlan {
  mutating func addRows(
    _ changes: Changes.Dataset, slot: Int, base: StoreIndex, isNew: Bool
  ) throws(HyperslabError) {
    let path = changes.path
    guard !changes.isGone, var record = index.dataset(path) else {
      throw Self.conflict("the data set is gone", path)
    }
    let old = record
    if changes.rows.values.contains(where: { $0.id ?? old.id != old.id }) {
      throw Self.conflict("the data set was replaced", path)
    }
    let handle = changes.followsHandle || base.dataset(path) == nil ? changes.opened : nil
    let known = [base.dataset(path), handle].compactMap { $0 }.filter { $0.id == old.id }
    // A handle may know a newer commit than the last of this writer.
    let started = isNew ? old : known.max { $0.commit < $1.commit }
    guard let started, started.isCompatible(with: old) else {
      throw Self.conflict("the data set was replaced", path)
    }
    guard started.lastCut == old.lastCut else {
      throw Self.conflict("another writer cut the data set shorter", path)
    }
    guard changes.coding == nil || old.coding == nil || changes.coding == old.coding else {
      throw Self.conflict("another writer has its blocks coded otherwise", path)
    }
    try reshape(&record, changes, started)
    if changes.shape != nil || old.coding == nil && changes.coding != nil { described.insert(path) }
    record.coding = record.coding ?? changes.coding
    guard record.filter != nil || changes.rows.values.allSatisfy({ $0.row.state != .stored }) else {
      throw HyperslabError(
        .invalidValue, "chunks are stored but no filter was chosen", at: "\(path)",
        remedy: "Create the data set with a filter")
    }
    var rows = changes.rows
    try addDropped(changes, old, to: &rows)
    if rows.isEmpty {
      if changes.shape != nil { record.commit = index.commit }
      index.nodes[path] = .dataset(record)
      return
    }
    guard let numbering = ChunkNumbering(old.grid).union(ChunkNumbering(record.grid)) else {
      throw HyperslabError(
        .limit, "a change of shape from \(old.description.shape) to \(record.description.shape)",
        at: "\(path)", remedy: "Commit one change before making the other")
    }
    let (run, making) = try place(
      rows, of: &record, before: newest.table(old), started: isNew ? nil : started,
      slot: slot, path: path, numbering: numbering)
    if run.rows.count > 0 { try addRun(run, waiting: making, to: &record, path) }
    record.commit = index.commit
    index.nodes[path] = .dataset(record)
  }

  /// Gives the data set its new shape; without one, checks that the chunks still fit the one it has.
  private func reshape(
    _ record: inout DatasetRecord, _ changes: Changes.Dataset, _ started: DatasetRecord
  ) throws(HyperslabError) {
    if let shape = changes.shape {
      guard started.description.shape == record.description.shape else {
        throw Self.conflict("another writer changed the shape", changes.path)
      }
      record.description.shape = shape
      if changes.cut != nil { record.lastCut = index.commit }
      if adopting.contains(changes.path) { record.description.raiseMaximum() }
      record.grid = try record.description.validated()
    }
    for (chunk, staged) in changes.rows where staged.shape != record.description.shape {
      let own = try ChunkGrid(arrayShape: staged.shape, chunkShape: record.grid.chunkShape)
      guard record.grid.contains(chunk),
        record.grid.validShape(of: chunk) == own.validShape(of: chunk)
      else {
        throw Self.conflict("the shape changed under chunk \(chunk)", changes.path)
      }
    }
  }

  /// Adds a row for every chunk that shrinking took out of the array. One that it cut was rewritten, unless
  /// this writer did not know of it.
  private func addDropped(
    _ changes: Changes.Dataset, _ old: DatasetRecord, to rows: inout [ChunkIndex: Changes.StagedRow]
  ) throws(HyperslabError) {
    guard let cut = changes.cut else { return }
    var dropped: [ChunkIndex] = []
    try newest.table(old).forEachRow { (chunk, row) throws(HyperslabError) in
      if row.state == .neverWritten || rows[chunk] != nil { return }
      if !cut.contains(chunk) {
        dropped.append(chunk)
      } else if row.state == .stored,
        zip(cut.validShape(of: chunk), old.grid.validShape(of: chunk)).contains(where: { $0 < $1 })
      {
        throw Self.conflict(
          "another writer wrote chunk \(chunk), which shrinking cuts", changes.path)
      }
    }
    for chunk in dropped {
      rows[chunk] = .init(row: .neverWritten, batch: 0, shape: old.description.shape)
    }
  }

  /// Decides for each chunk what becomes of its files, and counts it.
  ///
  /// - Returns: the rows, and which of those that nobody stored before wait for what makes way.
  private mutating func place(
    _ rows: [ChunkIndex: Changes.StagedRow], of record: inout DatasetRecord, before: ChunkTable,
    started: DatasetRecord?, slot: Int, path: NodePath, numbering: ChunkNumbering
  ) throws(HyperslabError) -> (Run, [ChunkIndex]) {
    let expected = started.map { newest.table($0) }
    let numbers = rows.keys.compactMap { chunk in
      numbering.number(of: chunk).map { (number: $0, chunk: chunk) }
    }.sorted { $0.number < $1.number }
    var waiting: [Int] = []
    var dropping: [Int] = []
    var old: [ChunkRow] = []
    var new = ChunkRows()
    var fresh: [ChunkIndex] = []
    var awaiting: [ChunkIndex] = []
    var batch = 0
    var kept: [Int] = []
    for (number, chunk) in numbers {
      guard let staged = rows[chunk] else { continue }
      let row = try unchanged(
        chunk, staged.row, before: before, expected: expected, isSeen: seenSlots.contains(slot),
        path)
      guard let row else {
        if staged.row.state == .stored {
          unneeded.append(
            StoreLayout.staged(writer: writer, slot: slot, chunk: chunk, batch: staged.batch))
        }
        continue
      }
      kept.append(number)
      old.append(row)
      new.append(staged.row)
      batch = Swift.max(batch, staged.batch)
      switch (row.state, staged.row.state) {
      case (.stored, .stored): waiting.append(number)
      case (.stored, _): dropping.append(number)
      // What is taken in makes way once the commit stands.
      case (_, .stored)
      where record.incoming == nil && taken.holds(StoreLayout.chunk(path, chunk)):
        waiting.append(number)
        awaiting.append(chunk)
      case (_, .stored): fresh.append(chunk)
      default: break
      }
    }
    if !waiting.isEmpty || !dropping.isEmpty {
      record.pending = .init(
        writer: writer, slot: slot, batch: batch, numbering: numbering,
        rows: .init(rising: waiting), drop: .init(rising: dropping))
    }
    if !fresh.isEmpty {
      let incoming = record.incoming.map { StoreLayout.incoming(writer: $0, dataset: record.id) }
      self.fresh.append(
        .init(
          from: StoreLayout.stagedChunks(writer: writer, slot: slot, batch: batch),
          to: incoming.map { $0 / "c" } ?? StoreLayout.chunks(path), chunks: fresh))
    }
    try count(&record, old: old, new: new, touched: rows, before: before)
    return (Run(numbering: numbering, ranges: .init(rising: kept), rows: new), awaiting)
  }

  /// The newest row of a chunk, which must say what it said when the writer began; nil where another
  /// writer has written the very same since: encoding is deterministic, and work may be done twice.
  ///
  /// - Parameter isSeen: Whether what was written may follow from what had been there; then the same is no
  ///   work that was done twice.
  private func unchanged(
    _ chunk: ChunkIndex, _ staged: ChunkRow, before: ChunkTable, expected: ChunkTable?,
    isSeen: Bool, _ path: NodePath
  ) throws(HyperslabError) -> ChunkRow? {
    guard let expected, let found = try before.lookUp(chunk) else { return .neverWritten }
    // A run of a later commit may be a merger of older ones, so only the row itself tells.
    if found.commit > expected.record.commit {
      let row: ChunkRow?
      do { row = try expected.row(chunk) } catch {
        // Swept after many commits of others: then it is not known to be the same.
        guard error.code == .damagedTable else { throw error }
        row = nil
      }
      guard row == found.row else {
        if !isSeen, staged == found.row, staged.state != .neverWritten { return nil }
        throw Self.conflict("another writer wrote chunk \(chunk)", path)
      }
    }
    return found.row
  }

  /// Keeps totals and statistics right.
  private func count(
    _ record: inout DatasetRecord, old: [ChunkRow], new: ChunkRows,
    touched: [ChunkIndex: Changes.StagedRow], before: ChunkTable
  ) throws(HyperslabError) {
    let known = record.statistics
    var lost = (minimum: false, maximum: false)
    for row in old {
      record.count(row, -1)
      record.statistics.nanCount -= row.statistics.nanCount
      if row.state == .neverWritten { continue }
      lost.minimum = lost.minimum || row.statistics.minimum == known.minimum
      lost.maximum = lost.maximum || row.statistics.maximum == known.maximum
    }
    if lost.minimum || lost.maximum {
      // An extreme that went may stand in another row; mostly the first few tell.
      var found = ElementStatistics()
      var walk = before.walk()
      while lost.minimum && found.minimum != known.minimum
        || lost.maximum && found.maximum != known.maximum,
        let (number, row, _) = try walk.next()
      {
        if touched[walk.numbering.chunk(number)] == nil { found.formUnion(row.statistics) }
      }
      if lost.minimum { record.statistics.minimum = found.minimum }
      if lost.maximum { record.statistics.maximum = found.maximum }
    }
    for row in new {
      record.count(row, 1)
      record.statistics.formUnion(row.statistics)
    }
    guard record.storedChunks >= 0, record.fillChunks >= 0, record.storedByteCount >= 0,
      record.statistics.nanCount >= 0,
      record.storedChunks + record.fillChunks <= record.grid.chunkCount
    else {
      throw HyperslabError(.damagedIndex, "a data set's totals and its chunk table disagree")
    }
  }

  /// Adds the rows as a new run, merged with as many of the last runs as are due.
  private mutating func addRun(
    _ run: Run, waiting: [ChunkIndex], to record: inout DatasetRecord, _ path: NodePath
  ) throws(HyperslabError) {
    let kept = RunMerging.keptCount(of: record.runs, adding: run.rows.count)
    let table = newest.table(record)
    let commit = index.commit
    let store = index.uuid
    var added: [DatasetRecord.RunReference] = []
    try RunMerging.merge(table, from: kept, with: run) { (piece) throws(HyperslabError) in
      let bytes = try piece.encoded(
        store: store, dataset: record.id, path: path, commit: commit, waiting: waiting)
      let reference = DatasetRecord.RunReference(
        commit: commit, crc: CRC32C.of(bytes), byteCount: bytes.count, numbering: piece.numbering,
        low: piece.ranges.first?.lowerBound ?? 0, high: (piece.ranges.last?.upperBound ?? 1) - 1,
        rows: piece.rows.count)
      added.append(reference)
      runs.append((StoreLayout.run(record.tableDirectory, reference), bytes))
      newest.cache.insert(piece, reference, dataset: record.id)
    }
    record.runs.replaceSubrange(kept..., with: added)
    guard record.runs.count <= StoreIndex.maximumRunCount else {
      throw HyperslabError(
        .limit, "a chunk table of \(record.runs.count) runs", at: "\(path)",
        expected: "at most \(StoreIndex.maximumRunCount)", remedy: "Write it anew in larger chunks")
    }
  }
}
