package import HyperslabCore

/// What became of a chunk.
package struct EncodedChunk: Sendable {
  /// Whether every element of the padded chunk is the fill value; then the file is not wanted.
  package let isFill: Bool
  /// The chunk file's size.
  package let byteCount: Int
  /// The checksum of header, offsets and block checksums, which the chunk table records.
  package let headerCRC: UInt32
  /// Over the elements inside the array.
  package let statistics: ElementStatistics
}

/// Where a chunk file goes, in pieces; its beginning comes last, when all offsets are known.
package protocol FrameSink: AnyObject {
  /// Writes bytes of the file; not called at all for a small chunk of nothing but the fill value.
  func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(HyperslabError)
}

/// Turns chunks into chunk files; one a thread, all memory reused from chunk to chunk.
///
/// A block goes from the source to the file while it stays in the cache: gather, statistics,
/// filters, LZ4, checksum.
package final class FrameEncoder {
  private let format: FrameFormat
  private let dataType: DataType
  private let fill: FillValue
  private let compressor: LZ4Compressor
  private let gathered: ElementBuffer
  private let filtered: ElementBuffer
  private let scratch: ElementBuffer
  /// Between the filters delta and bit shuffle.
  private let differences: ElementBuffer?
  /// The file's prefix, and behind it a window of the file that was not written out yet.
  private let output: ElementBuffer
  /// A block of padding as stored, and its size before.
  private var packedPadding: (decodedByteCount: Int, bytes: [UInt8])?
  private var windowStart = 0
  private var windowEnd = 0

  /// Bytes of file that are collected before they are written out, so that memory does not grow with
  /// the chunk and what is written still is in the cache.
  private static let windowByteCount = 1 << 20

  /// An encoder for the chunks of one data set.
  package init(format: FrameFormat, level: Int, fill: FillValue) {
    self.format = format
    dataType = fill.dataType
    self.fill = fill
    compressor = LZ4Compressor(level: level)
    gathered = ElementBuffer(byteCount: format.blockByteCount)
    filtered = ElementBuffer(byteCount: format.blockByteCount)
    scratch = ElementBuffer(byteCount: format.blockByteCount)
    differences = format.deltaStride.map { _ in ElementBuffer(byteCount: format.blockByteCount) }
    output = ElementBuffer(byteCount: Self.outputByteCount(format))
  }

  private static func outputByteCount(_ format: FrameFormat) -> Int {
    Swift.min(
      format.maximumFileByteCount,
      format.prefixByteCount + Swift.max(windowByteCount, 2 * (format.blockByteCount + 8)))
  }

  /// Encodes one chunk.
  ///
  /// - Parameters:
  ///   - copy: Where the chunk's valid part lies; must be the format's chunk.
  ///   - base: The memory that `copy` speaks of.
  ///   - sink: What takes the file.
  package func encode(
    _ copy: ChunkCopy, from base: UnsafeRawPointer, to sink: some FrameSink
  ) throws(HyperslabError) -> EncodedChunk {
    let blocks = format.blockCount
    let prefix = format.prefixByteCount
    var statistics = ElementStatistics()
    var isFill = true
    var dataCRC: UInt32 = 0
    let isPadded = !copy.coversChunk
    windowStart = prefix
    windowEnd = prefix
    for block in 0..<blocks {
      let range = format.byteRange(ofBlock: block)
      if prefix + windowEnd - windowStart + range.count + 8 > output.byteCount {
        try writeWindow(to: sink)
      }
      let position = prefix + windowEnd - windowStart
      let stored: Int
      if isPadded && !copy.touches(format.elementRange(ofBlock: block)) {
        stored = padding(block, at: position)
      } else {
        let bytes = load(block, copy, base, isPadded: isPadded)
        if isFill { isFill = fill.fills(bytes) }
        addStatistics(of: bytes, block, isPadded ? copy : nil, to: &statistics)
        stored = compress(bytes, block, at: position)
      }
      let crc = CRC32C.of(UnsafeRawBufferPointer(start: output.pointer + position, count: stored))
      store(UInt32(windowEnd), at: 16 + 4 * block)
      store(crc, at: 16 + 4 * (blocks + block))
      dataCRC = block == 0 ? crc : CRC32C.combine(dataCRC, crc, secondByteCount: stored)
      windowEnd += stored
    }
    let headerCRC = finish(frameByteCount: windowEnd, dataCRC: dataCRC)
    windowEnd += 4
    if windowStart == prefix {
      if !isFill {
        try sink.write(UnsafeRawBufferPointer(start: output.pointer, count: windowEnd), at: 0)
      }
    } else {
      try writeWindow(to: sink)
      try sink.write(UnsafeRawBufferPointer(start: output.pointer, count: prefix), at: 0)
    }
    return EncodedChunk(
      isFill: isFill, byteCount: windowEnd, headerCRC: headerCRC, statistics: statistics)
  }

  private func writeWindow(to sink: some FrameSink) throws(HyperslabError) {
    let bytes = UnsafeRawBufferPointer(
      start: output.pointer + format.prefixByteCount, count: windowEnd - windowStart)
    try sink.write(bytes, at: windowStart)
    windowStart = windowEnd
  }

  private func store(_ value: UInt32, at offset: Int) {
    output.pointer.storeBytes(of: value, toByteOffset: offset, as: UInt32.self)
  }

  /// The bytes that one block would take.
  func storedByteCount(ofBlock block: Int, _ copy: ChunkCopy, from base: UnsafeRawPointer) -> Int {
    let bytes = load(block, copy, base, isPadded: !copy.coversChunk)
    return compress(bytes, block, at: format.prefixByteCount)
  }

  /// The block's bytes: the source itself where the chunk lies in one piece, else gathered.
  private func load(
    _ block: Int, _ copy: ChunkCopy, _ base: UnsafeRawPointer, isPadded: Bool
  ) -> UnsafeRawBufferPointer {
    let range = format.byteRange(ofBlock: block)
    if let offset = copy.contiguousOffset {
      return UnsafeRawBufferPointer(start: base + offset + range.lowerBound, count: range.count)
    }
    let memory = UnsafeMutableRawBufferPointer(start: gathered.pointer, count: range.count)
    if isPadded { fill.write(over: memory) }
    copy.gather(format.elementRange(ofBlock: block), from: base, into: gathered.pointer)
    return UnsafeRawBufferPointer(memory)
  }

  /// Adds a block's elements, of a padded chunk's only those inside the array.
  private func addStatistics(
    of bytes: UnsafeRawBufferPointer, _ block: Int, _ padded: ChunkCopy?,
    to statistics: inout ElementStatistics
  ) {
    guard let padded, let elements = bytes.baseAddress else {
      return statistics.add(bytes, dataType: dataType)
    }
    let count = padded.compact(
      format.elementRange(ofBlock: block), from: elements, into: filtered.pointer)
    statistics.add(
      UnsafeRawBufferPointer(start: filtered.pointer, count: count * format.elementByteCount),
      dataType: dataType)
  }

  /// Stores a block of nothing but padding. They are all alike, so the first is kept.
  private func padding(_ block: Int, at position: Int) -> Int {
    let count = format.byteRange(ofBlock: block).count
    if let packed = packedPadding, packed.decodedByteCount == count {
      (output.pointer + position).copyMemory(from: packed.bytes, byteCount: packed.bytes.count)
      return packed.bytes.count
    }
    let memory = UnsafeMutableRawBufferPointer(start: gathered.pointer, count: count)
    fill.write(over: memory)
    let stored = compress(UnsafeRawBufferPointer(memory), block, at: position)
    let bytes = UnsafeRawBufferPointer(start: output.pointer + position, count: stored)
    packedPadding = (count, [UInt8](bytes))
    return stored
  }

  /// Filters and compresses a block behind its length word; returns the bytes of both.
  private func compress(_ bytes: UnsafeRawBufferPointer, _ block: Int, at position: Int) -> Int {
    let plain = filter(delta(bytes), format.filter(ofBlock: block))
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

  private func delta(_ bytes: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
    guard let stride = format.deltaStride, let differences, let source = bytes.baseAddress else {
      return bytes
    }
    Delta.apply(
      source, differences.pointer, byteCount: bytes.count,
      elementByteCount: format.elementByteCount, stride: stride)
    return UnsafeRawBufferPointer(start: differences.pointer, count: bytes.count)
  }

  private func filter(
    _ bytes: UnsafeRawBufferPointer, _ filter: Filter
  ) -> UnsafeRawBufferPointer {
    guard filter != .none, let source = bytes.baseAddress else { return bytes }
    let size = format.elementByteCount
    let count = bytes.count / size
    if filter == .shuffle {
      Shuffle.split(source, filtered.pointer, plane: count, count: count, elementByteCount: size)
    } else {
      Bitshuffle.split(
        source, filtered.pointer, scratch: scratch.pointer, count: count, elementByteCount: size)
    }
    return UnsafeRawBufferPointer(start: filtered.pointer, count: bytes.count)
  }

  /// Writes header, header checksum and trailer; returns the header checksum.
  private func finish(frameByteCount: Int, dataCRC: UInt32) -> UInt32 {
    let memory = output.pointer
    let kind: [UInt8] = [2, 1, format.flags, UInt8(format.elementByteCount)]
    memory.copyMemory(from: kind, byteCount: 4)
    store(UInt32(format.chunkByteCount), at: 4)
    store(UInt32(format.blockByteCount), at: 8)
    store(UInt32(frameByteCount), at: 12)
    let prefix = format.prefixByteCount
    var crc = CRC32C()
    crc.add(UnsafeRawBufferPointer(start: memory, count: prefix - 4))
    let headerCRC = crc.value
    store(headerCRC, at: prefix - 4)
    crc.add(UnsafeRawBufferPointer(start: memory + prefix - 4, count: 4))
    let trailer = CRC32C.combine(crc.value, dataCRC, secondByteCount: frameByteCount - prefix)
    store(trailer, at: prefix + frameByteCount - windowStart)
    return headerCRC
  }
}
