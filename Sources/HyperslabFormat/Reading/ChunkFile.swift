import HyperslabCodecs
import HyperslabCore

/// An open chunk file that was found to be the one its row lists; its blocks are checked as they are
/// read.
struct ChunkFile: Sendable {
  let path: StorePath
  let handle: any FileHandle
  let prefix: FramePrefix

  /// Opens and checks a file's beginning through `memory`, which has room for the prefix.
  ///
  /// - Throws: `missing`, `torn`, `checksum`, `swapped`, `foreign` or `io`.
  init(
    _ path: StorePath, in files: any FileSystem, row: ChunkRow, format: FrameFormat,
    memory: ElementBuffer
  ) throws(HyperslabError) {
    self.path = path
    handle = try files.open(path)
    guard handle.byteCount == row.byteCount else {
      throw HyperslabError(
        .torn, "the chunk file's size", expected: "\(row.byteCount) bytes",
        found: "\(handle.byteCount)")
    }
    let bytes = UnsafeMutableRawBufferPointer(
      start: memory.pointer, count: Swift.min(format.prefixByteCount, handle.byteCount))
    try Self.fill(bytes, from: handle, at: 0)
    prefix = try FramePrefix(
      UnsafeRawBufferPointer(bytes), format: format, fileByteCount: handle.byteCount)
    guard prefix.headerCRC == row.crc else {
      throw HyperslabError(
        .swapped, "the chunk file is sound but not the one that the table lists",
        expected: CRC32C.hex(row.crc), found: CRC32C.hex(prefix.headerCRC))
    }
  }

  /// Where some neighbouring blocks lie in the file.
  func storedRange(ofBlocks blocks: Range<Int>) -> Range<Int> {
    let end = prefix.storedRange(ofBlock: blocks.upperBound - 1).upperBound
    return prefix.storedRange(ofBlock: blocks.lowerBound).lowerBound..<end
  }

  /// Reads bytes of the file.
  func read(_ range: Range<Int>, into memory: ElementBuffer) throws(HyperslabError)
    -> UnsafeRawBufferPointer
  {
    let bytes = UnsafeMutableRawBufferPointer(start: memory.pointer, count: range.count)
    try Self.fill(bytes, from: handle, at: range.lowerBound)
    return UnsafeRawBufferPointer(bytes)
  }

  /// Checks that the file ends in what its parts sum to.
  func checkTrailer() throws(HyperslabError) {
    var found: UInt32 = 0
    try withUnsafeMutableBytes(of: &found) { (bytes) throws(HyperslabError) in
      try Self.fill(bytes, from: handle, at: prefix.frameByteCount)
    }
    guard found == prefix.trailer else {
      throw HyperslabError(
        .checksum, "the chunk file's last word", expected: CRC32C.hex(prefix.trailer),
        found: CRC32C.hex(found))
    }
  }

  private static func fill(
    _ memory: UnsafeMutableRawBufferPointer, from handle: any FileHandle, at offset: Int
  ) throws(HyperslabError) {
    guard try handle.read(at: offset, into: memory) == memory.count else {
      throw HyperslabError(.torn, "the chunk file shrank while it was read")
    }
  }
}
