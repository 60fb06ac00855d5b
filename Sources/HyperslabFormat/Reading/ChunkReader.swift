import HyperslabCodecs
import HyperslabCore

/// Reads parts of chunk files; one a thread, all memory reused.
///
/// The chain of trust is unbroken on every read: the table's checksum covers the header, the header
/// covers each block's checksum, and each block that is decoded is checked.
final class ChunkReader {
  /// Neighbouring blocks are fetched together up to this size.
  private static let windowByteCount = 1 << 20

  private let format: FrameFormat
  private let decoder: FrameDecoder
  private let prefix: ElementBuffer
  private let window: ElementBuffer

  init(format: FrameFormat) {
    self.format = format
    decoder = FrameDecoder(format: format)
    prefix = ElementBuffer(byteCount: format.prefixByteCount)
    let largest = format.maximumFileByteCount - format.prefixByteCount
    window = ElementBuffer(
      byteCount: Swift.min(largest, Swift.max(Self.windowByteCount, format.blockByteCount + 4)))
  }

  /// Copies what a region needs of one chunk file.
  ///
  /// - Throws: `missing`, `torn`, `checksum`, `swapped`, `foreign` or `io`.
  func read(
    _ path: StorePath, in files: any FileSystem, row: ChunkRow, copy: ChunkCopy,
    into base: UnsafeMutableRawPointer
  ) throws(HyperslabError) {
    let (file, prefix) = try open(path, in: files, row: row)
    let size = format.elementByteCount
    var isWhole = true
    var pending: Range<Int>?
    for block in 0..<format.blockCount {
      let range = format.byteRange(ofBlock: block)
      guard copy.touches(range.lowerBound / size..<range.upperBound / size) else {
        isWhole = false
        continue
      }
      if let run = pending {
        let start = prefix.storedRange(ofBlock: run.lowerBound).lowerBound
        let end = prefix.storedRange(ofBlock: block).upperBound
        if run.upperBound == block, end - start <= window.byteCount {
          pending = run.lowerBound..<block + 1
          continue
        }
        try decode(run, of: file, prefix, copy, into: base)
      }
      pending = block..<block + 1
    }
    if let run = pending { try decode(run, of: file, prefix, copy, into: base) }
    if isWhole { try checkTrailer(of: file, prefix) }
  }

  /// Checks every byte of a chunk file and that every block unpacks; with `quick` only its header
  /// and size.
  func check(
    _ path: StorePath, in files: any FileSystem, row: ChunkRow, quick: Bool
  ) throws(HyperslabError) {
    let (file, prefix) = try open(path, in: files, row: row)
    if quick { return }
    for block in 0..<format.blockCount {
      let stored = try fetch(prefix.storedRange(ofBlock: block), of: file)
      try decoder.check(block: block, stored: stored, prefix: prefix)
    }
    try checkTrailer(of: file, prefix)
  }

  /// Decodes a chunk whole, padding included, for checks that need the values.
  func decodeWhole(
    _ path: StorePath, in files: any FileSystem, row: ChunkRow, chunkShape: Shape,
    into memory: ElementBuffer
  ) throws(HyperslabError) {
    let size = format.elementByteCount
    guard let layout = StridedLayout.rowMajor(chunkShape, elementByteCount: size) else { return }
    let copy = ChunkCopy(
      chunkShape: chunkShape, region: StridedSelection(Selection(all: chunkShape)), layout: layout,
      elementByteCount: size)
    try read(path, in: files, row: row, copy: copy, into: memory.pointer)
  }

  private func open(
    _ path: StorePath, in files: any FileSystem, row: ChunkRow
  ) throws(HyperslabError) -> (any FileHandle, FramePrefix) {
    let file = try files.open(path)
    guard file.byteCount == row.byteCount else {
      throw HyperslabError(
        .torn, "the chunk file's size", expected: "\(row.byteCount) bytes",
        found: "\(file.byteCount)")
    }
    let memory = UnsafeMutableRawBufferPointer(
      start: prefix.pointer, count: Swift.min(prefix.byteCount, file.byteCount))
    guard try file.read(at: 0, into: memory) == memory.count else { throw Self.shrank() }
    let parsed = try FramePrefix(
      UnsafeRawBufferPointer(memory), format: format, fileByteCount: file.byteCount)
    guard parsed.headerCRC == row.crc else {
      throw HyperslabError(
        .swapped, "the chunk file is sound but not the one that the table lists",
        expected: CRC32C.hex(row.crc), found: CRC32C.hex(parsed.headerCRC))
    }
    return (file, parsed)
  }

  private func fetch(
    _ range: Range<Int>, of file: any FileHandle
  ) throws(HyperslabError) -> UnsafeRawBufferPointer {
    let memory = UnsafeMutableRawBufferPointer(start: window.pointer, count: range.count)
    guard try file.read(at: range.lowerBound, into: memory) == range.count else {
      throw Self.shrank()
    }
    return UnsafeRawBufferPointer(memory)
  }

  private func decode(
    _ blocks: Range<Int>, of file: any FileHandle, _ prefix: FramePrefix, _ copy: ChunkCopy,
    into base: UnsafeMutableRawPointer
  ) throws(HyperslabError) {
    let start = prefix.storedRange(ofBlock: blocks.lowerBound).lowerBound
    let end = prefix.storedRange(ofBlock: blocks.upperBound - 1).upperBound
    let bytes = try fetch(start..<end, of: file)
    for block in blocks {
      let range = prefix.storedRange(ofBlock: block)
      let stored = UnsafeRawBufferPointer(
        rebasing: bytes[range.lowerBound - start..<range.upperBound - start])
      try decoder.decode(block: block, stored: stored, prefix: prefix, copy: copy, into: base)
    }
  }

  private func checkTrailer(of file: any FileHandle, _ prefix: FramePrefix) throws(HyperslabError) {
    let bytes = try fetch(prefix.frameByteCount..<prefix.frameByteCount + 4, of: file)
    let found = bytes.loadUnaligned(as: UInt32.self)
    guard found == prefix.trailer else {
      throw HyperslabError(
        .checksum, "the chunk file's last word", expected: CRC32C.hex(prefix.trailer),
        found: CRC32C.hex(found))
    }
  }

  private static func shrank() -> HyperslabError {
    HyperslabError(.torn, "the chunk file shrank while it was read")
  }
}
