import HyperslabCore

extension FrameFormat {
  /// How many bytes of a chunk file tell its format.
  package static let headerByteCount = 16

  /// The format that a chunk file's first bytes tell of, where no data set is known that it is of; nil
  /// unless they are those of a frame, and of one that fits the file.
  ///
  /// Nothing of it is proven yet: that takes the checksums that follow.
  package init?(header bytes: [UInt8], fileByteCount: Int) {
    guard bytes.count == Self.headerByteCount, bytes[0] == 2, bytes[1] == 1 else { return nil }
    func word(_ offset: Int) -> Int {
      (0..<4).reduce(0) { $0 | Int(bytes[offset + $1]) << (8 * $1) }
    }
    let filter: Filter
    switch bytes[2] {
    case 0x30: filter = .none
    case 0x31: filter = .shuffle
    case 0x34: filter = .bitshuffle
    default: return nil
    }
    let element = Int(bytes[3])
    let (chunk, block) = (word(4), word(8))
    guard [1, 2, 4, 8, 16].contains(element), chunk > 0, block > 0, block <= chunk,
      word(12) == fileByteCount - 4
    else { return nil }
    let unit = 8 * element
    let recorded =
      block < chunk
      ? block : Swift.max(Self.blockByteCounts.lowerBound, chunk.dividedRoundingUp(by: unit) * unit)
    // More blocks than the file has room to list would be more than it can say.
    guard Self.blockByteCounts.contains(recorded),
      chunk.dividedRoundingUp(by: block) <= fileByteCount / 8,
      let format = try? FrameFormat(
        elementByteCount: element, filter: filter, chunkByteCount: chunk,
        blockByteCount: recorded, repeatsFill: true),
      format.blockByteCount == block, format.minimumFileByteCount <= fileByteCount
    else { return nil }
    self = format
  }
}
