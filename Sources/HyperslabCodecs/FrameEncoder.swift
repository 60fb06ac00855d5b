package import HyperslabCore

/// What became of a chunk.
package struct EncodedChunk {
  /// Whether every element of the padded chunk is the fill value; then there is no file to write.
  package let isFill: Bool
  /// The chunk file, valid until the encoder's next chunk.
  package let file: UnsafeRawBufferPointer
  /// The checksum of header, offsets and block checksums, which the chunk table records.
  package let headerCRC: UInt32
  /// Over the elements inside the array.
  package let statistics: ElementStatistics
}

/// Turns chunks into chunk files; one a thread, all memory reused from chunk to chunk.
///
/// A block goes from the source to the file while it stays in the cache: gather, statistics,
/// filter, LZ4, checksum.
package final class FrameEncoder {
  private let format: FrameFormat
  private let dataType: DataType
  private let fill: FillValue
  private let compressor: LZ4Compressor
  private let gathered: ElementBuffer
  private let filtered: ElementBuffer
  private let scratch: ElementBuffer
  private let output: ElementBuffer

  /// An encoder for the chunks of one data set.
  package convenience init(format: FrameFormat, level: Int, fill: FillValue) {
    self.init(
      format: format, level: level, fill: fill, outputByteCount: format.maximumFileByteCount)
  }

  /// An encoder that only tries blocks, with no room for a whole chunk.
  convenience init(trying format: FrameFormat, level: Int, fill: FillValue) {
    self.init(format: format, level: level, fill: fill, outputByteCount: format.blockByteCount + 4)
  }

  private init(format: FrameFormat, level: Int, fill: FillValue, outputByteCount: Int) {
    self.format = format
    dataType = fill.dataType
    self.fill = fill
    compressor = LZ4Compressor(level: level)
    gathered = ElementBuffer(byteCount: format.blockByteCount)
    filtered = ElementBuffer(byteCount: format.blockByteCount)
    scratch = ElementBuffer(byteCount: format.blockByteCount)
    output = ElementBuffer(byteCount: outputByteCount)
  }

  /// Encodes one chunk.
  ///
  /// - Parameters:
  ///   - copy: Where the chunk's valid part lies; must be the format's chunk.
  ///   - base: The memory that `copy` speaks of.
  package func encode(_ copy: ChunkCopy, from base: UnsafeRawPointer) -> EncodedChunk {
    let size = format.elementByteCount
    let blocks = format.blockCount
    var statistics = ElementStatistics()
    var isFill = true
    var position = format.prefixByteCount
    var dataCRC: UInt32 = 0
    let isPadded = !copy.coversChunk
    for block in 0..<blocks {
      let range = format.byteRange(ofBlock: block)
      let bytes = load(range, copy, base, isPadded: isPadded)
      if !isPadded { statistics.add(bytes, dataType: dataType) }
      if isFill { isFill = fill.fills(bytes) }
      let stored = compress(bytes, at: position)
      let crc = CRC32C.of(UnsafeRawBufferPointer(start: output.pointer + position, count: stored))
      output.pointer.storeBytes(of: UInt32(position), toByteOffset: 16 + 4 * block, as: UInt32.self)
      output.pointer.storeBytes(
        of: crc, toByteOffset: 16 + 4 * (blocks + block), as: UInt32.self)
      dataCRC = block == 0 ? crc : CRC32C.combine(dataCRC, crc, secondByteCount: stored)
      position += stored
    }
    if isPadded { addValidPart(of: copy, from: base, to: &statistics) }
    let headerCRC = finish(frameByteCount: position, dataCRC: dataCRC, size: size)
    return EncodedChunk(
      isFill: isFill, file: UnsafeRawBufferPointer(start: output.pointer, count: position + 4),
      headerCRC: headerCRC, statistics: statistics)
  }

  /// The bytes that one block would take.
  func storedByteCount(ofBlock block: Int, _ copy: ChunkCopy, from base: UnsafeRawPointer) -> Int {
    let range = format.byteRange(ofBlock: block)
    return compress(load(range, copy, base, isPadded: !copy.coversChunk), at: 0)
  }

  /// The block's bytes: the source itself where the chunk lies in one piece, else gathered.
  private func load(
    _ range: Range<Int>, _ copy: ChunkCopy, _ base: UnsafeRawPointer, isPadded: Bool
  ) -> UnsafeRawBufferPointer {
    if let offset = copy.contiguousOffset {
      return UnsafeRawBufferPointer(start: base + offset + range.lowerBound, count: range.count)
    }
    let memory = UnsafeMutableRawBufferPointer(start: gathered.pointer, count: range.count)
    if isPadded { fill.write(over: memory) }
    let size = format.elementByteCount
    copy.gather(
      range.lowerBound / size..<range.upperBound / size, from: base, into: gathered.pointer)
    return UnsafeRawBufferPointer(memory)
  }

  /// Filters and compresses a block behind its length word; returns the bytes of both.
  private func compress(_ bytes: UnsafeRawBufferPointer, at position: Int) -> Int {
    let plain = filter(bytes)
    let target = UnsafeMutableRawBufferPointer(
      start: output.pointer + position + 4, count: bytes.count)
    // One byte less than the block: what LZ4 does not shrink is stored as it is.
    var length = bytes.count
    if let packed = compressor.compress(plain, into: .init(rebasing: target.dropLast())) {
      length = packed
    } else {
      target.copyMemory(from: plain)
    }
    output.pointer.storeBytes(of: UInt32(length), toByteOffset: position, as: UInt32.self)
    return 4 + length
  }

  private func filter(_ bytes: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
    guard let source = bytes.baseAddress else { return bytes }
    let size = format.elementByteCount
    switch format.filter {
    case .shuffle where size > 1:
      Shuffle.apply(source, filtered.pointer, byteCount: bytes.count, elementByteCount: size)
    case .bitshuffle where Bitshuffle.applies(byteCount: bytes.count, elementByteCount: size):
      Bitshuffle.apply(
        source, filtered.pointer, scratch: scratch.pointer, byteCount: bytes.count,
        elementByteCount: size)
    default: return bytes
    }
    return UnsafeRawBufferPointer(start: filtered.pointer, count: bytes.count)
  }

  /// Padding must not count, so an edge chunk's valid part is gathered a second time without it.
  private func addValidPart(
    of copy: ChunkCopy, from base: UnsafeRawPointer, to statistics: inout ElementStatistics
  ) {
    let valid = copy.regionOnly
    let size = format.elementByteCount
    let step = format.blockByteCount / size
    var start = 0
    while start < valid.elementCount {
      let end = Swift.min(start + step, valid.elementCount)
      valid.gather(start..<end, from: base, into: gathered.pointer)
      statistics.add(
        UnsafeRawBufferPointer(start: gathered.pointer, count: (end - start) * size),
        dataType: dataType)
      start = end
    }
  }

  /// Writes header, header checksum and trailer; returns the header checksum.
  private func finish(frameByteCount: Int, dataCRC: UInt32, size: Int) -> UInt32 {
    let memory = output.pointer
    let header: [UInt8] = [2, 1, format.flags, UInt8(size)]
    for (offset, byte) in header.enumerated() {
      memory.storeBytes(of: byte, toByteOffset: offset, as: UInt8.self)
    }
    memory.storeBytes(of: UInt32(format.chunkByteCount), toByteOffset: 4, as: UInt32.self)
    memory.storeBytes(of: UInt32(format.blockByteCount), toByteOffset: 8, as: UInt32.self)
    memory.storeBytes(of: UInt32(frameByteCount), toByteOffset: 12, as: UInt32.self)
    let prefix = format.prefixByteCount
    var crc = CRC32C()
    crc.add(UnsafeRawBufferPointer(start: memory, count: prefix - 4))
    let headerCRC = crc.value
    memory.storeBytes(of: headerCRC, toByteOffset: prefix - 4, as: UInt32.self)
    crc.add(UnsafeRawBufferPointer(start: memory + prefix - 4, count: 4))
    let trailer = CRC32C.combine(crc.value, dataCRC, secondByteCount: frameByteCount - prefix)
    memory.storeBytes(of: trailer, toByteOffset: frameByteCount, as: UInt32.self)
    return headerCRC
  }
}
