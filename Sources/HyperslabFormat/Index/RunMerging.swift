import HyperslabCore

/// When and how runs are merged: tiers by a fan of eight, as in size-tiered log-structured trees, so
/// that a row is rewritten a few times in all and a chunk is looked up in a few runs.
enum RunMerging {
  private static let fan = 8

  /// How many of the oldest runs stay as they are when a commit adds `rows` rows; the others, with
  /// the new rows, become one run.
  ///
  /// Pieces of one commit count as one run. The tail is merged when it holds seven or more runs
  /// that are no more than one tier larger than what is added.
  static func keptCount(of runs: [DatasetRecord.RunReference], adding rows: Int) -> Int {
    // Runs from newest to oldest as (first index, rows), pieces of one commit together.
    var whole: [(start: Int, rows: Int)] = []
    var index = runs.count
    while index > 0 {
      var start = index - 1
      while start > 0, runs[start - 1].commit == runs[index - 1].commit { start -= 1 }
      whole.append((start, runs[start..<index].reduce(0) { $0 + $1.rows }))
      index = start
    }
    var total = rows
    var kept = runs.count
    var next = 0
    while next < whole.count {
      let limit = tier(total)
      let tail = whole[next...].prefix { tier($0.rows) <= limit }
      guard tail.count >= fan - 1 else { break }
      total += tail.reduce(0) { $0 + $1.rows }
      next += tail.count
      kept = whole[next - 1].start
    }
    return kept
  }

  private static func tier(_ rows: Int) -> Int {
    (Int.bitWidth - 1 - max(rows, 1).leadingZeroBitCount) / 3
  }

  /// One run of all rows, the last that covers a chunk winning, numbered in the newest grid.
  static func merge(_ runs: [Run], gridShape: Shape) -> Run {
    var rows: [Int: ChunkRow] = [:]
    for run in runs {
      for (own, row) in run.numbered {
        guard let number = ChunkTable.translate(own, from: run.gridShape, to: gridShape) else {
          continue
        }
        rows[number] = row
      }
    }
    let numbers = rows.keys.sorted()
    return Run(
      gridShape: gridShape, ranges: .init(rising: numbers), rows: numbers.compactMap { rows[$0] })
  }

  /// A run in pieces that stay small enough to read for one lookup.
  static func split(_ run: Run) -> [Run] {
    if run.rows.count <= StoreIndex.rowsPerRun { return [run] }
    var pieces: [Run] = []
    let numbers = Array(run.ranges.joined())
    for start in stride(from: 0, to: numbers.count, by: StoreIndex.rowsPerRun) {
      let end = Swift.min(start + StoreIndex.rowsPerRun, numbers.count)
      pieces.append(
        Run(
          gridShape: run.gridShape, ranges: .init(rising: numbers[start..<end]),
          rows: Array(run.rows[start..<end])))
    }
    return pieces
  }
}
