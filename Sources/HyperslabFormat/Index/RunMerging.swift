import HyperslabCore

/// When runs are merged: tiers by a fan of eight, as in size-tiered log-structured trees, so that a
/// row is rewritten a few times in all and a chunk is looked up in a few runs.
enum RunMerging {
  private static let fan = 8

  /// How many of the oldest runs stay as they are when a commit adds `rows` rows; the others, with
  /// the new rows, become one run.
  ///
  /// Pieces of one commit count as one run. The tail is merged when it holds seven or more runs
  /// that are no more than one tier larger than what is added.
  static func keptCount(of runs: [DatasetRecord.RunReference], adding rows: Int) -> Int {
    // Newest first, pieces of one commit together.
    let commits = RunMerge.commits(of: runs).reversed().map { pieces in
      (count: pieces.count, rows: pieces.reduce(0) { $0 + $1.rows })
    }
    var total = rows
    var kept = runs.count
    var next = 0
    while next < commits.count {
      let limit = tier(total)
      let tail = commits[next...].prefix { tier($0.rows) <= limit }
      guard tail.count >= fan - 1 else { break }
      total += tail.reduce(0) { $0 + $1.rows }
      next += tail.count
      kept -= tail.reduce(0) { $0 + $1.count }
    }
    return kept
  }

  private static func tier(_ rows: Int) -> Int {
    (Int.bitWidth - 1 - max(rows, 1).leadingZeroBitCount) / 3
  }

  /// Merges the runs from `kept` on with a new one and hands out the result in pieces that are small
  /// enough to read for one lookup.
  ///
  /// What a chunk outside the array has become is kept, lest an older run speak of it again; with no
  /// older run left, what was dropped before is forgotten.
  static func merge(
    _ table: ChunkTable, from kept: Int, with new: Run,
    _ emit: (Run) throws(HyperslabError) -> Void
  ) throws(HyperslabError) {
    let references = Array(table.record.runs[kept...])
    var numbering = new.numbering
    for reference in references {
      guard let union = numbering.union(reference.numbering) else {
        throw HyperslabError(
          .limit, "a data set that was reshaped in too many directions",
          remedy: "Copy it into a new one")
      }
      numbering = union
    }
    let sources = RunMerge.commits(of: references).map { RunMerge.Source.listed($0) }
    var merge = RunMerge(sources + [.loaded(new)], table: table, numbering: numbering)
    var numbers: [Int] = []
    var rows = ChunkRows()
    func flush() throws(HyperslabError) {
      if rows.isEmpty { return }
      try emit(Run(numbering: numbering, ranges: .init(rising: numbers), rows: rows))
      numbers.removeAll(keepingCapacity: true)
      rows = ChunkRows()
    }
    while let (number, row, source) = try merge.next() {
      if row.state == .neverWritten, kept == 0, source < sources.count { continue }
      numbers.append(number)
      rows.append(row)
      if rows.count == StoreIndex.rowsPerRun { try flush() }
    }
    try flush()
  }
}
