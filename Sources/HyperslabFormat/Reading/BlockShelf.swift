import HyperslabCodecs
import HyperslabCore

/// Decoded blocks of chunks that lie side by side, kept until all of them go to their places together:
/// row by row of the result, in the order of memory. Written chunk by chunk, short rows keep the processor
/// from fetching lines ahead, and lines that chunks share are fetched for each.
final class BlockShelf {
  private static let byteCount = 1 << 22

  private let format: FrameFormat
  private var memory: ElementBuffer?
  private lazy var strip = RowStrip()
  private var blockCount = 0
  private var walk = RowWalk()

  init(format: FrameFormat) { self.format = format }

  /// How many blocks there is room for.
  static func blockCount(_ format: FrameFormat) -> Int {
    Swift.max(1, byteCount / format.blockByteCount)
  }

  /// Where the next block is to be decoded.
  func next() throws(HyperslabError) -> UnsafeMutableRawPointer {
    if let memory { return unsafe memory.pointer + blockCount * format.blockByteCount }
    let made = try ElementBuffer(
      allocating: Self.blockCount(format) * format.blockByteCount)
    memory = made
    return unsafe made.pointer + blockCount * format.blockByteCount
  }

  /// Adds the block that was decoded at ``next``.
  func add(_ decoded: DecodedBlock, _ block: Int, _ copy: ChunkCopy) {
    walk.add(decoded, format.elementRange(ofBlock: block), copy)
    blockCount += 1
  }

  /// Copies what the region needs of all blocks to its place, and clears the shelf.
  func place(into output: DisjointMemory) {
    // In a local variable, which nobody else can change meanwhile: the compiler need not look.
    var walk = walk
    clear()
    let size = format.elementByteCount
    while walk.findNext() {
      var rows = walk.rows
      if walk.steps.allSatisfy({ $0.plane.hasWholeRows(elementByteCount: size) }) {
        place(walk.steps, rows: rows, into: output)
      } else {
        let columns = walk.steps.reduce(1) { Swift.max($0, $1.plane.counts.columns) }
        rows = Swift.min(rows, rowsInTurn(byteCount: columns * walk.steps.count * size))
        for step in walk.steps {
          unsafe step.block.scatter(step.plane, step.row..<step.row + rows, into: output.base)
        }
      }
      walk.advance(rows)
    }
  }

  private func place(_ steps: [RowWalk.Step], rows: Int, into output: DisjointMemory) {
    let parts = unsafe steps.map { unsafe $0.block.rows($0.plane, from: $0.row, into: output.base) }
    unsafe parts.withUnsafeBufferPointer { parts in
      if steps[0].block.isInPlanes {
        unsafe Shuffle.joinRows(parts, rows: rows, elementByteCount: format.elementByteCount)
      } else if output.isOutOfCache, unsafe RowStrip.fits(parts) {
        unsafe strip.copyRows(parts, rows: rows)
      } else {
        unsafe copyRows(parts, rows: rows)
      }
    }
  }

  /// Forgets all blocks.
  func clear() {
    walk = RowWalk()
    blockCount = 0
  }
}
