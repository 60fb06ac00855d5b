package import HyperslabCore

extension BlockCoding {
  /// The size of blocks of which as few as can be make up a chunk; where one position on its outer axes is
  /// itself more than a block, make up that, so that none lies in two of them: a slice of the MRI then
  /// touches a sixth less, and compresses as well.
  static func largeBlockByteCount(
    _ filter: Filter, _ chunkShape: Shape, _ elementByteCount: Int, atMost limit: Int
  ) -> Int {
    let trailing = chunkShape.indices.map {
      Checked.product(chunkShape.axes[$0...] + [elementByteCount]) ?? .max
    }
    let chunk = trailing.first ?? elementByteCount
    if filter == .bitshuffle, let fitting = fittingBlock(chunk, elementByteCount, atMost: limit) {
      return fitting
    }
    let whole = trailing.last { $0 > limit } ?? chunk
    return equalPart(of: whole, atMost: limit, elementByteCount)
  }

  /// The block size where nobody asks for another: 64 KiB, unless what that leaves for the last block is more
  /// than a 64th of the chunk and not bit-shuffled.
  package static func usualBlockByteCount(
    _ filter: Filter?, chunkShape: Shape, elementByteCount: Int
  ) -> Int {
    let usual = FrameFormat.defaultBlockByteCount
    let chunk = Checked.product(chunkShape.axes + [elementByteCount]) ?? .max
    guard filter == .bitshuffle, chunk % usual > chunk / 64 else { return usual }
    return fittingBlock(chunk, elementByteCount, atMost: usual) ?? usual
  }

  /// The size of equal blocks that make up all but a few elements of a chunk whose elements are no multiple
  /// of eight; nil for other chunks. The last block of such a chunk is not bit-shuffled (Blosc), and so not
  /// packed well: it is to be as small as can be. Digits in chunks of (252, 63), smaller than a usual block,
  /// compress 7.6-fold so, 4.7-fold without.
  private static func fittingBlock(
    _ chunkByteCount: Int, _ elementByteCount: Int, atMost limit: Int
  ) -> Int? {
    let unit = 8 * elementByteCount
    let units = chunkByteCount / unit
    guard chunkByteCount % unit != 0, units > 0 else { return nil }
    let size = units / units.dividedRoundingUp(by: limit / unit) * unit
    return FrameFormat.blockByteCounts.contains(size) ? size : nil
  }

  /// The size of as few equal parts as can be, in whole units of eight elements.
  static func equalPart(
    of byteCount: Int, atMost limit: Int, _ elementByteCount: Int
  ) -> Int {
    let unit = 8 * elementByteCount
    return byteCount.dividedRoundingUp(by: byteCount.dividedRoundingUp(by: limit))
      .dividedRoundingUp(by: unit) * unit
  }
}
