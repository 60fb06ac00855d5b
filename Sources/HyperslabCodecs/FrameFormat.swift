package import HyperslabCore

/// What a data set's descriptor fixes of every one of its frames (Spec, "Chunk file").
///
/// A frame decodes with any Blosc 1 library; the block checksums and the header checksum stand in a
/// gap between the offsets and the first block, which those never look at.
package struct FrameFormat: Hashable, Sendable {
  /// Bytes an element, 1 to 16.
  package let elementByteCount: Int
  /// The filter of every block.
  package let filter: Filter
  /// Elements from one to the next along the axis whose differences are stored; nil without `delta`.
  package let deltaStride: Int?
  /// Bytes of a whole decoded chunk.
  package let chunkByteCount: Int
  /// Bytes of every decoded block but the last.
  package let blockByteCount: Int
  /// Whether a chunk has but one block of the fill value, which others like it repeat.
  package let repeatsFill: Bool

  /// The block size when nobody asks for another: LZ4's window, so that larger ones gain little.
  package static let defaultBlockByteCount = StoreLimits.usualBlockByteCount
  /// Block sizes that may be asked for.
  package static let blockByteCounts = StoreLimits.blockByteCounts

  /// Works out a format.
  ///
  /// - Parameters:
  ///   - deltaStride: At least 1, and only with bit shuffle and integers.
  ///   - blockByteCount: As recorded for the data set: rounded down to eight elements here, and never
  ///     more than the chunk.
  /// - Throws: `chunk_too_large` when a chunk's file could not be addressed with 31 bits.
  package init(
    elementByteCount: Int, filter: Filter, deltaStride: Int? = nil, chunkByteCount: Int,
    blockByteCount: Int, repeatsFill: Bool = false
  ) throws(HyperslabError) {
    try StoreLimits.checkChunk(
      byteCount: chunkByteCount, blockByteCount: blockByteCount, elementByteCount: elementByteCount)
    let unit = 8 * elementByteCount
    let block = Swift.min(blockByteCount / unit * unit, chunkByteCount)
    self.elementByteCount = elementByteCount
    self.filter = filter
    self.deltaStride = deltaStride
    self.chunkByteCount = chunkByteCount
    self.blockByteCount = block
    self.repeatsFill = repeatsFill
  }

  /// The number of blocks, at least 1.
  package var blockCount: Int { chunkByteCount.dividedRoundingUp(by: blockByteCount) }
  /// Bytes before the first block: header, offsets, block checksums, header checksum.
  package var prefixByteCount: Int { 16 + 8 * blockCount + 4 }
  /// The largest that a file can be.
  package var maximumFileByteCount: Int { prefixByteCount + 4 * blockCount + chunkByteCount + 4 }
  /// The smallest that a file can be: a block has its length word and a byte, and one may be repeated.
  package var minimumFileByteCount: Int { prefixByteCount + 5 * (repeatsFill ? 1 : blockCount) + 4 }

  /// The range of the decoded chunk that a block holds.
  package func byteRange(ofBlock block: Int) -> Range<Int> {
    let start = block * blockByteCount
    return start..<Swift.min(start + blockByteCount, chunkByteCount)
  }

  /// The elements of the decoded chunk that a block holds.
  package func elementRange(ofBlock block: Int) -> Range<Int> {
    let bytes = byteRange(ofBlock: block)
    return bytes.lowerBound / elementByteCount..<bytes.upperBound / elementByteCount
  }

  /// The blocks that a region of the chunk touches, in runs of neighbours.
  package func blocks(touching copy: ChunkCopy) -> [Range<Int>] {
    let stream = copy.streamRange
    if stream.isEmpty { return [] }
    let unit = blockByteCount / elementByteCount
    var runs: [Range<Int>] = []
    for block in stream.lowerBound / unit..<stream.upperBound.dividedRoundingUp(by: unit)
    where copy.touches(elementRange(ofBlock: block)) {
      if let last = runs.last, last.upperBound == block {
        runs[runs.count - 1] = last.lowerBound..<block + 1
      } else {
        runs.append(block..<block + 1)
      }
    }
    return runs
  }

  /// The filter that a block's bytes went through: nothing moves where elements are bytes, nor is a
  /// block bit-shuffled whose element count is no multiple of eight.
  func filter(ofBlock block: Int) -> Filter {
    switch filter {
    case .shuffle where elementByteCount > 1: .shuffle
    case .bitshuffle
    where Bitshuffle.applies(
      byteCount: byteRange(ofBlock: block).count, elementByteCount: elementByteCount):
      .bitshuffle
    default: .none
    }
  }

  /// Blosc's flags: not split, LZ4, and the filter.
  var flags: UInt8 {
    switch filter {
    case .none: 0x30
    case .shuffle: 0x31
    case .bitshuffle: 0x34
    }
  }
}
