import HyperslabCodecs
import HyperslabCore
import HyperslabTestSupport
import Testing

@testable import HyperslabFormat

/// Chunk tables in memory: random commits against a dictionary.
@Suite struct RunMergingTests {
  /// A table of runs that were never written to a disk, committed to as a writer does.
  private struct Table {
    var record: DatasetRecord
    let cache: RunCache
    let store = String(repeating: "0", count: 32)
    var written = 0
    var added = 0

    init(_ shape: Shape) throws {
      let directory = try TemporaryDirectory()
      cache = RunCache(files: try LocalFileSystem(root: directory.path))
      let description = DatasetDescription(
        shape: shape, chunkShape: Shape(shape.map { _ in 1 }), dataType: .int32)
      record = DatasetRecord(
        id: 0, description: description, grid: try description.validated(), filter: Filter.none,
        blockByteCount: 1 << 16, commit: 0)
    }

    var table: ChunkTable { ChunkTable(record: record, store: store, cache: cache) }

    mutating func resize(to shape: Shape) throws {
      record.description.shape = shape
      record.description.maximumShape = shape.map { $0 }
      record.grid = try record.description.validated()
    }

    mutating func commit(_ rows: [Int: ChunkRow]) throws {
      record.commit += 1
      let numbers = rows.keys.sorted()
      let new = Run(
        numbering: ChunkNumbering(record.grid), ranges: .init(rising: numbers),
        rows: ChunkRows(numbers.compactMap { rows[$0] }))
      try commit(new)
    }

    /// Adds rows numbered in any grid.
    mutating func commit(_ rows: Run) throws {
      let kept = RunMerging.keptCount(of: record.runs, adding: rows.rows.count)
      var added: [DatasetRecord.RunReference] = []
      try RunMerging.merge(table, from: kept, with: rows) { (piece) throws(HyperslabError) in
        let reference = DatasetRecord.RunReference(
          commit: record.commit, crc: UInt32(piece.ranges[0].lowerBound), byteCount: 1,
          numbering: piece.numbering, low: piece.ranges[0].lowerBound,
          high: (piece.ranges.last?.upperBound ?? 1) - 1, rows: piece.rows.count)
        added.append(reference)
        cache.insert(piece, reference, dataset: 0)
        written += piece.rows.count
        #expect(piece.rows.count <= StoreIndex.rowsPerRun)
      }
      record.runs.replaceSubrange(kept..., with: added)
      self.added += rows.rows.count
    }
  }

  private func row(_ value: Int) -> ChunkRow {
    ChunkRow(
      state: value % 3 == 0 ? .fill : .stored, byteCount: value, crc: UInt32(value))
  }

  private func check(_ table: Table, _ model: [ChunkIndex: ChunkRow]) throws {
    let grid = table.record.grid
    for number in 0..<grid.chunkCount {
      let wanted = model[try grid.index(ofNumber: number)] ?? .neverWritten
      #expect(try table.table.row(try grid.index(ofNumber: number)) == wanted)
    }
    var seen: [ChunkIndex: ChunkRow] = [:]
    try table.table.forEachRow { chunk, row in
      #expect(grid.contains(chunk) && seen.updateValue(row, forKey: chunk) == nil)
    }
    #expect(seen.filter { $0.value.state != .neverWritten } == model)
  }

  @Test(arguments: 0..<12)
  func randomCommitsEqualADictionary(trial: Int) throws {
    var generator = SeededGenerator("runs", trial)
    let rank = Int.random(in: 1...3, using: &generator)
    var shape = Shape((0..<rank).map { _ in Int.random(in: 1...6, using: &generator) })
    var table = try Table(shape)
    var model: [ChunkIndex: ChunkRow] = [:]
    for commit in 1...250 {
      if generator.chance(1, in: 25) {
        shape = Shape(shape.map { $0 + Int.random(in: 0...1, using: &generator) })
        try table.resize(to: shape)
      } else if generator.chance(1, in: 40) {
        shape = Shape(shape.map { Swift.max(1, $0 - Int.random(in: 0...2, using: &generator)) })
        try shrink(&table, to: shape, &model)
      }
      let grid = table.record.grid
      var rows: [Int: ChunkRow] = [:]
      for _ in 0..<Int.random(in: 1...Swift.max(1, grid.chunkCount / 2), using: &generator) {
        let number = Int.random(in: 0..<grid.chunkCount, using: &generator)
        rows[number] = row(commit * 100 + number)
      }
      try table.commit(rows)
      for (number, row) in rows { model[try grid.index(ofNumber: number)] = row }
      if commit % 25 == 0 { try check(table, model) }
    }
    try check(table, model)
  }

  /// Shrinks a table as a commit does: a row for each chunk that leaves, numbered in the old grid.
  private func shrink(
    _ table: inout Table, to shape: Shape, _ model: inout [ChunkIndex: ChunkRow]
  ) throws {
    let old = ChunkNumbering(table.record.grid)
    try table.resize(to: shape)
    let grid = table.record.grid
    let gone = model.keys.filter { !grid.contains($0) }
    for chunk in gone { model[chunk] = nil }
    if gone.isEmpty { return }
    let numbers = gone.compactMap { old.number(of: $0) }.sorted()
    table.record.commit += 1
    try table.commit(
      Run(
        numbering: old, ranges: .init(rising: numbers),
        rows: ChunkRows(numbers.map { _ in .neverWritten })))
  }

  /// Buffers of rows, buffers of columns, single chunks, and a mixture: few runs, few rewrites.
  @Test(arguments: ["rows", "columns", "single", "mixed", "shrinking"])
  func fewRunsAndFewRewrites(pattern: String) throws {
    let side = 60
    var table = try Table([side, side])
    var generator = SeededGenerator("bound \(pattern)")
    var most = 0
    for commit in 0..<side * (pattern == "single" ? side : 1) * (pattern == "mixed" ? 20 : 1) {
      let numbers: [Int]
      switch pattern {
      case "rows": numbers = (0..<side).map { commit * side + $0 }
      case "columns": numbers = (0..<side).map { $0 * side + commit }
      case "single": numbers = [commit]
      case "shrinking": numbers = Array(0..<(side - commit))
      default:
        let count = 1 << Int.random(in: 0...10, using: &generator)
        let start = Int.random(in: 0...side * side - count, using: &generator)
        numbers = Array(start..<start + count)
      }
      try table.commit(Dictionary(uniqueKeysWithValues: numbers.map { ($0, row($0)) }))
      most = Swift.max(most, table.record.runs.count)
    }
    #expect(most <= 40, "\(most) runs")
    #expect(table.written <= 7 * table.added, "\(table.written) rows for \(table.added)")
  }

  @Test func aLargeRunIsSplitAndFound() throws {
    let count = 3 * StoreIndex.rowsPerRun + 17
    var table = try Table([count])
    try table.commit(Dictionary(uniqueKeysWithValues: (0..<count).map { ($0, row($0)) }))
    #expect(table.record.runs.count == 4)
    for number in [0, 16383, 16384, 32767, 32768, count - 1] {
      #expect(try table.table.row([number]) == row(number))
    }
    #expect(try table.table.row([count]) == .neverWritten)
  }

  @Test func numbersFollowTheirChunksIntoOtherGrids() throws {
    func translate(_ number: Int, from old: Shape, to new: Shape) throws -> Int? {
      try #require(ChunkNumbering(old)).translate(number, to: try #require(ChunkNumbering(new)))
    }
    #expect(try translate(7, from: [2, 4], to: [2, 5]) == 8)
    #expect(try translate(7, from: [2, 4], to: [3, 4]) == 7)
    #expect(try translate(7, from: [2, 4], to: [2, 3]) == nil)
    #expect(try translate(7, from: [2, 4], to: [8]) == nil)
    #expect(try translate(0, from: [], to: []) == 0)
    // Products beyond 64 bits beside an empty axis.
    #expect(try translate(0, from: [1, 1, 1], to: [0, 1 << 61, 1 << 61]) == nil)
    #expect(ChunkNumbering([1 << 40, 1 << 40]) == nil)
    let wide = try #require(ChunkNumbering([3, 1]))
    #expect(wide.union(try #require(ChunkNumbering([1, 4])))?.gridShape == [3, 4])
    #expect(wide.union(try #require(ChunkNumbering([1, 1 << 40]))) == nil)
  }

  @Test func aRunReadsBackAsWritten() throws {
    var generator = SeededGenerator("run")
    let rows = (0..<100).map { number in
      ChunkRow(
        state: [.stored, .fill, .neverWritten][number % 3], byteCount: number * 1000,
        crc: UInt32.random(in: .min ... .max, using: &generator),
        statistics: ElementStatistics(
          minimum: [nil, .real(-.infinity), .real(-0.1), .real(.leastNonzeroMagnitude)][number % 4],
          maximum: [nil, .real(.infinity), .real(0.1), .real(1.7e308)][number % 4],
          nanCount: number))
    }
    let numbering = try #require(ChunkNumbering([10, 30]))
    let run = Run(numbering: numbering, ranges: [3..<53, 60..<110], rows: ChunkRows(rows))
    let store = String(repeating: "a", count: 32)
    let bytes = try run.encoded(
      store: store, dataset: 4, path: try NodePath("a/b"), commit: 9)
    let reference = DatasetRecord.RunReference(
      commit: 9, crc: CRC32C.of(bytes), byteCount: bytes.count, numbering: numbering, low: 3,
      high: 109, rows: 100)
    let found = try Run(
      bytes, store: store, dataset: 4, reference: reference, dataType: .float64, place: "run")
    #expect(Array(found.rows) == rows && found.ranges == run.ranges && found.numbering == numbering)
    for (dataset, commit, id) in [(5, 9, store), (4, 8, store), (4, 9, "b")] {
      var other = reference
      other.commit = commit
      expectError(.damagedTable) {
        _ = try Run(
          bytes, store: id, dataset: dataset, reference: other, dataType: .float64, place: "run")
      }
    }
  }
}
