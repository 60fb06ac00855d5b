import HyperslabCodecs
import HyperslabCore

/// What a commit will do to the disk, worked out against the newest index while the lock is held.
struct CommitPlan {
  /// Staged files of chunks that nobody stored before: they may take their names before the commit.
  var fresh: [(from: StorePath, to: StorePath)] = []
  /// Where new data sets' chunks go; nothing may be there.
  var orphans: [StorePath] = []
  /// New files of chunk tables.
  var runs: [(path: StorePath, bytes: [UInt8])] = []
  /// The index to publish.
  var index: StoreIndex
  private let newest: Snapshot
  private let writer: String

  /// Applies changes to the newest index, refusing what another writer got to first.
  ///
  /// - Parameters:
  ///   - base: The index that the changes were made against.
  ///   - writer: The writer's identifier, from which staged names follow.
  /// - Throws: `conflict` naming the node or chunk.
  init(
    _ changes: Changes, newest: Snapshot, base: StoreIndex, writer: String
  ) throws(HyperslabError) {
    self.newest = newest
    self.writer = writer
    index = newest.index
    guard index.commit < StoreIndex.maximumCommit else {
      throw HyperslabError(.limit, "commit \(index.commit) is the last that can be")
    }
    index.commit += 1
    index.removed = []
    for (path, _) in index.datasets { update(path) { $0.pending = nil } }
    for path in changes.groups.keys.sorted() {
      try addGroup(path, changes.groups[path] ?? [:])
    }
    for path in changes.removed.keys.sorted() { try remove(path, id: changes.removed[path]) }
    for path in changes.datasets.keys.sorted() {
      if let new = changes.datasets[path] { try addDataset(path, new) }
    }
    for (path, values) in changes.attributes { try setAttributes(path, values) }
    for slot in changes.slots.keys.sorted() {
      if let dataset = changes.slots[slot] {
        try addRows(dataset, slot: slot, base: base, isNew: changes.datasets[dataset.path] != nil)
      }
    }
  }

  private mutating func update(_ path: NodePath, _ change: (inout DatasetRecord) -> Void) {
    guard var record = index.dataset(path) else { return }
    change(&record)
    index.nodes[path] = .dataset(record)
  }

  private static func conflict(_ what: String, _ path: NodePath) -> HyperslabError {
    HyperslabError(
      .conflict, what, at: "\(path)",
      remedy: "Another writer was first; open the store again and decide what to keep")
  }

  private mutating func addGroup(_ path: NodePath, _ attributes: JSONObject) throws(HyperslabError)
  {
    switch index.nodes[path] {
    case nil: index.nodes[path] = .group(attributes: attributes, extensions: [:])
    case .group where attributes.isEmpty: break
    case .group, .dataset: throw Self.conflict("the group exists already", path)
    }
  }

  private mutating func remove(_ path: NodePath, id: Int?) throws(HyperslabError) {
    guard let record = index.dataset(path), record.id == id else {
      throw Self.conflict("the data set to remove is not the one there was", path)
    }
    index.nodes[path] = nil
    index.removed.append(.init(id: record.id, path: path))
  }

  private mutating func addDataset(
    _ path: NodePath, _ new: Changes.NewDataset
  ) throws(HyperslabError) {
    if let replaced = new.replaces {
      // What another writer added to it since would be gone unseen.
      guard index.dataset(path)?.commit == new.replacedCommit else {
        throw Self.conflict("another writer changed the data set to replace", path)
      }
      try remove(path, id: replaced)
    } else {
      orphans.append(StoreLayout.chunks(path))
    }
    guard index.nodes[path] == nil else { throw Self.conflict("the data set exists already", path) }
    for ancestor in path.ancestors {
      if index.dataset(ancestor) != nil {
        throw Self.conflict("a data set stands in the way", ancestor)
      }
      if index.nodes[ancestor] == nil {
        index.nodes[ancestor] = .group(attributes: [:], extensions: [:])
      }
    }
    var record = new.record
    record.id = index.nextID
    record.commit = index.commit
    index.nextUnused = record.id + 1
    index.nodes[path] = .dataset(record)
  }

  private mutating func setAttributes(
    _ path: NodePath, _ values: [String: JSONValue?]
  ) throws(HyperslabError) {
    switch index.nodes[path] {
    case .group(var attributes, let extensions):
      for key in values.keys.sorted() { attributes[key] = values[key] ?? nil }
      index.nodes[path] = .group(attributes: attributes, extensions: extensions)
    case .dataset:
      update(path) { record in
        for key in values.keys.sorted() { record.description.attributes[key] = values[key] ?? nil }
      }
    case nil: throw Self.conflict("the node is gone", path)
    }
  }

  private mutating func addRows(
    _ changes: Changes.Dataset, slot: Int, base: StoreIndex, isNew: Bool
  ) throws(HyperslabError) {
    let path = changes.path
    guard var record = index.dataset(path) else {
      throw Self.conflict("the data set is gone", path)
    }
    let known = [base.dataset(path), changes.opened].compactMap { $0 }
    let started = isNew ? record : known.first { $0.id == record.id }
    guard let started, started.isCompatible(with: record),
      changes.filter == nil || record.filter == nil || changes.filter == record.filter
    else { throw Self.conflict("the data set was replaced or reshaped", path) }
    record.filter = record.filter ?? changes.filter
    guard record.filter != nil || changes.rows.values.allSatisfy({ $0.row.state != .stored }) else {
      throw HyperslabError(
        .invalidValue, "chunks are stored but no filter was chosen", at: "\(path)")
    }
    let chunks = changes.rows.keys.sorted()
    if chunks.isEmpty {
      index.nodes[path] = .dataset(record)
      return
    }
    let before = newest.table(record)
    let expected = newest.table(started)
    let mustWait = index.removed.contains { $0.path == path }
    var pending = DatasetRecord.Pending(
      writer: writer, slot: slot, batch: changes.rows.values.map(\.batch).max() ?? 0, rows: [],
      drop: [])
    var waiting: [Int] = []
    var dropping: [Int] = []
    var old: [ChunkRow] = []
    var new: [ChunkRow] = []
    for chunk in chunks {
      guard let staged = changes.rows[chunk] else { continue }
      let row = isNew ? .neverWritten : try before.row(chunk)
      if !isNew, started.runs != record.runs, try Self.row(chunk, in: expected) != row {
        throw Self.conflict(
          "another writer wrote chunk \(record.grid.index(ofNumber: chunk))", path)
      }
      old.append(row)
      new.append(staged.row)
      switch (row.state, staged.row.state) {
      case (.stored, .stored): waiting.append(chunk)
      case (.stored, _): dropping.append(chunk)
      case (_, .stored) where mustWait: waiting.append(chunk)
      case (_, .stored):
        let from = StoreLayout.staged(writer: writer, slot: slot, chunk: chunk, batch: staged.batch)
        fresh.append((from, StoreLayout.chunk(path, record.grid.index(ofNumber: chunk))))
      default: break
      }
    }
    pending.rows = .init(rising: waiting)
    pending.drop = .init(rising: dropping)
    record.pending = waiting.isEmpty && dropping.isEmpty ? nil : pending
    try count(&record, old: old, new: new, chunks: Set(chunks), before: before)
    let run = Run(gridShape: record.grid.gridShape, ranges: .init(rising: chunks), rows: new)
    try addRun(run, to: &record)
    record.commit = index.commit
    index.nodes[path] = .dataset(record)
  }

  /// A row as the session started from; its runs may have been swept after many other commits.
  private static func row(
    _ chunk: Int, in expected: ChunkTable
  ) throws(HyperslabError) -> ChunkRow? {
    do { return try expected.row(chunk) } catch {
      if error.code == .damagedTable { return nil }
      throw error
    }
  }

  /// Keeps totals and statistics right; the extremes are searched anew only when one was replaced.
  private func count(
    _ record: inout DatasetRecord, old: [ChunkRow], new: [ChunkRow], chunks: Set<Int>,
    before: ChunkTable
  ) throws(HyperslabError) {
    var mustSearch = false
    for row in old {
      record.count(row, -1)
      record.statistics.nanCount -= row.statistics.nanCount
      if row.state != .neverWritten {
        mustSearch =
          mustSearch || row.statistics.minimum == record.statistics.minimum
          || row.statistics.maximum == record.statistics.maximum
      }
    }
    if mustSearch {
      var statistics = ElementStatistics()
      try before.forEachRow { number, row in
        if !chunks.contains(number) { statistics.formUnion(row.statistics) }
      }
      record.statistics = statistics
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
  private mutating func addRun(_ run: Run, to record: inout DatasetRecord) throws(HyperslabError) {
    let kept = RunMerging.keptCount(of: record.runs, adding: run.rows.count)
    var merged = run
    if kept < record.runs.count {
      var older: [Run] = []
      for reference in record.runs[kept...] {
        older.append(try newest.cache.run(reference, of: record, store: index.uuid))
      }
      merged = RunMerging.merge(older + [run], gridShape: record.grid.gridShape)
    }
    record.runs.removeSubrange(kept...)
    for piece in RunMerging.split(merged) {
      let bytes = try piece.encoded(store: index.uuid, dataset: record.id, commit: index.commit)
      let reference = DatasetRecord.RunReference(
        commit: index.commit, crc: CRC32C.of(bytes), byteCount: bytes.count,
        low: piece.ranges.first?.lowerBound ?? 0,
        high: (piece.ranges.last?.upperBound ?? 1) - 1, rows: piece.rows.count)
      record.runs.append(reference)
      runs.append((StoreLayout.run(record.tableDirectory, reference), bytes))
      newest.cache.insert(piece, reference, dataset: record.id)
    }
    guard record.runs.count <= StoreIndex.maximumRunCount else {
      throw HyperslabError(.limit, "a chunk table of \(record.runs.count) runs")
    }
  }
}
