import HyperslabCodecs
import HyperslabCore

/// A chunk as one view of the store has it: its row and where its file may be, in order.
struct LocatedChunk: Sendable {
  var index: ChunkIndex
  var row: ChunkRow
  var paths: [StorePath] = []
}

/// What a read of some chunks has to do, in pieces that threads take one after the other.
struct ReadPlan {
  /// Work for one thread; no two pieces write the same bytes.
  enum Piece: Sendable {
    /// Neighbouring blocks of a chunk; `isWhole` where they are the last of a chunk that is read whole.
    case blocks(Range<Int>, ChunkFile, ChunkCopy, ChunkIndex, isWhole: Bool)
    /// A chunk that is not stored, or whose file may be in one place or another.
    case chunk(LocatedChunk, ChunkCopy)
  }

  /// What one thread decodes at the least before another is asked to help: waking it costs some
  /// microseconds.
  private static let leastByteCountPerThread = 1 << 17
  /// Shares are no larger, so that threads end together.
  private static let largestShareByteCount = 1 << 20
  private static let cacheLineByteCount = 64

  private struct Chunk {
    var file: ChunkFile
    var copy: ChunkCopy
    var index: ChunkIndex
    var blocks: [Range<Int>]
    var isWhole: Bool
  }

  private let format: FrameFormat?
  private let maximumThreads: Int
  private var chunks: [Chunk] = []
  private var others: [Piece] = []
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
    chunks.append(
      Chunk(
        file: file, copy: copy, index: index, blocks: runs, isWhole: count == format.blockCount))
  }

  /// How many threads are worth it.
  var threads: Int {
    if others.count > 1 { return maximumThreads }
    let byteCount = blockCount * (format?.blockByteCount ?? 0)
    return Swift.max(1, Swift.min(maximumThreads, byteCount / Self.leastByteCountPerThread))
  }

  /// The work in shares for one thread each, in the order of where it goes: where rows are narrower than
  /// a line of the cache, several chunks write the same lines, and one thread does so while they are at
  /// hand.
  var shares: [[Piece]] {
    guard let format else { return others.map { [$0] } }
    let limit = Swift.max(
      1,
      Swift.min(
        blockCount / Swift.max(1, 4 * threads), Self.largestShareByteCount / format.blockByteCount))
    let isNarrow = chunks.contains { $0.copy.rowByteCount < Self.cacheLineByteCount }
    let pieces = pieces(format, blockLimit: isNarrow ? 1 : limit)
    var shares = others.map { [$0] }
    let count = isNarrow ? limit : 1
    for start in stride(from: 0, to: pieces.count, by: count) {
      shares.append(Array(pieces[start..<Swift.min(start + count, pieces.count)]))
    }
    return shares
  }

  private func pieces(_ format: FrameFormat, blockLimit limit: Int) -> [Piece] {
    var pieces: [(offset: Int, piece: Piece)] = []
    for chunk in chunks {
      for run in chunk.blocks {
        var start = run.lowerBound
        while start < run.upperBound {
          let end = Swift.min(start + limit, run.upperBound)
          pieces.append(
            (
              offset: chunk.copy.byteOffset(of: format.elementRange(ofBlock: start).lowerBound),
              .blocks(
                start..<end, chunk.file, chunk.copy, chunk.index,
                isWhole: chunk.isWhole && end == format.blockCount)
            ))
          start = end
        }
      }
    }
    pieces.sort { $0.offset < $1.offset }
    return pieces.map(\.piece)
  }
}
