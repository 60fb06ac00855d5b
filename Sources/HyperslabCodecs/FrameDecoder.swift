package import HyperslabCore

/// Turns stored blocks back into elements; one a thread, all memory reused.
package final class FrameDecoder {
  private let format: FrameFormat
  private let unpacked: ElementBuffer
  private let scratch: ElementBuffer
  private let decoded: ElementBuffer
  /// Between the filters bit shuffle and delta.
  private let differences: ElementBuffer?

  /// A decoder for the chunks of one data set.
  package init(format: FrameFormat) {
    self.format = format
    unpacked = ElementBuffer(byteCount: format.blockByteCount)
    scratch = ElementBuffer(byteCount: format.blockByteCount)
    decoded = ElementBuffer(byteCount: format.blockByteCount)
    differences = format.deltaStride.map { _ in ElementBuffer(byteCount: format.blockByteCount) }
  }

  /// Checks and decodes a block and copies what a region needs of it.
  ///
  /// - Parameters:
  ///   - stored: The block as stored, length word first.
  ///   - copy: The region; must be over the format's chunk.
  ///   - base: The memory that `copy` speaks of.
  /// - Throws: `checksum` when the bytes are not those written.
  package func decode(
    block: Int, stored: UnsafeRawBufferPointer, prefix: FramePrefix, copy: ChunkCopy,
    into base: UnsafeMutableRawPointer
  ) throws(HyperslabError) {
    let range = format.byteRange(ofBlock: block)
    if let offset = copy.contiguousOffset {
      let target = base + offset + range.lowerBound
      try decode(block: block, stored: stored, prefix: prefix, into: target)
      return
    }
    try decode(block: block, stored: stored, prefix: prefix, into: decoded.pointer)
    let size = format.elementByteCount
    copy.scatter(
      range.lowerBound / size..<range.upperBound / size, from: decoded.pointer, into: base)
  }

  private static func checkSum(
    block: Int, stored: UnsafeRawBufferPointer, prefix: FramePrefix
  ) throws(HyperslabError) {
    let crc = CRC32C.of(stored)
    guard crc == prefix.checksum(ofBlock: block) else {
      throw HyperslabError(
        .checksum, "block \(block) of the chunk file",
        expected: CRC32C.hex(prefix.checksum(ofBlock: block)), found: CRC32C.hex(crc))
    }
  }

  /// Checks a block's stored bytes and that they unpack to what the block must hold; the filter,
  /// which cannot fail, is left out.
  package func check(
    block: Int, stored: UnsafeRawBufferPointer, prefix: FramePrefix
  ) throws(HyperslabError) {
    let payload = try payload(block: block, stored: stored, prefix: prefix)
    let count = format.byteRange(ofBlock: block).count
    guard payload.count < count else { return }
    let memory = UnsafeMutableRawBufferPointer(start: unpacked.pointer, count: count)
    guard decompressLZ4(payload, into: memory) else { throw malformed(block) }
  }

  /// A block without its length word, which is checked.
  private func payload(
    block: Int, stored: UnsafeRawBufferPointer, prefix: FramePrefix
  ) throws(HyperslabError) -> UnsafeRawBufferPointer {
    try Self.checkSum(block: block, stored: stored, prefix: prefix)
    let payload = UnsafeRawBufferPointer(rebasing: stored.dropFirst(4))
    guard Int(stored.loadUnaligned(as: UInt32.self)) == payload.count else {
      throw malformed(block)
    }
    return payload
  }

  private func decode(
    block: Int, stored: UnsafeRawBufferPointer, prefix: FramePrefix,
    into target: UnsafeMutableRawPointer
  ) throws(HyperslabError) {
    guard let stride = format.deltaStride, let differences else {
      try unpack(block: block, stored: stored, prefix: prefix, into: target)
      return
    }
    try unpack(block: block, stored: stored, prefix: prefix, into: differences.pointer)
    Delta.undo(
      differences.pointer, target, byteCount: format.byteRange(ofBlock: block).count,
      elementByteCount: format.elementByteCount, stride: stride)
  }

  /// Decodes a block but for the differences along an axis.
  private func unpack(
    block: Int, stored: UnsafeRawBufferPointer, prefix: FramePrefix,
    into target: UnsafeMutableRawPointer
  ) throws(HyperslabError) {
    let payload = try payload(block: block, stored: stored, prefix: prefix)
    let count = format.byteRange(ofBlock: block).count
    guard let packed = payload.baseAddress else { throw malformed(block) }
    let size = format.elementByteCount
    let isShuffled = format.filter == .shuffle && size > 1
    let isBitshuffled =
      format.filter == .bitshuffle && Bitshuffle.applies(byteCount: count, elementByteCount: size)
    let isFiltered = isShuffled || isBitshuffled
    var plain = packed
    if payload.count < count {
      let memory = UnsafeMutableRawBufferPointer(
        start: isFiltered ? unpacked.pointer : target, count: count)
      guard decompressLZ4(payload, into: memory) else { throw malformed(block) }
      plain = UnsafeRawPointer(isFiltered ? unpacked.pointer : target)
    } else if !isFiltered {
      target.copyMemory(from: packed, byteCount: count)
    }
    if isShuffled {
      Shuffle.undo(plain, target, byteCount: count, elementByteCount: size)
    } else if isBitshuffled {
      Bitshuffle.undo(
        plain, target, scratch: scratch.pointer, byteCount: count, elementByteCount: size)
    }
  }

  private func malformed(_ block: Int) -> HyperslabError {
    HyperslabError(.checksum, "block \(block) of the chunk file does not decode to its size")
  }
}
