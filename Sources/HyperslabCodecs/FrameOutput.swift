import HyperslabCore

/// A chunk file in the making: its prefix, and a window of its blocks that was not written out yet.
final class FrameOutput {
  /// Whether all elements so far are the fill value.
  private var isFill = true
  /// The first block of nothing but the fill value, its offset and checksum.
  private var fillBlock: (offset: UInt32, crc: UInt32)?
  var statistics = ElementStatistics()
  private let format: FrameFormat
  /// The prefix, and behind it the window.
  private let memory: ElementBuffer
  /// How far that may be filled before the window is written out.
  private var limit = 0
  /// The window's place in the file.
  private var start = 0
  private var end = 0
  private var dataCRC: UInt32 = 0

  /// Bytes of all files in the making together that are collected before they are written out, so that
  /// memory does not grow with the chunk and what is written still is in the cache.
  private static let windowByteCount = 1 << 20

  /// - Parameter count: How many files are made together at the least, this one among them.
  init(format: FrameFormat, together count: Int) throws(HyperslabError) {
    self.format = format
    memory = try ElementBuffer(allocating: Self.byteCount(format, together: count))
  }

  private static func byteCount(_ format: FrameFormat, together count: Int) -> Int {
    Swift.min(
      format.maximumFileByteCount,
      Swift.max(format.prefixByteCount + windowByteCount / count, leastByteCount(format)))
  }

  /// The memory of one of many files: a window of two blocks, or of one where they are large.
  static func leastByteCount(_ format: FrameFormat) -> Int {
    let block = format.blockByteCount + 8
    return format.prefixByteCount + Swift.min(2 * block, Swift.max(windowByteCount, block))
  }

  /// Begins a file, one of some that are made together.
  func begin(together count: Int) {
    limit = Self.byteCount(format, together: count)
    start = format.prefixByteCount
    end = start
    isFill = true
    fillBlock = nil
    statistics = ElementStatistics()
    dataCRC = 0
  }

  /// Room for a block as stored, of at most the decoded bytes and its length word.
  func room(
    forBlock block: Int, sink: some FrameSink
  ) throws(HyperslabError) -> UnsafeMutableRawPointer {
    let offset = format.prefixByteCount + end - start
    if offset + format.byteRange(ofBlock: block).count + 8 <= limit {
      return unsafe memory.pointer + offset
    }
    try writeWindow(to: sink)
    return unsafe memory.pointer + format.prefixByteCount
  }

  /// Repeats the first block of the fill value, if there was one and this one is as long.
  func repeatFill(block: Int) -> Bool {
    guard let fillBlock, format.byteRange(ofBlock: block).count == format.blockByteCount else {
      return false
    }
    list(block, offset: fillBlock.offset, crc: fillBlock.crc)
    return true
  }

  /// Takes a block that was put into its room.
  func add(block: Int, storedByteCount count: Int, isFill: Bool) {
    let stored = unsafe memory.pointer + format.prefixByteCount + end - start
    let crc = unsafe CRC32C.of(UnsafeRawBufferPointer(start: stored, count: count))
    list(block, offset: UInt32(end), crc: crc)
    if !isFill {
      self.isFill = false
    } else if format.repeatsFill, fillBlock == nil {
      fillBlock = (UInt32(end), crc)
    }
    dataCRC = block == 0 ? crc : CRC32C.combine(dataCRC, crc, secondByteCount: count)
    end += count
  }

  /// Ends the file and writes what of it was not written yet.
  func finish(to sink: some FrameSink) throws(HyperslabError) -> EncodedChunk {
    let prefix = format.prefixByteCount
    let headerCRC = finishPrefix(frameByteCount: end)
    end += 4
    if start == prefix {
      if !isFill {
        try unsafe sink.write(UnsafeRawBufferPointer(start: memory.pointer, count: end), at: 0)
      }
    } else {
      try writeWindow(to: sink)
      try unsafe sink.write(UnsafeRawBufferPointer(start: memory.pointer, count: prefix), at: 0)
    }
    return EncodedChunk(
      isFill: isFill, byteCount: end, headerCRC: headerCRC, statistics: statistics)
  }

  private func writeWindow(to sink: some FrameSink) throws(HyperslabError) {
    let bytes = unsafe UnsafeRawBufferPointer(
      start: memory.pointer + format.prefixByteCount, count: end - start)
    try unsafe sink.write(bytes, at: start)
    start = end
  }

  private func list(_ block: Int, offset: UInt32, crc: UInt32) {
    store(offset, at: 16 + 4 * block)
    store(crc, at: 16 + 4 * (format.blockCount + block))
  }

  private func store(_ value: UInt32, at offset: Int) {
    unsafe memory.pointer.storeBytes(of: value, toByteOffset: offset, as: UInt32.self)
  }

  /// Fills in header and header checksum, and the trailer behind the last block; returns the header
  /// checksum.
  private func finishPrefix(frameByteCount: Int) -> UInt32 {
    let prefix = format.prefixByteCount
    let kind: [UInt8] = [2, 1, format.flags, UInt8(format.elementByteCount)]
    unsafe memory.pointer.copyMemory(from: kind, byteCount: 4)
    store(UInt32(format.chunkByteCount), at: 4)
    store(UInt32(format.blockByteCount), at: 8)
    store(UInt32(frameByteCount), at: 12)
    var crc = CRC32C()
    unsafe crc.add(UnsafeRawBufferPointer(start: memory.pointer, count: prefix - 4))
    let headerCRC = crc.value
    store(headerCRC, at: prefix - 4)
    unsafe crc.add(UnsafeRawBufferPointer(start: memory.pointer + prefix - 4, count: 4))
    let trailer = CRC32C.combine(crc.value, dataCRC, secondByteCount: frameByteCount - prefix)
    store(trailer, at: prefix + frameByteCount - start)
    return headerCRC
  }
}
