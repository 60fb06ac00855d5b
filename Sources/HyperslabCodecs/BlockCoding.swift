package import HyperslabCore

/// How the blocks of a data set are coded: what `auto` stands for.
package struct BlockCoding: Hashable, Sendable {
  /// The filter of every block.
  package var filter: Filter
  /// Bytes of a block before coding, as recorded; see ``FrameFormat/blockByteCount``.
  package var blockByteCount: Int
  /// Whether a chunk has but one block of the fill value; see ``FrameFormat/repeatsFill``.
  package var repeatsFill: Bool

  package init(filter: Filter, blockByteCount: Int, repeatsFill: Bool = false) {
    self.filter = filter
    self.blockByteCount = blockByteCount
    self.repeatsFill = repeatsFill
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

  /// From 64 KiB to 256; at LZ4's HC levels, where size is worth more than time, to 512 and on to a limit
  /// that bounds a reader's memory. Not where rows are narrow: readers keep blocks of many chunks side by
  /// side then.
  private static func steps(
    _ filter: Filter, level: Int, chunkShape: Shape, elementByteCount: Int
  ) -> [Step] {
    func step(upTo limit: Int, gain: Double, chunkCount: Int) -> Step {
      let size = largeBlockByteCount(filter, chunkShape, elementByteCount, atMost: limit)
      return Step(blockByteCount: size, gain: gain, chunkCount: chunkCount)
    }
    let isHigh = level >= Compression.firstHighLevel
    var steps = [step(upTo: isHigh ? 1 << 19 : usualMostByteCount, gain: 0.025, chunkCount: .max)]
    let row = Checked.multiply(chunkShape.last ?? 1, elementByteCount) ?? .max
    if isHigh, row >= CacheLine.byteCount {
      steps.append(step(upTo: highMostByteCount, gain: 0.01, chunkCount: 3))
    }
    return steps
  }

  /// How many chunks may be read together a block of each at a time: what that takes is bounded, whatever
  /// block size will be chosen.
  package static func mostStreamedTogether(_ compression: Compression) -> Int {
    let isHigh = compression.level >= Compression.firstHighLevel
    let block = compression.blockByteCount ?? (isHigh ? highMostByteCount : usualMostByteCount)
    return Swift.max(1, streamedByteCount / block)
  }

  private static let streamedByteCount = 1 << 22
  private static let (usualMostByteCount, highMostByteCount) = (1 << 18, 3 << 20)

  /// Chooses by trying on a sample: the filter that makes it smallest, an earlier one within a
  /// percent of it winning, since undoing less is faster; then the block size, and whether blocks of the
  /// fill value are worth repeating.
  ///
  /// - Parameters:
  ///   - source: The sample: the first buffer, or the first chunk.
  ///   - chunkShape: Blocks are cut the way chunks will cut them.
  ///   - fill: What pads chunks.
  ///   - blockByteCount: The size asked for, nil where it is to be chosen, too.
  /// - Throws: `chunk_too_large`, as creating the data set would.
  package static func choose(
    _ source: CodingSource, chunkShape: Shape, fill: FillValue, level: Int, blockByteCount: Int?
  ) throws(HyperslabError) -> BlockCoding {
    let size = fill.dataType.byteCount
    let chunk = Checked.product(chunkShape.axes + [size]) ?? Int.max
    func usual(_ filter: Filter) -> Int {
      blockByteCount
        ?? usualBlockByteCount(filter, chunkShape: chunkShape, elementByteCount: size)
    }
    // All on the same bytes.
    let candidates = Filter.allCases.map {
      BlockCoding(filter: $0, blockByteCount: usual(.bitshuffle))
    }
    guard
      let sample = try CodingSample(
        source, chunkShape: chunkShape, level: level, fill: fill)
    else {
      // What Zarr's Blosc codec does where nobody chose.
      let filter: Filter = size > 1 ? .shuffle : .bitshuffle
      return BlockCoding(filter: filter, blockByteCount: usual(filter))
    }
    let outcomes = try sample.outcomes(candidates, .spread)
    var best = 0
    for index in candidates.indices.dropFirst()
    where outcomes[index].share < outcomes[best].share * 0.99 { best = index }
    let filter = candidates[best].filter
    var chosen = BlockCoding(
      filter: filter, blockByteCount: usual(filter), repeatsFill: outcomes[best].repeatsPay)
    if blockByteCount != nil { return chosen }
    for step in steps(
      filter, level: level, chunkShape: chunkShape, elementByteCount: size)
    {
      let (small, large) = (chosen.blockByteCount, step.blockByteCount)
      guard large > small, chunk > small else { continue }
      // Parts of the large block, so that both are tried on the same bytes; cut like what would be used,
      // with no large one that is not bit-shuffled.
      let isUneven = filter == .bitshuffle && chunk % (8 * size) != 0
      let part = equalPart(of: large, atMost: small, size) - (isUneven ? 8 * size : 0)
      let outcomes = try sample.outcomes(
        [part, large].map { BlockCoding(filter: filter, blockByteCount: $0) },
        .window(byteCount: large, chunks: step.chunkCount))
      guard outcomes[1].share < outcomes[0].share * (1 - step.gain) else { break }
      chosen.blockByteCount = large
      chosen.repeatsFill = outcomes[1].repeatsPay
    }
    return chosen
  }
}
