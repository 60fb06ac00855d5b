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
  /// Larger blocks, which make small slices dearer, and what part they must save to be taken.
  private struct Step {
    let blockByteCount: Int
    let gain: Double
    /// How many chunks are tried.
    let chunkCount: Int
  }

  /// From 64 KiB to 512; at LZ4's HC levels, where size is worth more than time, on to a limit that bounds a
  /// reader's memory. Not where rows are narrow: readers keep blocks of many chunks side by side then.
  private static func steps(level: Int, chunkShape: Shape, elementByteCount: Int) -> [Step] {
    func step(upTo limit: Int, gain: Double, chunkCount: Int) -> Step {
      let size = equalBlockByteCount(chunkShape, elementByteCount, atMost: limit)
      return Step(blockByteCount: size, gain: gain, chunkCount: chunkCount)
    }
    var steps = [step(upTo: 1 << 19, gain: 0.025, chunkCount: .max)]
    let row = Checked.multiply(chunkShape.last ?? 1, elementByteCount) ?? .max
    if level >= Compression.firstHighLevel, row >= CacheLine.byteCount {
      steps.append(step(upTo: 3 << 20, gain: 0.01, chunkCount: 3))
    }
    return steps
  }

  /// The size of blocks of which as few as can be make up a chunk; where one position on its outer axes is
  /// itself more than a block, make up that, so that none lies in two of them: a slice of the MRI then
  /// touches a sixth less, and compresses as well.
  private static func equalBlockByteCount(
    _ chunkShape: Shape, _ elementByteCount: Int, atMost limit: Int
  ) -> Int {
    let trailing = chunkShape.indices.map {
      Checked.product(chunkShape.axes[$0...] + [elementByteCount]) ?? .max
    }
    let whole = trailing.last { $0 > limit } ?? trailing.first ?? limit
    return equalPart(of: whole, atMost: limit, elementByteCount)
  }

  /// The size of as few equal parts as can be, in whole units of eight elements.
  private static func equalPart(
    of byteCount: Int, atMost limit: Int, _ elementByteCount: Int
  ) -> Int {
    let unit = 8 * elementByteCount
    return byteCount.dividedRoundingUp(by: byteCount.dividedRoundingUp(by: limit))
      .dividedRoundingUp(by: unit) * unit
  }

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
    let size = fill.dataType.byteCount
    let candidates = Filter.allCases.map { BlockCoding(filter: $0, blockByteCount: usual) }
    guard
      let sample = CodingSample(
        base, layout: layout, chunkShape: chunkShape, level: level, fill: fill)
    else { return candidates[0] }
    let shares = try sample.storedShares(candidates, .spread)
    var best = 0
    for index in candidates.indices.dropFirst() where shares[index] < shares[best] * 0.99 {
      best = index
    }
    var chosen = candidates[best]
    if blockByteCount != nil { return chosen }
    for step in steps(level: level, chunkShape: chunkShape, elementByteCount: size) {
      let (small, large) = (chosen.blockByteCount, step.blockByteCount)
      guard large > small, sample.chunkByteCount > small else { continue }
      // Parts of the large block, so that both are tried on the same bytes.
      let part = equalPart(of: large, atMost: small, size)
      let shares = try sample.storedShares(
        [part, large].map { BlockCoding(filter: chosen.filter, blockByteCount: $0) },
        .window(byteCount: large, chunks: step.chunkCount))
      guard shares[1] < shares[0] * (1 - step.gain) else { break }
      chosen.blockByteCount = large
    }
    return chosen
  }
}

/// Parts of some chunks of the sample: the fewer blocks a chunk has, the more chunks.
// Sendable although it holds a pointer: the memory is only read, and lent for longer than it lives.
private struct CodingSample: @unchecked Sendable {
  /// What of a chunk is tried.
  enum Part {
    /// Some blocks spread over it.
    case spread
    /// A window, in another place of each chunk, of some of the chunks: about the same bytes whatever
    /// the block size.
    case window(byteCount: Int, chunks: Int)
  }

  private static let leastChunkCount = 8
  private static let blockBudget = 24
  private let base: UnsafeRawPointer
  private let chunkShape: Shape
  private let layouts: [StridedLayout]
  private let level: Int
  private let fill: FillValue
  let chunkByteCount: Int

  /// Nil for an empty sample.
  init?(
    _ base: UnsafeRawPointer, layout: StridedLayout, chunkShape: Shape, level: Int, fill: FillValue
  ) {
    guard let grid = try? ChunkGrid(arrayShape: layout.shape, chunkShape: chunkShape),
      grid.chunkCount > 0
    else { return nil }
    self.base = base
    self.chunkShape = chunkShape
    self.level = level
    self.fill = fill
    chunkByteCount = Checked.product(chunkShape.axes + [fill.dataType.byteCount]) ?? Int.max
    let blocks = chunkByteCount.dividedRoundingUp(by: FrameFormat.defaultBlockByteCount)
    let count = Swift.min(
      grid.chunkCount, Swift.max(Self.leastChunkCount, Self.blockBudget / blocks))
    layouts = Self.numbers(count, of: grid.chunkCount).map { number in
      layout.slice(grid.selection(of: grid.index(ofNumber: number)))
    }
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

  /// What part of its size each coding leaves of a part of the sample.
  func storedShares(_ codings: [BlockCoding], _ part: Part) throws(HyperslabError) -> [Double] {
    let size = fill.dataType.byteCount
    var formats: [FrameFormat] = []
    for coding in codings {
      formats.append(
        try FrameFormat(
          elementByteCount: size, filter: coding.filter, chunkByteCount: chunkByteCount,
          blockByteCount: coding.blockByteCount))
    }
    let trials = formats
    let chunks = chunkCount(part)
    let totals = Mutex(Array(repeating: (stored: 0, decoded: 0), count: trials.count))
    try parallelLoop(
      count: trials.count * chunks, threads: Machine.processorCount, makeWorker: {},
      body: { (_, number) throws(HyperslabError) in
        let (chunk, trial) = number.quotientAndRemainder(dividingBy: trials.count)
        let format = trials[trial]
        let encoder = FrameEncoder(format: format, level: level, fill: fill)
        let layout = layouts[chunk * layouts.count / chunks]
        let copy = ChunkCopy(
          chunkShape: chunkShape, region: StridedSelection(Selection(all: layout.shape)),
          layout: layout, elementByteCount: size)
        for block in blocks(of: format, inChunk: chunk, of: chunks, part) {
          let stored = encoder.storedByteCount(ofBlock: block, copy, from: base)
          totals.withLock {
            $0[trial].stored += stored
            $0[trial].decoded += format.byteRange(ofBlock: block).count
          }
        }
      })
    return totals.withLock { $0.map { Double($0.stored) / Double(Swift.max(1, $0.decoded)) } }
  }

  private func chunkCount(_ part: Part) -> Int {
    switch part {
    case .spread: layouts.count
    case .window(_, let chunks): Swift.min(layouts.count, chunks)
    }
  }

  private func blocks(
    of format: FrameFormat, inChunk chunk: Int, of chunks: Int, _ part: Part
  ) -> [Int] {
    let count = format.blockCount
    switch part {
    case .spread:
      let some = Swift.min(count, Self.blockBudget / chunks)
      return (0..<some).map { $0 * (count - 1) / Swift.max(1, some - 1) }
    case .window(let byteCount, _):
      let windows = Swift.max(1, format.chunkByteCount / byteCount)
      let window = chunk * (windows - 1) / Swift.max(1, chunks - 1)
      let some = byteCount.dividedRoundingUp(by: format.blockByteCount)
      let first = window * some
      return Array((first..<first + some).clamped(to: 0..<count))
    }
  }
}
