import HyperslabCodecs
import HyperslabCore

/// Reads parts of chunk files; one a thread, all memory reused.
///
/// The chain of trust is unbroken on every read: the table's checksum covers the header, the header
/// covers each block's checksum, and each block that is decoded is checked.
final class ChunkReader {
  /// Neighbouring blocks are fetched together up to this size.
  private static let windowByteCount = 1 << 18

  let format: FrameFormat
  private let decoder: FrameDecoder
  private let prefix: ElementBuffer
  private let window: ElementBuffer
  private let shelf: BlockShelf

  init(format: FrameFormat) throws(HyperslabError) {
    self.format = format
    decoder = try FrameDecoder(format: format)
    shelf = BlockShelf(format: format)
    prefix = try ElementBuffer(allocating: format.prefixByteCount)
    let largest = format.maximumFileByteCount - format.prefixByteCount
    window = try ElementBuffer(
      allocating: Swift.min(largest, Swift.max(Self.windowByteCount, format.blockByteCount + 4)))
  }

  /// Opens a chunk file and checks its beginning.
  ///
  /// - Throws: `missing`, `torn`, `checksum`, `swapped`, `foreign` or `io`.
  func open(
    _ path: StorePath, in files: any FileSystem, row: ChunkRow
  ) throws(HyperslabError) -> ChunkFile {
    try ChunkFile(path, in: files, row: row, format: format, memory: prefix)
  }

  /// Copies what a region needs of a chunk file.
  func read(
    _ file: ChunkFile, copy: ChunkCopy, into base: UnsafeMutableRawPointer
  ) throws(HyperslabError) {
    try forEachRun(of: file, copy) { (run) throws(HyperslabError) in
      try unsafe read(run, of: file, copy: copy, into: base)
    }
  }

  /// Calls `body` with the runs of neighbouring blocks that a region touches, and checks the last word of a
  /// file of which that is all.
  private func forEachRun(
    of file: ChunkFile, _ copy: ChunkCopy, _ body: (Range<Int>) throws(HyperslabError) -> Void
  ) throws(HyperslabError) {
    let runs = format.blocks(touching: copy)
    for run in runs { try body(run) }
    if runs == [0..<format.blockCount] { try file.checkTrailer() }
  }

  /// Copies what a region needs of some blocks, each of which it touches.
  func read(
    _ blocks: Range<Int>, of file: ChunkFile, copy: ChunkCopy, into base: UnsafeMutableRawPointer
  ) throws(HyperslabError) {
    var rest = blocks
    while !rest.isEmpty {
      var stored = file.prefix.storedRange(ofBlock: rest.lowerBound)
      var run = rest.prefix(1)
      for block in rest.dropFirst() {
        let next = file.prefix.storedRange(ofBlock: block)
        // One that repeats a block far away is fetched by itself.
        guard next.lowerBound >= stored.lowerBound, next.lowerBound <= stored.upperBound,
          next.upperBound - stored.lowerBound <= window.byteCount
        else { break }
        stored = stored.lowerBound..<Swift.max(stored.upperBound, next.upperBound)
        run = run.lowerBound..<block + 1
      }
      try unsafe decode(run, at: stored, of: file, copy, into: base)
      rest = run.upperBound..<rest.upperBound
    }
  }

  private func decode(
    _ blocks: Range<Int>, at stored: Range<Int>, of file: ChunkFile, _ copy: ChunkCopy,
    into base: UnsafeMutableRawPointer
  ) throws(HyperslabError) {
    let bytes = try unsafe file.read(stored, into: window)
    for block in blocks {
      let range = file.prefix.storedRange(ofBlock: block)
      try unsafe decoder.decode(
        block: block,
        stored: UnsafeRawBufferPointer(
          rebasing: bytes[
            range.lowerBound - stored.lowerBound..<range.upperBound - stored.lowerBound]),
        prefix: file.prefix, copy: copy, into: base)
    }
  }

  /// Decodes what a region needs of a chunk file, to be placed by ``placeShelved(into:)``; of all files
  /// together at most ``BlockShelf/blockCount(_:)`` blocks.
  func shelve(_ file: ChunkFile, copy: ChunkCopy) throws(HyperslabError) {
    try forEachRun(of: file, copy) { (run) throws(HyperslabError) in
      for block in run { try shelve(block, of: file, copy: copy) }
    }
  }

  /// Decodes what a region needs of a block, to be placed by ``placeShelved(into:)``; at most
  /// ``BlockShelf/blockCount(_:)`` of them.
  func shelve(_ block: Int, of file: ChunkFile, copy: ChunkCopy) throws(HyperslabError) {
    let stored = try unsafe file.read(file.prefix.storedRange(ofBlock: block), into: window)
    let decoded = try unsafe decoder.decode(
      block: block, stored: stored, prefix: file.prefix, copy: copy, aside: shelf.next())
    shelf.add(decoded, block, copy)
  }

  /// Copies all shelved blocks to their places and forgets them.
  func placeShelved(into output: DisjointMemory) { shelf.place(into: output) }

  /// Forgets what was shelved, as after an error.
  func clearShelf() { shelf.clear() }

  /// Checks every byte of a chunk file and that every block unpacks; with `quick` only its header
  /// and size.
  func check(
    _ path: StorePath, in files: any FileSystem, row: ChunkRow, quick: Bool
  ) throws(HyperslabError) {
    let file = try open(path, in: files, row: row)
    if quick { return }
    // A few bytes may stand for many blocks; they are looked at once.
    for block in 0..<format.blockCount where !file.prefix.isRepeat(block) {
      let stored = try unsafe file.read(file.prefix.storedRange(ofBlock: block), into: window)
      try unsafe decoder.check(block: block, stored: stored, prefix: file.prefix)
    }
    try file.checkTrailer()
  }
}
