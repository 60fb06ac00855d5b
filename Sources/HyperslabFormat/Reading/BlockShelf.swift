import HyperslabCodecs
import HyperslabCore

/// Decoded blocks of chunks that lie side by side, kept until all of them go to their places together.
///
/// Rows narrower than a line of the cache share it with rows of other chunks. Placed a few rows of each
/// chunk in turn, all of a line is written while it is at hand.
final class BlockShelf {
  private static let byteCount = 1 << 22
  /// What is placed in one turn of all blocks.
  private static let turnByteCount = 1 << 15

  private struct Block {
    /// Its planes that are still to be placed.
    var planes: Range<Int>
    /// The rows of the first of those that were placed.
    var rowsDone = 0

    /// Takes the next rows.
    @inline(__always)
    mutating func advance(
      _ rows: Int, _ all: [ChunkCopy.Plane], _ body: (ChunkCopy.Plane, Range<Int>) -> Void
    ) {
      var rest = rows
      while rest > 0, let number = planes.first {
        let plane = all[number]
        let end = Swift.min(rowsDone + rest, plane.counts.rows)
        body(plane, rowsDone..<end)
        rest -= end - rowsDone
        rowsDone = end
        if end == plane.counts.rows {
          planes = planes.dropFirst()
          rowsDone = 0
        }
      }
    }
  }

  private let format: FrameFormat
  private lazy var memory = ElementBuffer(
    byteCount: Self.blockCount(format) * format.blockByteCount)
  private var blocks: [Block] = []
  private var planes: [ChunkCopy.Plane] = []

  init(format: FrameFormat) { self.format = format }

  /// How many blocks there is room for.
  static func blockCount(_ format: FrameFormat) -> Int {
    Swift.max(1, byteCount / format.blockByteCount)
  }

  /// Where the next block's elements are to be put.
  var next: UnsafeMutableRawPointer { memory.pointer + blocks.count * format.blockByteCount }

  /// Adds the block whose elements were put at ``next``.
  func add(_ block: Int, _ copy: ChunkCopy) {
    let first = planes.count
    copy.forEachPlane(in: format.elementRange(ofBlock: block)) { planes.append($0) }
    blocks.append(Block(planes: first..<planes.count))
  }

  /// Copies what the region needs of all blocks to its place, and clears the shelf.
  func place(into base: UnsafeMutableRawPointer) {
    // In local variables, which nobody else can change meanwhile: the compiler need not look.
    var blocks = blocks
    let (planes, shelf, format) = (planes, memory.pointer, format)
    let widest = planes.reduce(1) { Swift.max($0, $1.counts.columns) }
    let rowByteCount = Swift.max(1, blocks.count * widest * format.elementByteCount)
    let rows = Swift.max(1, Self.turnByteCount / rowByteCount)
    var hasMore = true
    while hasMore {
      hasMore = false
      for position in blocks.indices {
        let source = shelf + position * format.blockByteCount
        blocks[position].advance(rows, planes) { plane, rows in
          plane.scatter(
            rows: rows, from: source, into: base, elementByteCount: format.elementByteCount)
        }
        if !blocks[position].planes.isEmpty { hasMore = true }
      }
    }
    clear()
  }

  /// Forgets all blocks.
  func clear() {
    blocks.removeAll(keepingCapacity: true)
    planes.removeAll(keepingCapacity: true)
  }
}
