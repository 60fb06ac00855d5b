package import HyperslabCore

/// The checked beginning of a chunk file: where each block lies and what it must sum to.
package struct FramePrefix: Sendable {
  private let places: BlockPlaces
  private let checksums: ContiguousArray<UInt32>
  /// The checksum of the prefix, its own last word included: where the trailer starts from.
  private let prefixCRC: UInt32
  /// The frame's size; the file is 4 bytes longer.
  package let frameByteCount: Int
  /// The checksum that the chunk table records.
  package let headerCRC: UInt32

  /// Reads and checks the first `format.prefixByteCount` bytes of a file.
  ///
  /// Layout is canonical: every number is what the format and the file's size imply, or it is damage.
  /// - Throws: `torn` when sizes disagree, `checksum` when the bytes are not those written.
  package init(
    _ bytes: UnsafeRawBufferPointer, format: FrameFormat, fileByteCount: Int
  ) throws(HyperslabError) {
    guard bytes.count == format.prefixByteCount, fileByteCount >= format.minimumFileByteCount,
      fileByteCount <= format.maximumFileByteCount
    else {
      throw HyperslabError(
        .torn, "a chunk file of \(fileByteCount) bytes",
        expected: "\(format.minimumFileByteCount) to \(format.maximumFileByteCount)")
    }
    func word(_ offset: Int) -> UInt32 {
      unsafe bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self)
    }
    var crc = CRC32C()
    unsafe crc.add(UnsafeRawBufferPointer(rebasing: bytes.dropLast(4)))
    headerCRC = crc.value
    unsafe crc.add(UnsafeRawBufferPointer(rebasing: bytes.suffix(4)))
    prefixCRC = crc.value
    guard headerCRC == word(bytes.count - 4) else {
      throw HyperslabError(
        .checksum, "the chunk file's header", expected: CRC32C.hex(word(bytes.count - 4)),
        found: CRC32C.hex(headerCRC))
    }
    let blocks = format.blockCount
    frameByteCount = Int(word(12))
    let header = unsafe [UInt8](bytes.prefix(4))
    guard header == [2, 1, format.flags, UInt8(format.elementByteCount)],
      word(4) == UInt32(format.chunkByteCount), word(8) == UInt32(format.blockByteCount),
      frameByteCount == fileByteCount - 4
    else {
      throw HyperslabError(
        .checksum, "the chunk file's header belongs to another kind of chunk",
        expected:
          "\(format.chunkByteCount) bytes in blocks of \(format.blockByteCount), \(format.filter)")
    }
    checksums = ContiguousArray((0..<blocks).map { word(16 + 4 * (blocks + $0)) })
    places = try BlockPlaces(
      offsets: ContiguousArray((0..<blocks).map { word(16 + 4 * $0) }), checksums: checksums,
      format: format, frameByteCount: frameByteCount)
  }

  /// Where a block lies in the file, its length word included.
  package func storedRange(ofBlock block: Int) -> Range<Int> { places[block] }

  /// Whether a block has the bytes of an earlier one in place of its own.
  package func isRepeat(_ block: Int) -> Bool { places.isRepeat(block) }

  /// What a block's stored bytes must sum to.
  package func checksum(ofBlock block: Int) -> UInt32 { checksums[block] }

  /// What the file must end in: implied by everything above, no second pass over the data.
  package var trailer: UInt32 {
    var crc = prefixCRC
    for block in checksums.indices where !places.isRepeat(block) {
      crc = CRC32C.combine(crc, checksums[block], secondByteCount: places[block].count)
    }
    return crc
  }
}
