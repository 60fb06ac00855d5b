import HyperslabCodecs
import HyperslabCore

/// An open chunk file that was found to be the one its row lists; its blocks are checked as they are
/// read.
struct ChunkFile: Sendable {
  /// Up to this size a file is read in one call, however little of it is needed.
  private static let smallByteCount = 1 << 15

  let path: StorePath
  let prefix: FramePrefix
  private let handle: any FileHandle
  /// All of a small file.
  private let contents: ElementBuffer?

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
    let size = handle.byteCount
    contents = size <= Self.smallByteCount ? try ElementBuffer(allocating: size) : nil
    let bytes = unsafe UnsafeMutableRawBufferPointer(
      start: (contents ?? memory).pointer,
      count: contents == nil ? Swift.min(format.prefixByteCount, size) : size)
    try unsafe Self.fill(bytes, from: handle, at: 0)
    prefix = try unsafe FramePrefix(
      UnsafeRawBufferPointer(rebasing: bytes.prefix(format.prefixByteCount)), format: format,
      fileByteCount: size)
    guard prefix.headerCRC == row.crc else {
      throw HyperslabError(
        .swapped, "the chunk file is sound but not the one that the table lists",
        expected: CRC32C.hex(row.crc), found: CRC32C.hex(prefix.headerCRC))
    }
  }

  /// Bytes of the file, in `memory` unless they are at hand.
  func read(_ range: Range<Int>, into memory: ElementBuffer) throws(HyperslabError)
    -> UnsafeRawBufferPointer
  {
    if let contents {
      return unsafe UnsafeRawBufferPointer(
        start: contents.pointer + range.lowerBound, count: range.count)
    }
    let bytes = unsafe UnsafeMutableRawBufferPointer(start: memory.pointer, count: range.count)
    try unsafe Self.fill(bytes, from: handle, at: range.lowerBound)
    return UnsafeRawBufferPointer(bytes)
  }

  /// Checks that the file ends in what its parts sum to.
  func checkTrailer() throws(HyperslabError) {
    var found: UInt32 = 0
    if let contents {
      found = unsafe contents.pointer.loadUnaligned(
        fromByteOffset: prefix.frameByteCount, as: UInt32.self)
    } else {
      try unsafe withUnsafeMutableBytes(of: &found) { (bytes) throws(HyperslabError) in
        try unsafe Self.fill(bytes, from: handle, at: prefix.frameByteCount)
      }
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
    guard try unsafe handle.read(at: offset, into: memory) == memory.count else {
      throw HyperslabError(.torn, "the chunk file shrank while it was read")
    }
  }
}
