package import HyperslabCore

/// Turns stored blocks back into elements; one a thread, all memory reused.
package final class FrameDecoder {
  private let format: FrameFormat
  private let unpacked: ElementBuffer
  private let scratch: ElementBuffer
  private let decoded: ElementBuffer

  /// A decoder for the chunks of one data set.
  package init(format: FrameFormat) {
    self.format = format
    unpacked = ElementBuffer(byteCount: format.blockByteCount)
    scratch = ElementBuffer(byteCount: format.blockByteCount)
    decoded = ElementBuffer(byteCount: format.blockByteCount)
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
    let payload = try payload(block: block, stored: stored, prefix: prefix)
    let range = format.byteRange(ofBlock: block)
    let size = format.elementByteCount
    let elements = format.elementRange(ofBlock: block)
    let filter = format.filter(ofBlock: block)
    if filter == .none, format.deltaStride == nil, let offset = copy.contiguousOffset {
      try unpack(payload, block, into: base + offset + range.lowerBound, count: range.count)
      return
    }
    var plain = UnsafeRawPointer(unpacked.pointer)
    if payload.count == range.count, let packed = payload.baseAddress {
      plain = packed
    } else {
      try unpack(payload, block, into: unpacked.pointer, count: range.count)
    }
    if let stride = format.deltaStride {
      sumUp(plain, filter, stride, block, copy, into: base)
      return
    }
    switch filter {
    case .none: copy.scatter(elements, from: plain, into: base)
    case .shuffle:
      join(plain, plane: elements.count, 0..<elements.count, elements, copy, into: base)
    case .bitshuffle:
      let needed = Self.needed(copy, in: elements)
      Bitshuffle.join(
        plain, count: elements.count, needed, scratch.pointer, elementByteCount: size)
      join(scratch.pointer, plane: needed.count, needed, elements, copy, into: base)
    }
  }

  /// Turns a block of differences into elements, all of them, since each needs those before it.
  private func sumUp(
    _ plain: UnsafeRawPointer, _ filter: Filter, _ stride: Int, _ block: Int, _ copy: ChunkCopy,
    into base: UnsafeMutableRawPointer
  ) {
    let size = format.elementByteCount
    let range = format.byteRange(ofBlock: block)
    let elements = format.elementRange(ofBlock: block)
    let count = elements.count
    var differences = plain
    if filter == .bitshuffle {
      Bitshuffle.join(
        plain, count: count, 0..<count, scratch.pointer, elementByteCount: size)
      Shuffle.join(
        scratch.pointer, plane: count, decoded.pointer, count: count, elementByteCount: size)
      differences = UnsafeRawPointer(decoded.pointer)
    }
    let target = copy.contiguousOffset.map { base + $0 + range.lowerBound } ?? scratch.pointer
    Delta.undo(
      differences, target, byteCount: range.count, elementByteCount: size, stride: stride)
    if copy.contiguousOffset == nil { copy.scatter(elements, from: scratch.pointer, into: base) }
  }

  /// The elements of a block from the first to the last that a region needs, in whole bytes of bits.
  private static func needed(_ copy: ChunkCopy, in elements: Range<Int>) -> Range<Int> {
    var low = elements.count
    var high = 0
    copy.forEachPlane(in: elements) { plane in
      low = Swift.min(low, plane.element)
      high = Swift.max(high, plane.end)
    }
    return low / 8 * 8..<Swift.max(low, high).dividedRoundingUp(by: 8) * 8
  }

  /// Joins byte planes into elements: straight into their places where rows are long enough.
  ///
  /// - Parameter held: Which of the block's elements the planes hold.
  private func join(
    _ planes: UnsafeRawPointer, plane stride: Int, _ held: Range<Int>, _ elements: Range<Int>,
    _ copy: ChunkCopy, into base: UnsafeMutableRawPointer
  ) {
    let size = format.elementByteCount
    if copy.rowByteCount >= Self.leastRowByteCount {
      copy.forEachPlane(in: elements) { plane in
        var from = planes + plane.element - held.lowerBound
        var to = base + plane.byteOffset
        for _ in 0..<plane.counts.rows {
          Shuffle.join(
            from, plane: stride, to, count: plane.counts.columns, elementByteCount: size)
          from += plane.elementStrides.rows
          to += plane.byteStrides.rows
        }
      }
    } else {
      Shuffle.join(
        planes, plane: stride, decoded.pointer + held.lowerBound * size, count: held.count,
        elementByteCount: size)
      copy.scatter(elements, from: decoded.pointer, into: base)
    }
  }

  /// Rows from this length on are worth a call each.
  private static let leastRowByteCount = 64

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
    if payload.count != count { try unpack(payload, block, into: unpacked.pointer, count: count) }
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

  private func unpack(
    _ payload: UnsafeRawBufferPointer, _ block: Int, into target: UnsafeMutableRawPointer,
    count: Int
  ) throws(HyperslabError) {
    let memory = UnsafeMutableRawBufferPointer(start: target, count: count)
    if payload.count == count {
      memory.copyMemory(from: payload)
    } else if payload.count > count || !decompressLZ4(payload, into: memory) {
      throw malformed(block)
    }
  }

  private func malformed(_ block: Int) -> HyperslabError {
    HyperslabError(.checksum, "block \(block) of the chunk file does not decode to its size")
  }
}
