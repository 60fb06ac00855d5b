import HyperslabCodecs
import HyperslabCore

// Chunk tables of which runs are damaged or missing.

extension Repairer {
  /// Makes a data set's table sound.
  ///
  /// A run's name is its checksum, so what may have stood in a lost one can be tried: the file with
  /// one bit turned, and the rows that the chunk files would have given. Only where nothing sums up
  /// is the table written anew, with fewer rows.
  ///
  /// - Returns: the record with a new table; nil where the index's own is whole.
  mutating func repairTable(
    _ path: NodePath, _ record: DatasetRecord, _ index: StoreIndex
  ) throws(HyperslabError) -> DatasetRecord? {
    var isWhole = true
    for reference in record.runs where try run(reference, of: record, index) == nil {
      try refuseLink(StoreLayout.run(record.tableDirectory, reference))
      isWhole = false
    }
    if isWhole { return try recounted(path, record, index) }
    // Only a damaged table is held in memory as a whole.
    var runs: [Run?] = []
    for reference in record.runs { runs.append(try run(reference, of: record, index)) }
    let examiner = try ChunkExaminer(files: files, path: path, record: record)
    var salvage = TableSalvage(
      path: path, record: record, runs: runs, examiner: examiner, store: index.uuid,
      guessBudget: guessBudget)
    defer { guessBudget = salvage.guessBudget }
    try salvage.examine()
    for position in record.runs.indices.reversed() where runs[position] == nil {
      guard let bytes = try salvage.restored(position) else { continue }
      let file = StoreLayout.run(record.tableDirectory, record.runs[position])
      // As it is told what it must be, what is there may be somebody's.
      if let found = try contents(file), !Provenance.isRunOrRemains(found, of: index.uuid) {
        try setAside(file, named: "d\(record.id)-\(file.name)")
      }
      try replace(file, with: bytes)
      note(file, .table, "restored; what the chunk files imply has its checksum")
      runs[position] = try run(record.runs[position], of: record, index)
      salvage.accept(runs[position], at: position)
    }
    if !runs.contains(where: { $0 == nil }) { return try recounted(path, record, index) }
    var outcome = try salvage.rebuilt()
    for chunk in try listedBefore(outcome.adopted, path, record, outcome.rows, index) {
      outcome.rows[chunk] = nil
      outcome.adopted.removeAll { $0 == chunk }
      outcome.doubtful.append(chunk)
    }
    keepsOrphans = true
    for (position, reference) in record.runs.enumerated() where runs[position] == nil {
      let file = StoreLayout.run(record.tableDirectory, reference)
      if try files.status(file) != nil {
        try setAside(file, named: "d\(record.id)-\(file.name)")
      }
      note(file, .table, "lost; its rows are told from the chunk files where they tell")
    }
    let told = outcome.rows.values.filter { $0.state != .neverWritten }.count
    let untold = record.storedChunks + record.fillChunks - told
    if untold > 0 {
      note(
        record.tableDirectory, .table,
        "\(untold) chunks of \(path) that were written are told of by nothing; never written now")
    }
    for chunk in outcome.adopted {
      note(
        StoreLayout.chunk(path, chunk), .table,
        "kept on its own checksums; nothing is left that proves it to be this chunk", chunk: chunk)
    }
    for chunk in outcome.doubtful {
      let place = StoreLayout.chunk(path, chunk)
      if try files.status(place) != nil {
        try setAside(
          place, named: Self.lostName(record, chunk), .stale,
          "may not be the newest, and no table is left to tell; never written now", chunk: chunk)
      }
    }
    return try rewritten(path, record, rows: outcome.rows)
  }

  /// Those of some chunks that are, as far as can be told, of a data set that stood here before: a run of that one
  /// lists just such a file.
  private mutating func listedBefore(
    _ chunks: [ChunkIndex], _ path: NodePath, _ record: DatasetRecord,
    _ rows: [ChunkIndex: ChunkRow], _ index: StoreIndex
  ) throws(HyperslabError) -> Set<ChunkIndex> {
    if chunks.isEmpty { return [] }
    let asked = Set(chunks)
    var result: Set<ChunkIndex> = []
    for found in try FoundRun.all(in: files)
    where found.path == path && found.dataset != record.id && found.store == index.uuid {
      var before = record
      before.id = found.dataset
      guard let run = try run(found.reference, of: before, index) else { continue }
      for (number, row) in run.numbered where row.state == .stored {
        let chunk = run.numbering.chunk(number)
        if asked.contains(chunk), let own = rows[chunk], own.crc == row.crc,
          own.byteCount == row.byteCount
        {
          result.insert(chunk)
        }
      }
    }
    return result
  }

  /// A listed run; nil where it is lost. A single flipped bit is corrected on the way.
  mutating func run(
    _ reference: DatasetRecord.RunReference, of record: DatasetRecord, _ index: StoreIndex
  ) throws(HyperslabError) -> Run? {
    do throws(HyperslabError) {
      return try cache.run(reference, of: record, store: index.uuid)
    } catch {
      guard error.isDamage else { throw error }
    }
    let file = StoreLayout.run(record.tableDirectory, reference)
    guard let found = try contents(file), try correct(file, found, reference) else { return nil }
    do { return try cache.run(reference, of: record, store: index.uuid) } catch {
      guard error.isDamage else { throw error }
      return nil
    }
  }

  /// The record with the totals of its table, where they disagree.
  private mutating func recounted(
    _ path: NodePath, _ record: DatasetRecord, _ index: StoreIndex
  ) throws(HyperslabError) -> DatasetRecord? {
    var totals = record
    totals.resetTotals()
    try Snapshot(index: index, cache: cache).table(record).forEachRow { _, row in
      totals.count(row, 1)
      totals.statistics.formUnion(row.statistics)
    }
    if totals.hasTotals(of: record) { return nil }
    note(StoreLayout.index, .index, "the totals of \(path) counted anew")
    return totals
  }

  /// The record with a table of exactly these rows, to be written with the next index.
  mutating func rewritten(
    _ path: NodePath, _ record: DatasetRecord, rows: [ChunkIndex: ChunkRow]
  ) throws(HyperslabError) -> DatasetRecord {
    var result = record
    result.resetTotals()
    result.runs = []
    result.commit = nextCommit
    let numbering = ChunkNumbering(record.grid)
    let rising = rows.compactMap { chunk, row in numbering.number(of: chunk).map { ($0, row) } }
      .sorted { $0.0 < $1.0 }
    for start in stride(from: 0, to: rising.count, by: StoreIndex.rowsPerRun) {
      let part = rising[start..<Swift.min(start + StoreIndex.rowsPerRun, rising.count)]
      for (_, row) in part {
        result.count(row, 1)
        result.statistics.formUnion(row.statistics)
      }
      let piece = Run(
        numbering: numbering, ranges: .init(rising: part.map(\.0)), rows: ChunkRows(part.map(\.1)))
      let bytes = try piece.encoded(
        store: storeUUID, dataset: record.id, path: path, commit: nextCommit)
      let reference = DatasetRecord.RunReference(
        commit: nextCommit, crc: CRC32C.of(bytes), byteCount: bytes.count, numbering: numbering,
        low: part.first?.0 ?? 0, high: part.last?.0 ?? 0, rows: part.count)
      result.runs.append(reference)
      newRuns[StoreLayout.run(record.tableDirectory, reference)] = bytes
      cache.insert(piece, reference, dataset: record.id)
    }
    return result
  }
}
