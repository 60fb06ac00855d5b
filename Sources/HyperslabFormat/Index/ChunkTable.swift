import HyperslabCore

/// A data set's chunk table as one snapshot lists it.
struct ChunkTable: Sendable {
  let record: DatasetRecord
  let store: String
  let cache: RunCache

  /// The row of a chunk; the last run that covers it wins.
  func row(_ chunk: ChunkIndex) throws(HyperslabError) -> ChunkRow {
    try lookUp(chunk)?.row ?? .neverWritten
  }

  /// The row of a chunk and the commit whose run says so; nil where no run covers it.
  func lookUp(_ chunk: ChunkIndex) throws(HyperslabError) -> (row: ChunkRow, commit: Int)? {
    for reference in record.runs.reversed() {
      guard let number = reference.number(of: chunk) else { continue }
      if let row = try cache.run(reference, of: record, store: store).row(number) {
        return (row, reference.commit)
      }
    }
    return nil
  }

  /// Every chunk of the present grid that some run covers, in C order, with its row.
  func forEachRow(
    _ body: (ChunkIndex, ChunkRow) throws(HyperslabError) -> Void
  ) throws(HyperslabError) {
    var walk = walk()
    while let (number, row, _) = try walk.next() { try body(walk.numbering.chunk(number), row) }
  }

  /// A walk over every chunk of the present grid that some run covers.
  func walk() -> RunMerge {
    RunMerge(
      RunMerge.commits(of: record.runs).map { .listed($0) }, table: self,
      numbering: ChunkNumbering(record.grid))
  }
}
