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
    var rows: [Int: ChunkRow] = [:]
    /// Chunks that only their own file speaks for.
    var adopted: [Int] = []
    /// Chunks whose file contradicts what else is known.
    var doubtful: [Int] = []
  }

  private let path: NodePath
  private let record: DatasetRecord
  private let store: String
  private let examiner: ChunkExaminer?
  private var runs: [Run?]
  /// The rows that sound files imply, of chunks that a lost run may have listed.
  private var found: [Int: ChunkRow] = [:]
  /// Such chunks with a file that is not sound.
  private var broken: Set<Int> = []

  init(
    path: NodePath, record: DatasetRecord, runs: [Run?], examiner: ChunkExaminer?, store: String
  ) {
    self.path = path
    self.record = record
    self.runs = runs
    self.examiner = examiner
    self.store = store
  }

  /// Reads every chunk file that a lost run may have listed.
  mutating func examine() throws(HyperslabError) {
    guard let examiner else { return }
    var numbers = Set(try examiner.inventory())
    for range in record.pending?.rows ?? [] { numbers.formUnion(range) }
    let known = rows()
    for number in numbers where known.sure[number] == nil && isUncertain(number) {
      if let row = try examiner.row(number) { found[number] = row } else { broken.insert(number) }
    }
  }

  /// Takes a run that was restored.
  mutating func accept(_ run: Run?, at position: Int) { runs[position] = run }

  // MARK: - What the runs say

  private func grid(of reference: DatasetRecord.RunReference) -> Shape { record.grid.gridShape }

  /// Whether a lost run may have listed a chunk.
  private func isUncertain(_ number: Int) -> Bool {
    record.runs.indices.contains { runs[$0] == nil && covers(record.runs[$0], number) }
  }

  private func covers(_ reference: DatasetRecord.RunReference, _ number: Int) -> Bool {
    guard
      let own = ChunkTable.translate(
        number, from: record.grid.gridShape, to: grid(of: reference))
    else { return false }
    return own >= reference.low && own <= reference.high
  }

  /// The rows that no lost run can have replaced, and those of older runs that one may have.
  private func rows() -> (sure: [Int: ChunkRow], older: [Int: ChunkRow]) {
    var sure: [Int: ChunkRow] = [:]
    var older: [Int: ChunkRow] = [:]
    var lost: [DatasetRecord.RunReference] = []
    for index in record.runs.indices.reversed() {
      guard let run = runs[index] else {
        lost.append(record.runs[index])
        continue
      }
      for (own, row) in run.numbered {
        guard
          let number = ChunkTable.translate(
            own, from: run.gridShape, to: record.grid.gridShape),
          sure[number] == nil, older[number] == nil
        else { continue }
        if lost.contains(where: { covers($0, number) }) {
          older[number] = row
        } else {
          sure[number] = row
        }
      }
    }
    return (sure, older)
  }

  // MARK: - Proof

  /// The bytes of a lost run, if rows that the chunk files imply sum to the checksum in its name.
  func restored(_ position: Int) throws(HyperslabError) -> [UInt8]? {
    guard let examiner else { return nil }
    let reference = record.runs[position]
    let (sure, older) = rows()
    let span = reference.high - reference.low + 1
    // Other runs' rows hide what this one said.
    let sound = found.keys.filter { covers(reference, $0) }.sorted()
    let changed = sound.filter { found[$0] != older[$0] }
    var guesses = [changed, sound]
    if span <= 4 * StoreIndex.rowsPerRun {
      let all = (reference.low...reference.high).compactMap { own in
        ChunkTable.translate(own, from: grid(of: reference), to: record.grid.gridShape)
      }
      let free = all.filter { sure[$0] == nil && !broken.contains($0) }
      guesses.append(free)
      let empty = free.filter { found[$0] == nil && older[$0]?.state != .fill }
      guesses.append((changed + empty).sorted())
    }
    for guess in guesses where guess.count == reference.rows {
      var rows: [ChunkRow] = []
      for number in guess {
        if let row = found[number] {
          rows.append(row)
        } else {
          rows.append(try examiner.fillRow(number))
        }
      }
      let own = guess.compactMap {
        ChunkTable.translate($0, from: record.grid.gridShape, to: grid(of: reference))
      }
      guard own.count == guess.count else { continue }
      let run = Run(gridShape: grid(of: reference), ranges: .init(rising: own), rows: rows)
      let bytes = try run.encoded(store: store, dataset: record.id, commit: reference.commit)
      if bytes.count == reference.byteCount, CRC32C.of(bytes) == reference.crc { return bytes }
    }
    return nil
  }

  // MARK: - Without proof

  /// The rows that can be stood by.
  func rebuilt() throws(HyperslabError) -> Outcome {
    let (sure, older) = rows()
    var outcome = Outcome(rows: sure)
    var unchanged: [Int] = []
    for (number, row) in found where sure[number] == nil {
      if older[number] != row {
        outcome.adopted.append(number)
      } else if isListedForSure(number) {
        outcome.doubtful.append(number)
        continue
      } else {
        unchanged.append(number)
      }
      outcome.rows[number] = row
    }
    let gone = older.count { $0.value.state == .stored && found[$0.key] == nil }
    let lostRows = record.runs.indices.reduce(0) {
      $0 + (runs[$1] == nil ? record.runs[$1].rows : 0)
    }
    if outcome.adopted.count > lostRows || contradictsTotals(outcome.rows) {
      // Swapped, out of date, or never committed: nothing tells which.
      for number in unchanged + outcome.adopted { outcome.rows[number] = nil }
      outcome.doubtful += unchanged + outcome.adopted
      outcome.adopted = []
    } else if outcome.adopted.count + gone == lostRows {
      // Every row of the lost runs is accounted for: older rows hold wherever nothing changed.
      for (number, row) in older where row.state == .fill && found[number] == nil {
        outcome.rows[number] = row
      }
    } else {
      outcome.adopted += unchanged
    }
    try addFills(&outcome, sure: sure, older: older)
    outcome.adopted.sort()
    outcome.doubtful.sort()
    return outcome
  }

  /// Whether a lost run must have listed a chunk: one without gaps, or the one that left it pending.
  private func isListedForSure(_ number: Int) -> Bool {
    if record.pending?.rows.contains(where: { $0.contains(number) }) == true { return true }
    return record.runs.indices.contains { index in
      let reference = record.runs[index]
      return runs[index] == nil && reference.rows == reference.high - reference.low + 1
        && covers(reference, number)
    }
  }

  /// Whether there is more than the index counts, or as much, but other things.
  private func contradictsTotals(_ rows: [Int: ChunkRow]) -> Bool {
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
  private func addFills(
    _ outcome: inout Outcome, sure: [Int: ChunkRow], older: [Int: ChunkRow]
  ) throws(HyperslabError) {
    guard let examiner else { return }
    let stored = outcome.rows.values.filter { $0.state == .stored }
    guard stored.count == record.storedChunks,
      stored.reduce(0, { $0 + $1.byteCount }) == record.storedByteCount
    else { return }
    let missing = record.fillChunks - outcome.rows.values.count { $0.state == .fill }
    guard missing > 0 else { return }
    var open: Set<Int> = []
    for (index, reference) in record.runs.enumerated() where runs[index] == nil {
      guard reference.high - reference.low < missing + sure.count + found.count + 1 else { return }
      for own in reference.low...reference.high {
        if let number = ChunkTable.translate(
          own, from: grid(of: reference), to: record.grid.gridShape), outcome.rows[number] == nil,
          sure[number] == nil
        {
          open.insert(number)
        }
      }
    }
    for (number, row) in older where row.state == .fill && outcome.rows[number] == nil {
      open.insert(number)
    }
    guard open.count == missing else { return }
    for number in open { outcome.rows[number] = try examiner.fillRow(number) }
  }
}
