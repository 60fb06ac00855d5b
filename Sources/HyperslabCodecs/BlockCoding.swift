package import HyperslabCore
import Synchronization

/// How the blocks of a data set are coded: what `auto` stands for.
package struct BlockCoding: Hashable, Sendable {
  /// The filter of every block.
  package var filter: Filter
  /// Bytes of a block before coding, as recorded; see ``FrameFormat/blockByteCount``.
  package var blockByteCount: Int

  package init(filter: Filter, blockByteCount: Int) {
    self.filter = filter
    self.blockByteCount = blockByteCount
  }
}

extension BlockCoding {
  /// Larger blocks make small slices dearer, so they are taken only where they save so much.
  private static let largeBlockGain = 0.025
  private static let largeBlockByteCount = 1 << 19

  /// Chooses by trying on a sample: the filter that makes it smallest, an earlier one within a
  /// percent of it winning, since undoing less is faster; then the block size.
  ///
  /// - Parameters:
  ///   - base, layout: The sample: the first buffer, or the first chunk.
  ///   - chunkShape: Blocks are cut the way chunks will cut them.
  ///   - fill: What pads chunks.
  ///   - blockByteCount: The size asked for, nil where it is to be chosen, too.
  /// - Throws: `chunk_too_large`, as creating the data set would.
  package static func choose(
    _ base: UnsafeRawPointer, layout: StridedLayout, chunkShape: Shape, fill: FillValue, level: Int,
    blockByteCount: Int?
  ) throws(HyperslabError) -> BlockCoding {
    let usual = blockByteCount ?? FrameFormat.defaultBlockByteCount
    var candidates = Filter.allCases.map { BlockCoding(filter: $0, blockByteCount: usual) }
    guard
      let sample = CodingSample(
        base, layout: layout, chunkShape: chunkShape, elementByteCount: fill.dataType.byteCount,
        windowByteCount: largeBlockByteCount)
    else { return candidates[0] }
    let sizes = try sample.storedByteCounts(candidates, level: level, fill: fill, spread: true)
    var best = 0
    for index in candidates.indices.dropFirst()
    where sizes[index] < sizes[best] - sizes[best] / 100 { best = index }
    let chosen = candidates[best]
    if blockByteCount != nil || sample.windowByteCount <= usual { return chosen }
    candidates = [
      chosen, BlockCoding(filter: chosen.filter, blockByteCount: largeBlockByteCount),
    ]
    let both = try sample.storedByteCounts(candidates, level: level, fill: fill, spread: false)
    let isWorthIt = Double(both[1]) < Double(both[0]) * (1 - largeBlockGain)
    return isWorthIt ? candidates[1] : chosen
  }
}

/// A few windows of the sample, spread over some chunks of it: the fewer blocks a chunk has, the more.
// Sendable although it holds a pointer: the memory is only read, and lent for longer than it lives.
private struct CodingSample: @unchecked Sendable {
  private static let leastChunkCount = 8
  private static let blockBudget = 24
  private let base: UnsafeRawPointer
  private let chunkShape: Shape
  private let chunkByteCount: Int
  private let layouts: [StridedLayout]
  /// Bytes of a window: where large blocks are tried, one of them.
  let windowByteCount: Int

  /// Nil for an empty sample.
  init?(
    _ base: UnsafeRawPointer, layout: StridedLayout, chunkShape: Shape, elementByteCount: Int,
    windowByteCount: Int
  ) {
    guard let grid = try? ChunkGrid(arrayShape: layout.shape, chunkShape: chunkShape),
      grid.chunkCount > 0
    else { return nil }
    self.base = base
    self.chunkShape = chunkShape
    chunkByteCount = Checked.product(chunkShape.axes + [elementByteCount]) ?? Int.max
    let blocks = chunkByteCount.dividedRoundingUp(by: FrameFormat.defaultBlockByteCount)
    let count = Swift.min(
      grid.chunkCount, Swift.max(Self.leastChunkCount, Self.blockBudget / blocks))
    layouts = Self.numbers(count, of: grid.chunkCount).map { number in
      layout.slice(grid.selection(of: grid.index(ofNumber: number)))
    }
    self.windowByteCount = windowByteCount
  }

  /// Some of the numbers below a limit, all different, evenly spread but in no step that the array's own
  /// shape could be in step with: corners and edges of images are often empty.
  private static func numbers(_ count: Int, of limit: Int) -> [Int] {
    if count >= limit { return Array(0..<limit) }
    return (0..<count).map { index in
      let width = limit / count
      let low = index * width + index * (limit % count) / count
      // Multiples of the golden ratio, modulo 1, are spread in any number of them.
      let place = (Double(index + 1) * 0.618_033_988_749_895).truncatingRemainder(dividingBy: 1)
      return low + Int(place * Double(width))
    }
  }

  /// What each coding makes of the windows, or of some blocks spread over them.
  func storedByteCounts(
    _ codings: [BlockCoding], level: Int, fill: FillValue, spread: Bool
  ) throws(HyperslabError) -> [Int] {
    let size = fill.dataType.byteCount
    var formats: [FrameFormat] = []
    for coding in codings {
      formats.append(
        try FrameFormat(
          elementByteCount: size, filter: coding.filter, chunkByteCount: chunkByteCount,
          blockByteCount: coding.blockByteCount))
    }
    let trials = formats
    let sizes = Mutex(Array(repeating: 0, count: trials.count))
    try parallelLoop(
      count: trials.count * layouts.count, threads: Machine.processorCount, makeWorker: {},
      body: { (_, number) throws(HyperslabError) in
        let format = trials[number % trials.count]
        let encoder = FrameEncoder(format: format, level: level, fill: fill)
        let layout = layouts[number / trials.count]
        let copy = ChunkCopy(
          chunkShape: chunkShape, region: StridedSelection(Selection(all: layout.shape)),
          layout: layout, elementByteCount: size)
        var total = 0
        for block in blocks(of: format, inChunk: number / trials.count, spread: spread) {
          total += encoder.storedByteCount(ofBlock: block, copy, from: base)
        }
        sizes.withLock { $0[number % trials.count] += total }
      })
    return sizes.withLock { $0 }
  }

  /// The blocks of a chunk to try: the same bytes whatever the block size, unless they are to be spread.
  private func blocks(of format: FrameFormat, inChunk chunk: Int, spread: Bool) -> [Int] {
    let count = format.blockCount
    if spread {
      let some = Swift.min(count, Self.blockBudget / layouts.count)
      return (0..<some).map { $0 * (count - 1) / Swift.max(1, some - 1) }
    }
    // A window in another part of each chunk.
    let windows = Swift.max(1, format.chunkByteCount / windowByteCount)
    let window = chunk * (windows - 1) / Swift.max(1, layouts.count - 1)
    let blocks = Swift.max(1, windowByteCount / format.blockByteCount)
    return Array((window * blocks..<(window + 1) * blocks).clamped(to: 0..<count))
  }
}
