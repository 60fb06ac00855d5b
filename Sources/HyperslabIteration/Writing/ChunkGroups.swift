import HyperslabCore

/// The chunks of a buffer in groups that are written together: neighbours along the last axis, a few where
/// their rows are short, and as many as share a line of the cache where they are narrower than that.
struct ChunkGroups {
  private let chunks: ChunkRange
  /// Chunks along the last axis, and the groups that they are divided into.
  private let beside: Int
  private let groupsBeside: Int

  /// Each has its file open.
  private static let mostTogether = 16
  private static let mostOpenFiles = 128
  /// Where rows are shorter, those of several chunks are read in turn: the processor fetches lines ahead
  /// of what is read in order.
  private static let shortRowByteCount = 1 << 12
  private static let togetherWhereShort = 4
  /// With fewer groups a thread, those must come out even.
  private static let manyGroups = 4

  /// - Parameters:
  ///   - chunks: Those that the buffer touches.
  ///   - rowByteCount: Bytes of a chunk's row that lie without gaps in the buffer.
  ///   - threads: How many groups are written at the same time.
  init(_ chunks: ChunkRange, rowByteCount: Int, threads: Int) {
    self.chunks = chunks
    beside = chunks.bounds.last?.count ?? 1
    let short = rowByteCount < Self.shortRowByteCount ? Self.togetherWhereShort : 1
    // Rows seldom begin where a line does: twice as many as fit make most lines whole.
    let wanted = Swift.max(short, 2 * CacheLine.byteCount / rowByteCount)
    let mostOpen = Swift.min(Self.mostOpenFiles, Machine.openChunkLimit)
    let most = Swift.max(1, Swift.min(wanted, Self.mostTogether, mostOpen / threads))
    let rows = chunks.count / Swift.max(1, beside)
    var groups = beside.dividedRoundingUp(by: most)
    func isEven(_ groups: Int) -> Bool {
      let count = rows * groups
      return count % threads == 0 || count >= Self.manyGroups * threads
    }
    while groups < beside, !isEven(groups) { groups += 1 }
    groupsBeside = groups
  }

  /// The number of groups.
  var count: Int { beside == 0 ? 0 : chunks.count / beside * groupsBeside }

  /// The chunks of a group, in C order.
  subscript(number: Int) -> Slice<ChunkRange> {
    let (row, group) = number.quotientAndRemainder(dividingBy: groupsBeside)
    let first = row * beside
    return chunks[
      first + group * beside / groupsBeside..<first + (group + 1) * beside / groupsBeside]
  }
}
