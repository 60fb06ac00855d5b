import HyperslabCore

/// The chunks of a buffer in groups that are written together: neighbours along the last axis, a few where
/// their rows are short, and as many as share a line of the cache where they are narrower than that.
struct ChunkGroups {
  private let chunks: ChunkRange
  /// Chunks along the last axis, and the groups that they are divided into in the first rows of chunks.
  private let beside: Int
  private let groupsBeside: Int
  private var firstRows: Int
  /// In the other rows there are more, so that no thread is without work at the end.
  private var groupsInLastRows = 1

  /// Each has its file open.
  private static let mostTogether = 16
  private static let mostOpenFiles = 128
  /// Where rows are shorter, those of several chunks are read in turn: the processor fetches lines ahead
  /// of what is read in order.
  private static let shortRowByteCount = 1 << 12
  private static let togetherWhereShort = 4
  /// With fewer groups a thread, those must come out even.
  private static let manyGroups = 4
  /// Longer ones gain little where each costs a call.
  private static let longRunByteCount = 1 << 16

  /// - Parameters:
  ///   - chunks: Those that the buffer touches.
  ///   - rowByteCount: Bytes of a chunk's row that lie without gaps in the buffer.
  ///   - threads: How many groups are written at the same time.
  ///   - mostStreamed: How many chunks at most may be read together where each of their rows costs a call;
  ///     nil where they are in memory.
  init(_ chunks: ChunkRange, rowByteCount: Int, threads: Int, mostStreamed: Int? = nil) {
    self.chunks = chunks
    beside = chunks.bounds.last?.count ?? 1
    let short = rowByteCount < Self.shortRowByteCount ? Self.togetherWhereShort : 1
    // Rows seldom begin where a line does: twice as many as fit make most lines whole.
    var wanted = Swift.max(short, 2 * CacheLine.byteCount / rowByteCount)
    if let mostStreamed {
      wanted = Swift.min(mostStreamed, Self.longRunByteCount.dividedRoundingUp(by: rowByteCount))
    }
    let mostOpen = Swift.min(Self.mostOpenFiles, Machine.openChunkLimit)
    let most = Swift.max(1, Swift.min(wanted, Self.mostTogether, mostOpen / threads))
    let rows = chunks.count / Swift.max(1, beside)
    groupsBeside = beside.dividedRoundingUp(by: most)
    firstRows = rows
    if rows * groupsBeside >= Self.manyGroups * threads { return }
    while firstRows * groupsBeside % threads != 0 { firstRows -= 1 }
    let rest = rows - firstRows
    groupsInLastRows = groupsBeside
    while groupsInLastRows < beside, rest * groupsInLastRows % threads != 0 {
      groupsInLastRows += 1
    }
  }

  /// The number of groups.
  var count: Int {
    if beside == 0 { return 0 }
    return firstRows * groupsBeside + (chunks.count / beside - firstRows) * groupsInLastRows
  }

  /// The chunks of a group, in C order.
  subscript(number: Int) -> Slice<ChunkRange> {
    let (firstRow, first, groups) =
      number < firstRows * groupsBeside
      ? (0, 0, groupsBeside) : (firstRows, firstRows * groupsBeside, groupsInLastRows)
    let (row, group) = (number - first).quotientAndRemainder(dividingBy: groups)
    let start = (firstRow + row) * beside
    return chunks[start + group * beside / groups..<start + (group + 1) * beside / groups]
  }
}
