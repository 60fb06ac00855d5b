import HyperslabCore

// What the index keeps of all rows of a chunk table, so that nobody has to read them for it.

extension DatasetRecord {
  /// The totals of no chunks.
  mutating func resetTotals() {
    storedChunks = 0
    fillChunks = 0
    storedByteCount = 0
    statistics = ElementStatistics()
  }

  /// Adds a row's numbers `sign` times, 1 or -1; extremes are not numbers that can be taken away.
  mutating func count(_ row: ChunkRow, _ sign: Int) {
    storedChunks += row.state == .stored ? sign : 0
    fillChunks += row.state == .fill ? sign : 0
    storedByteCount += sign * row.byteCount
  }

  /// Whether another record has the same totals.
  func hasTotals(of other: DatasetRecord) -> Bool {
    storedChunks == other.storedChunks && fillChunks == other.fillChunks
      && storedByteCount == other.storedByteCount && statistics == other.statistics
  }

  /// The totals in words.
  var totals: String {
    "\(storedChunks) stored and \(fillChunks) fill chunks of \(storedByteCount) bytes, "
      + "\(statistics.minimum.json.text()) to \(statistics.maximum.json.text()), "
      + "\(statistics.nanCount) NaN"
  }
}
