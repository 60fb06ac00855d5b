import HyperslabCodecs
import HyperslabCore

/// A chunk as one view of the store has it: its row and where its file may be, in order.
struct LocatedChunk: Sendable {
  var index: ChunkIndex
  var row: ChunkRow
  var paths: [StorePath] = []

  /// Where the file of a stored chunk is, if it can be in one place only.
  var onlyPath: StorePath? { row.state == .stored && paths.count == 1 ? paths[0] : nil }
}

/// What a read of some chunks has to do, in shares that threads take one after the other.
struct ReadPlan {
  /// What a region needs of a chunk whose file is open.
  struct Part {
    let file: ChunkFile
    let copy: ChunkCopy
    let index: ChunkIndex
    /// The blocks that it touches, in runs of neighbours.
    let blocks: [Range<Int>]
    /// Whether those are all.
    let isWhole: Bool
  }

  /// Neighbouring blocks of a part.
  struct Piece {
    /// Its position among ``parts``.
    let part: Int
    let blocks: Range<Int>
    /// Where in the result it roughly begins.
    let offset: Int
  }

  /// Work for one thread; no two shares write the same bytes.
  enum Share {
    case blocks(Piece)
    /// One block each of several chunks whose rows lie side by side.
    case sideBySide(ArraySlice<Piece>)
    /// A chunk that is not stored, or whose file may be in one place or another.
    case chunk(LocatedChunk, ChunkCopy)

    /// Where in the result it roughly begins, if that is known.
    var offset: Int? {
      switch self {
      case .blocks(let piece): piece.offset
      case .sideBySide(let pieces): pieces.first?.offset
      case .chunk: nil
      }
    }
  }

  /// What one thread decodes at the least before another is asked to help: waking it costs some
  /// microseconds.
  private static let leastByteCountPerThread = 1 << 17
  /// Shares are no larger, so that threads end together.
  private static let largestShareByteCount = 1 << 20
  /// Runs of shares are no fewer.
  private static let leastRunsPerThread = 4

  /// Where less is written it stays in the cache, whatever its order.
  private static let leastByteCountSideBySide = 1 << 20

  private(set) var parts: [Part] = []
  private let format: FrameFormat?
  private let maximumThreads: Int
  private var others: [Share] = []
  private var blockCount = 0

  init(format: FrameFormat?, maximumThreads: Int) {
    self.format = format
    self.maximumThreads = maximumThreads
  }

  /// Adds a chunk that is one piece of work.
  mutating func add(_ chunk: LocatedChunk, _ copy: ChunkCopy) {
    others.append(.chunk(chunk, copy))
  }

  /// Adds what a region needs of a chunk.
  mutating func add(_ file: ChunkFile, _ copy: ChunkCopy, _ index: ChunkIndex) {
    guard let format else { return }
    let runs = format.blocks(touching: copy)
    let count = runs.reduce(0) { $0 + $1.count }
    blockCount += count
    parts.append(
      Part(
        file: file, copy: copy, index: index, blocks: runs, isWhole: count == format.blockCount))
  }

  /// Whether a piece is the last of a chunk that is read whole.
  func ends(_ piece: Piece) -> Bool {
    parts[piece.part].isWhole && piece.blocks.upperBound == format?.blockCount
  }

  /// Bytes of the result that the parts are.
  private var regionByteCount: Int { parts.reduce(0) { $0 + $1.copy.regionByteCount } }

  /// How many threads are worth it.
  var threads: Int {
    if others.count > 1 { return maximumThreads }
    let byteCount = blockCount * (format?.blockByteCount ?? 0)
    return Swift.max(1, Swift.min(maximumThreads, byteCount / Self.leastByteCountPerThread))
  }

  /// The work, in the order of where it goes, in runs that a thread does one after the other.
  ///
  /// Of fresh memory a run begins with each huge page. Where two threads come to one that nobody used
  /// before, the system clears it for both of them, and throws one away. Not where most of what is decoded
  /// is not needed, nor where that leaves threads idle.
  func runs(into output: DisjointMemory) -> [ArraySlice<Share>] {
    let shares = shares
    let single = shares.indices.map { shares[$0...$0] }
    guard output.isFresh, let format, blockCount * format.blockByteCount <= 2 * regionByteCount
    else { return single }
    let pages = shares.map { share in
      share.offset.map { unsafe (Int(bitPattern: output.base) + $0) / HugePages.byteCount }
    }
    let starts = shares.indices.filter {
      $0 == 0 || pages[$0] == nil || pages[$0] != pages[$0 - 1]
    }
    guard starts.count >= Self.leastRunsPerThread * threads else { return single }
    return zip(starts, starts.dropFirst() + [shares.count]).map { shares[$0..<$1] }
  }

  /// The work, in the order of where it goes.
  private var shares: [Share] {
    guard let format else { return others }
    if parts.count > 1, parts.contains(where: { $0.copy.hasShortRows }),
      regionByteCount >= Self.leastByteCountSideBySide
    {
      return others + sideBySide(format)
    }
    let limit = Swift.min(
      blockCount / Swift.max(1, 4 * threads), Self.largestShareByteCount / format.blockByteCount)
    return others + pieces(format, blockLimit: Swift.max(1, limit)).map { .blocks($0) }
  }

  private func sideBySide(_ format: FrameFormat) -> [Share] {
    let pieces = pieces(format, blockLimit: 1)
    let limit = BlockShelf.blockCount(format)
    var shares: [Share] = []
    var start = 0
    while start < pieces.count {
      let first = pieces[start]
      let end = first.offset + parts[first.part].copy.rowByteStride
      let group = pieces[start...].prefix(limit).prefix {
        $0.blocks == first.blocks && ($0.offset < end || $0.offset == first.offset)
      }
      shares.append(group.count > 1 ? .sideBySide(group) : .blocks(first))
      start = group.endIndex
    }
    return shares
  }

  private func pieces(_ format: FrameFormat, blockLimit limit: Int) -> [Piece] {
    var pieces: [Piece] = []
    for (number, part) in parts.enumerated() {
      for run in part.blocks {
        for start in stride(from: run.lowerBound, to: run.upperBound, by: limit) {
          let first = format.elementRange(ofBlock: start).lowerBound
          pieces.append(
            Piece(
              part: number, blocks: start..<Swift.min(start + limit, run.upperBound),
              offset: part.copy.byteOffset(of: first)))
        }
      }
    }
    return pieces.sorted { $0.offset < $1.offset }
  }
}

extension ChunkCopy {
  /// Longer rows are worth writing chunk by chunk.
  private static let shortRowByteCount = 1 << 10

  /// Whether rows are so short that several chunks' together are written faster in the order of memory:
  /// the processor fetches lines ahead, and chunks share lines.
  var hasShortRows: Bool { rowByteCount < Self.shortRowByteCount }
}
