import HyperslabCore

/// One row of a chunk table.
struct ChunkRow: Hashable, Sendable {
  var state: ChunkState
  /// Size of the chunk file; 0 unless stored.
  var byteCount = 0
  /// The frame's header checksum; 0 unless stored.
  var crc: UInt32 = 0
  var statistics = ElementStatistics()

  static let neverWritten = ChunkRow(state: .neverWritten)
}

/// An immutable piece of a chunk table: the rows that one commit wrote, in rising order.
struct Run: Sendable {
  /// The grid that the rows are numbered in; the data set's may have changed since.
  let numbering: ChunkNumbering
  /// The chunk numbers, as rising ranges.
  let ranges: [Range<Int>]
  /// Index of each range's first row.
  private let starts: [Int]
  let rows: ChunkRows

  init(numbering: ChunkNumbering, ranges: [Range<Int>], rows: ChunkRows) {
    self.numbering = numbering
    self.ranges = ranges
    self.rows = rows
    var starts: [Int] = []
    var next = 0
    for range in ranges {
      starts.append(next)
      next += range.count
    }
    self.starts = starts
  }

  /// The row of a chunk number in the run's own grid, if it has one.
  func row(_ number: Int) -> ChunkRow? {
    var low = 0
    var high = ranges.count
    while low < high {
      let middle = (low + high) / 2
      if ranges[middle].upperBound <= number { low = middle + 1 } else { high = middle }
    }
    guard low < ranges.count, ranges[low].contains(number) else { return nil }
    return rows[starts[low] + number - ranges[low].lowerBound]
  }

  /// Every chunk number with its row.
  var numbered: some Sequence<(number: Int, row: ChunkRow)> {
    zip(ranges.joined(), rows).lazy.map { (number: $0, row: $1) }
  }
}
