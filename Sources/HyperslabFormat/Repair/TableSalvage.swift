import HyperslabCodecs
import HyperslabCore

/// Works out what lost runs of one chunk table held, from the runs that are left, the chunk files
/// and the totals in the index. Changes nothing.
///
/// Files at their final names are those of the last commit once that is settled. So a file that is
/// not the one an older run lists was listed by a lost one; a file that *is* the one an older run
/// lists most likely was not touched by a lost one. Most likely is not enough where the store can
/// tell otherwise: a lost run without gaps listed every chunk in its range, so that an older row's
/// file there is out of date, and a table whose counts come out higher than the index's holds
/// something that should not be there. Such chunks are given up rather than shown with what may be
/// an older value.
struct TableSalvage {
  /// A new table.
  struct Outcome {
    var rows: [ChunkIndex: ChunkRow] = [:]
    /// Chunks that only their own file speaks for.
    var adopted: [ChunkIndex] = []
    /// Chunks whose file contradicts what else is known.
    var doubtful: [ChunkIndex] = []
  }

  private let path: NodePath
  private let record: DatasetRecord
  private let store: String
  private let examiner: ChunkExaminer?
  private var runs: [Run?]
  /// What ``rows()`` came to for these runs.
  private var known: (sure: [ChunkIndex: ChunkRow], older: [ChunkIndex: ChunkRow])?
  /// How many chunks of a store are thought of for which nothing stands but the range that a lost run
  /// claims: as many as eight runs may have, of whatever data sets.
  static let guesses = 8 * StoreIndex.rowsPerRun
  /// How many more there may be.
  private(set) var guessBudget: Int
  /// With more lost runs than this each may have listed anything.
  private static let mostLostRunsApart = 64
  /// The rows that sound files imply, of chunks that a lost run may have listed.
  private var found: [ChunkIndex: ChunkRow] = [:]
  /// Such chunks with a file that is not sound.
  private var broken: Set<ChunkIndex> = []

  init(
    path: NodePath, record: DatasetRecord, runs: [Run?], examiner: ChunkExaminer?, store: String,
    guessBudget: Int
  ) {
    self.guessBudget = guessBudget
    self.path = path
    self.record = record
    self.runs = runs
    self.examiner = examiner
    self.store = store
  }

  /// Reads every chunk file that a lost run may have listed.
  mutating func examine() throws(HyperslabError) {
    guard let examiner else { return }
    var chunks = Set(try examiner.inventory())
    if let pending = record.pending {
      for number in pending.rows.joined() { chunks.insert(pending.numbering.chunk(number)) }
    }
    let (known, lost) = (rows(), lost)
    for chunk in chunks where known.sure[chunk] == nil && record.grid.contains(chunk) {
      guard Self.mayList(lost, chunk) else { continue }
      if let row = try examiner.row(chunk) { found[chunk] = row } else { broken.insert(chunk) }
    }
  }

  /// Takes a run that was restored.
  mutating func accept(_ run: Run?, at position: Int) {
    runs[position] = run
    known = nil
  }

  // MARK: - What the runs say

  private var lost: [DatasetRecord.RunReference] {
    zip(record.runs, runs).filter { $0.1 == nil }.map(\.0)
  }

  /// The rows that no lost run can have replaced, and those of older runs that one may have.
  private mutating func rows() -> (sure: [ChunkIndex: ChunkRow], older: [ChunkIndex: ChunkRow]) {
    if let known { return known }
    let result = toldRows()
    known = result
    return result
  }

  /// Whether a lost run may have listed a chunk.
  private static func mayList(_ lost: [DatasetRecord.RunReference], _ chunk: ChunkIndex) -> Bool {
    lost.count > mostLostRunsApart || lost.contains { $0.number(of: chunk) != nil }
  }

  private func toldRows() -> (sure: [ChunkIndex: ChunkRow], older: [ChunkIndex: ChunkRow]) {
    var sure: [ChunkIndex: ChunkRow] = [:]
    var older: [ChunkIndex: ChunkRow] = [:]
    var lost: [DatasetRecord.RunReference] = []
    for index in record.runs.indices.reversed() {
      guard let run = runs[index] else {
        lost.append(record.runs[index])
        continue
      }
      for (own, row) in run.numbered {
        let chunk = run.numbering.chunk(own)
        guard record.grid.contains(chunk), sure[chunk] == nil, older[chunk] == nil else { continue }
        if Self.mayList(lost, chunk) {
          older[chunk] = row
        } else {
          sure[chunk] = row
        }
      }
    }
    return (sure, older)
  }

  // MARK: - Proof

  /// The bytes of a lost run, if rows that the chunk files imply sum to the checksum in its name.
  mutating func restored(_ position: Int) throws(HyperslabError) -> [UInt8]? {
    guard let examiner else { return nil }
    let reference = record.runs[position]
    let (sure, older) = rows()
    let span = reference.high - reference.low + 1
    // Other runs' rows hide what this one said.
    var sound: [(number: Int, chunk: ChunkIndex)] = []
    for chunk in found.keys where sure[chunk] == nil {
      if let number = reference.number(of: chunk) { sound.append((number, chunk)) }
    }
    let changed = sound.filter { found[$0.chunk] != older[$0.chunk] }
    var guesses = [changed, sound]
    if span <= 4 * StoreIndex.rowsPerRun, span <= guessBudget {
      guessBudget -= span
      let free = (reference.low...reference.high).map { ($0, reference.numbering.chunk($0)) }
        .filter { sure[$0.1] == nil && !broken.contains($0.1) && record.grid.contains($0.1) }
      guesses.append(free)
      guesses.append(
        changed + free.filter { found[$0.1] == nil && older[$0.1]?.state != .fill })
    }
    for guess in guesses where guess.count == reference.rows {
      var rows: [ChunkRow] = []
      let rising = guess.sorted { $0.number < $1.number }
      for (_, chunk) in rising {
        if let row = found[chunk] {
          rows.append(row)
        } else {
          rows.append(examiner.fillRow(chunk))
        }
      }
      let run = Run(
        numbering: reference.numbering, ranges: .init(rising: rising.map(\.number)),
        rows: ChunkRows(rows))
      let bytes = try run.encoded(
        store: store, dataset: record.id, path: path, commit: reference.commit)
      if bytes.count == reference.byteCount, CRC32C.of(bytes) == reference.crc { return bytes }
    }
    return nil
  }

  // MARK: - Without proof

  /// The rows that can be stood by.
  mutating func rebuilt() throws(HyperslabError) -> Outcome {
    let (sure, older) = rows()
    var outcome = Outcome(rows: sure)
    var unchanged: [ChunkIndex] = []
    for (chunk, row) in found where sure[chunk] == nil {
      if older[chunk] != row {
        outcome.adopted.append(chunk)
      } else if isListedForSure(chunk) {
        outcome.doubtful.append(chunk)
        continue
      } else {
        unchanged.append(chunk)
      }
      outcome.rows[chunk] = row
    }
    let gone = older.count { $0.value.state == .stored && found[$0.key] == nil }
    let lostRows = lost.reduce(0) { $0 + $1.rows }
    if outcome.adopted.count > lostRows || contradictsTotals(outcome.rows) {
      // Swapped, out of date, or never committed: nothing tells which.
      for chunk in unchanged + outcome.adopted { outcome.rows[chunk] = nil }
      outcome.doubtful += unchanged + outcome.adopted
      outcome.adopted = []
    } else if outcome.adopted.count + gone == lostRows {
      // Every row of the lost runs is accounted for: older rows hold wherever nothing changed.
      for (chunk, row) in older where row.state == .fill && found[chunk] == nil {
        outcome.rows[chunk] = row
      }
    } else {
      outcome.adopted += unchanged
    }
    try addFills(&outcome, sure: sure, older: older)
    outcome.adopted.sort { $0.coordinates.lexicographicallyPrecedes($1.coordinates) }
    outcome.doubtful.sort { $0.coordinates.lexicographicallyPrecedes($1.coordinates) }
    return outcome
  }

  /// Whether a lost run must have listed a chunk: one without gaps, or the one that left it pending.
  private func isListedForSure(_ chunk: ChunkIndex) -> Bool {
    record.pending?.stagedFile(of: chunk) != nil
      || lost.contains { $0.rows == $0.high - $0.low + 1 && $0.number(of: chunk) != nil }
  }

  /// Whether there is more than the index counts, or as much, but other things.
  private func contradictsTotals(_ rows: [ChunkIndex: ChunkRow]) -> Bool {
    var totals = record
    totals.resetTotals()
    for row in rows.values where row.state == .stored { totals.count(row, 1) }
    return totals.storedChunks > record.storedChunks
      || totals.storedByteCount > record.storedByteCount
      || totals.storedChunks == record.storedChunks
        && totals.storedByteCount != record.storedByteCount
  }

  /// Chunks of nothing but fill leave no trace but a count; only where every one of the chunks
  /// without a file must be one of them are they known.
  private mutating func addFills(
    _ outcome: inout Outcome, sure: [ChunkIndex: ChunkRow], older: [ChunkIndex: ChunkRow]
  ) throws(HyperslabError) {
    guard let examiner else { return }
    let stored = outcome.rows.values.filter { $0.state == .stored }
    guard stored.count == record.storedChunks,
      stored.reduce(0, { $0 + $1.byteCount }) == record.storedByteCount
    else { return }
    let missing = record.fillChunks - outcome.rows.values.count { $0.state == .fill }
    guard missing > 0 else { return }
    var open = Set(older.keys.filter { older[$0]?.state == .fill && outcome.rows[$0] == nil })
    for reference in lost {
      let span = reference.high - reference.low
      guard span <= missing + outcome.rows.count, span < guessBudget else { return }
      guessBudget -= span
      for number in reference.low...reference.high {
        let chunk = reference.numbering.chunk(number)
        if record.grid.contains(chunk), outcome.rows[chunk] == nil { open.insert(chunk) }
      }
    }
    guard open.count == missing else { return }
    for chunk in open { outcome.rows[chunk] = examiner.fillRow(chunk) }
  }
}
