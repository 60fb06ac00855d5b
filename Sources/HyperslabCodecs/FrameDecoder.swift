package import HyperslabCore

/// Turns stored blocks back into elements; one a thread, all memory reused.
package final class FrameDecoder {
  private let format: FrameFormat
  private let unpacked: ElementBuffer
  private let scratch: ElementBuffer
  private let decoded: ElementBuffer
  private let bits: BitPlanes
  /// What blocks of zeros unpack to, from the first of them on.
  private var zeros: ElementBuffer?

  /// A decoder for the chunks of one data set.
  package init(format: FrameFormat) throws(HyperslabError) {
    self.format = format
    unpacked = try ElementBuffer(allocating: format.blockByteCount)
    scratch = try ElementBuffer(allocating: format.blockByteCount)
    decoded = try ElementBuffer(allocating: format.blockByteCount)
    bits = unsafe BitPlanes(
      unpacked.pointer, elementCount: 0, elementByteCount: format.elementByteCount)
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
    let elements = format.elementRange(ofBlock: block)
    if let offset = copy.contiguousOffset {
      try unsafe decode(
        block: block, stored: stored, prefix: prefix, 0..<elements.count,
        into: base + offset + format.byteRange(ofBlock: block).lowerBound)
      return
    }
    let filter = format.filter(ofBlock: block)
    if filter == .none, format.deltaStride == nil {
      let plain = try unsafe plain(block: block, stored: stored, prefix: prefix)
      unsafe copy.scatter(elements, from: plain, into: base)
      return
    }
    let needed = needed(ofBlock: block, copy)
    if joinsRows(filter, copy) {
      let payload = try unsafe payload(block: block, stored: stored, prefix: prefix)
      let planes = try unsafe planes(payload, block, needed, in: scratch.pointer)
      copy.forEachPlane(in: elements) { rows in
        unsafe Shuffle.joinRows(
          of: planes.rows(rows, from: 0, into: base), rows: rows.counts.rows,
          elementByteCount: format.elementByteCount)
      }
    } else {
      try unsafe decode(block: block, stored: stored, prefix: prefix, needed, into: decoded.pointer)
      unsafe copy.scatter(elements, from: decoded.pointer, into: base)
    }
  }

  /// Checks and decodes a block as far as is worth it before what a region needs of it is placed.
  ///
  /// - Parameter memory: Room for a block, which the result speaks of.
  /// - Throws: `checksum` when the bytes are not those written.
  package func decode(
    block: Int, stored: UnsafeRawBufferPointer, prefix: FramePrefix, copy: ChunkCopy,
    aside memory: UnsafeMutableRawPointer
  ) throws(HyperslabError) -> DecodedBlock {
    let needed = needed(ofBlock: block, copy)
    if !joinsRows(format.filter(ofBlock: block), copy) {
      try unsafe decode(block: block, stored: stored, prefix: prefix, needed, into: memory)
      return unsafe DecodedBlock(
        base: memory, plane: nil, first: 0, elementByteCount: format.elementByteCount)
    }
    let payload = try unsafe payload(block: block, stored: stored, prefix: prefix)
    return try unsafe planes(payload, block, needed, in: memory)
  }

  /// Whether byte planes are joined row by row into their places, not first to a block.
  private func joinsRows(_ filter: Filter, _ copy: ChunkCopy) -> Bool {
    filter != .none && format.deltaStride == nil
      && copy.rowByteCount
        >= Swift.max(Self.leastRowByteCount, Shuffle.leastRowCount * format.elementByteCount)
  }

  /// Checks a block and decodes elements of it to their places in memory for all of them.
  ///
  /// - Parameter needed: Which elements, at least; see ``needed(ofBlock:_:)``.
  /// - Throws: `checksum` when the bytes are not those written.
  private func decode(
    block: Int, stored: UnsafeRawBufferPointer, prefix: FramePrefix, _ needed: Range<Int>,
    into memory: UnsafeMutableRawPointer
  ) throws(HyperslabError) {
    let size = format.elementByteCount
    let count = format.elementRange(ofBlock: block).count
    let filter = format.filter(ofBlock: block)
    let payload = try unsafe payload(block: block, stored: stored, prefix: prefix)
    if filter == .none, format.deltaStride == nil {
      try unsafe unpack(payload, block, into: memory)
      return
    }
    guard let stride = format.deltaStride else {
      if filter == .bitshuffle, unsafe !isZeros(payload, block) {
        unsafe Bitshuffle.joinElements(
          try bitPlanes(payload, block), needed, memory + needed.lowerBound * size,
          scratch: scratch.pointer, elementByteCount: size)
        return
      }
      let planes = try unsafe planes(payload, block, needed, in: scratch.pointer)
      unsafe Shuffle.join(
        planes.base, plane: planes.plane ?? 0, memory + planes.first * size, count: needed.count,
        elementByteCount: size)
      return
    }
    // Each element needs those before it.
    if filter != .none {
      let planes = try unsafe planes(payload, block, 0..<count, in: scratch.pointer)
      unsafe Shuffle.join(
        planes.base, plane: planes.plane ?? 0, unpacked.pointer, count: count,
        elementByteCount: size)
    } else {
      try unsafe unpack(payload, block, into: unpacked.pointer)
    }
    unsafe Delta.undo(
      unpacked.pointer, memory, byteCount: count * size, elementByteCount: size, stride: stride)
  }

  /// The elements of a block from the first to the last that a region may need, counted from the
  /// block's first, in whole bytes of bits.
  private func needed(ofBlock block: Int, _ copy: ChunkCopy) -> Range<Int> {
    let elements = format.elementRange(ofBlock: block)
    let region = copy.streamRange.clamped(to: elements)
    let low = (region.lowerBound - elements.lowerBound) / 8 * 8
    let high = (region.upperBound - elements.lowerBound).dividedRoundingUp(by: 8) * 8
    return low..<Swift.min(elements.count, high)
  }

  /// The byte planes that a filter left of a block, at least of the elements needed, in memory with room for a
  /// block, or where zeros are at hand.
  private func planes(
    _ payload: UnsafeRawBufferPointer, _ block: Int, _ needed: Range<Int>,
    in memory: UnsafeMutableRawPointer
  ) throws(HyperslabError) -> DecodedBlock {
    let size = format.elementByteCount
    if unsafe isZeros(payload, block) {
      // Every byte plane is the same.
      return unsafe DecodedBlock(
        base: try zeroBytes(), plane: 0, first: needed.lowerBound, elementByteCount: size)
    }
    guard format.filter(ofBlock: block) == .bitshuffle else {
      try unsafe unpack(payload, block, into: memory)
      return unsafe DecodedBlock(
        base: memory + needed.lowerBound, plane: format.elementRange(ofBlock: block).count,
        first: needed.lowerBound, elementByteCount: size)
    }
    let bits = try unsafe bitPlanes(payload, block)
    unsafe Bitshuffle.join(bits, needed, memory, elementByteCount: size)
    return unsafe DecodedBlock(
      base: memory, plane: needed.count, first: needed.lowerBound, elementByteCount: size)
  }

  /// Rows from this length on are worth a call each.
  private static let leastRowByteCount = 64

  /// A block's bytes as the filters left them.
  private func plain(
    block: Int, stored: UnsafeRawBufferPointer, prefix: FramePrefix
  ) throws(HyperslabError) -> UnsafeRawPointer {
    let payload = try unsafe payload(block: block, stored: stored, prefix: prefix)
    let count = format.byteRange(ofBlock: block).count
    if payload.count == count, let packed = payload.baseAddress { return unsafe packed }
    if unsafe isZeros(payload, block) { return try unsafe zeroBytes() }
    try unsafe unpack(payload, block, into: unpacked.pointer)
    return unsafe UnsafeRawPointer(unpacked.pointer)
  }

  /// The bit planes of a block, unpacked where they are not at hand in its payload.
  private func bitPlanes(
    _ payload: UnsafeRawBufferPointer, _ block: Int
  ) throws(HyperslabError) -> BitPlanes {
    let bytes = format.byteRange(ofBlock: block).count
    let elements = format.elementRange(ofBlock: block).count
    if payload.count == bytes, let packed = payload.baseAddress {
      unsafe bits.lie(at: packed, elementCount: elements)
      return bits
    }
    let memory = unsafe UnsafeMutableRawBufferPointer(start: unpacked.pointer, count: bytes)
    guard payload.count < bytes,
      unsafe bits.unpackLZ4(payload, into: memory, elementCount: elements)
    else { throw malformed(block) }
    return bits
  }

  /// Whether a block is packed as one of nothing but zeros is.
  private func isZeros(_ payload: UnsafeRawBufferPointer, _ block: Int) -> Bool {
    unsafe LZ4LongSequences(
      payload,
      UnsafeMutableRawBufferPointer(
        start: unpacked.pointer, count: format.byteRange(ofBlock: block).count)
    ).isZeros
  }

  /// A block of zeros.
  private func zeroBytes() throws(HyperslabError) -> UnsafeRawPointer {
    if let zeros { return unsafe UnsafeRawPointer(zeros.pointer) }
    let made = try ElementBuffer(allocating: format.blockByteCount)
    unsafe made.pointer.initializeMemory(as: UInt8.self, repeating: 0, count: made.byteCount)
    zeros = made
    return unsafe UnsafeRawPointer(made.pointer)
  }

  private static func checkSum(
    block: Int, stored: UnsafeRawBufferPointer, prefix: FramePrefix
  ) throws(HyperslabError) {
    let crc = unsafe CRC32C.of(stored)
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
    let payload = try unsafe payload(block: block, stored: stored, prefix: prefix)
    if unsafe isZeros(payload, block) { return }
    if format.filter(ofBlock: block) == .bitshuffle {
      _ = try unsafe bitPlanes(payload, block)
    } else {
      try unsafe unpack(payload, block, into: unpacked.pointer)
    }
  }

  /// A block without its length word, which is checked.
  private func payload(
    block: Int, stored: UnsafeRawBufferPointer, prefix: FramePrefix
  ) throws(HyperslabError) -> UnsafeRawBufferPointer {
    try unsafe Self.checkSum(block: block, stored: stored, prefix: prefix)
    let payload = unsafe UnsafeRawBufferPointer(rebasing: stored.dropFirst(4))
    guard unsafe Int(stored.loadUnaligned(as: UInt32.self)) == payload.count else {
      throw malformed(block)
    }
    return unsafe payload
  }

  private func unpack(
    _ payload: UnsafeRawBufferPointer, _ block: Int, into target: UnsafeMutableRawPointer
  ) throws(HyperslabError) {
    let count = format.byteRange(ofBlock: block).count
    let memory = unsafe UnsafeMutableRawBufferPointer(start: target, count: count)
    if payload.count == count {
      unsafe memory.copyMemory(from: payload)
    } else if unsafe payload.count > count || !decompressLZ4(payload, into: memory) {
      throw malformed(block)
    }
  }

  private func malformed(_ block: Int) -> HyperslabError {
    HyperslabError(.checksum, "block \(block) of the chunk file does not decode to its size")
  }
}
