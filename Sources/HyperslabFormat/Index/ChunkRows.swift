import HyperslabCore

/// Rows of a chunk table, kept by column: some 30 bytes a row where an array of rows takes 80.
struct ChunkRows: RandomAccessCollection, Sendable, Equatable {
  /// How a column of extremes reads.
  private enum Kind: UInt8 { case none, signed, unsigned, real }

  private var states: [ChunkState] = []
  private var byteCounts: [UInt32] = []
  private var checksums: [UInt32] = []
  private var nanCounts: [UInt32] = []
  private var minima: [UInt64] = []
  private var maxima: [UInt64] = []
  /// The kinds of both extremes, the minimum's in the lower four bits.
  private var kinds: [UInt8] = []

  init() {}

  init(_ rows: some Sequence<ChunkRow>) {
    for row in rows { append(row) }
  }

  var startIndex: Int { 0 }
  var endIndex: Int { states.count }

  subscript(index: Int) -> ChunkRow {
    ChunkRow(
      state: states[index], byteCount: Int(byteCounts[index]), crc: checksums[index],
      statistics: ElementStatistics(
        minimum: Self.value(minima[index], kinds[index] & 15),
        maximum: Self.value(maxima[index], kinds[index] >> 4), nanCount: Int(nanCounts[index])))
  }

  /// Adds a row; sizes and counts are below 2³¹ in this format.
  mutating func append(_ row: ChunkRow) {
    states.append(row.state)
    byteCounts.append(UInt32(clamping: row.byteCount))
    checksums.append(row.crc)
    nanCounts.append(UInt32(clamping: row.statistics.nanCount))
    let (minimum, low) = Self.bits(row.statistics.minimum)
    let (maximum, high) = Self.bits(row.statistics.maximum)
    minima.append(minimum)
    maxima.append(maximum)
    kinds.append(low.rawValue | high.rawValue << 4)
  }

  mutating func reserveCapacity(_ count: Int) {
    states.reserveCapacity(count)
    byteCounts.reserveCapacity(count)
    checksums.reserveCapacity(count)
    nanCounts.reserveCapacity(count)
    minima.reserveCapacity(count)
    maxima.reserveCapacity(count)
    kinds.reserveCapacity(count)
  }

  private static func bits(_ value: ElementStatistics.Value?) -> (UInt64, Kind) {
    switch value {
    case nil: (0, .none)
    case .signed(let value): (UInt64(bitPattern: value), .signed)
    case .unsigned(let value): (value, .unsigned)
    case .real(let value): (value.bitPattern, .real)
    }
  }

  private static func value(_ bits: UInt64, _ kind: UInt8) -> ElementStatistics.Value? {
    switch Kind(rawValue: kind) {
    case .signed: .signed(Int64(bitPattern: bits))
    case .unsigned: .unsigned(bits)
    case .real: .real(Double(bitPattern: bits))
    case .some(.none), nil: nil
    }
  }
}
