import HyperslabCore

/// Where the blocks of a frame lie: one after the other, but for those that repeat an earlier one.
struct BlockPlaces: Sendable {
  private let offsets: ContiguousArray<UInt32>
  private var ends: ContiguousArray<UInt32>
  /// The block that others repeat.
  private var repeated: Int?

  /// Takes a frame's offsets and block checksums.
  ///
  /// - Throws: `checksum` where a block lies in another place than it must (Spec, "Canonical layout").
  init(
    offsets: ContiguousArray<UInt32>, checksums: ContiguousArray<UInt32>, format: FrameFormat,
    frameByteCount: Int
  ) throws(HyperslabError) {
    self.offsets = offsets
    ends = ContiguousArray(repeating: 0, count: offsets.count)
    func byteCount(_ block: Int) -> Int { format.byteRange(ofBlock: block).count }
    var newest = 0
    func end(_ block: Int, at end: Int) throws(HyperslabError) -> UInt32 {
      let size = end - Int(offsets[block])
      guard size >= 5, size <= 4 + byteCount(block) else { throw Self.notCanonical(block) }
      return UInt32(end)
    }
    guard Int(offsets[0]) == format.prefixByteCount else { throw Self.notCanonical(0) }
    for block in offsets.indices.dropFirst() {
      if offsets[block] > offsets[newest] {
        ends[newest] = try end(newest, at: Int(offsets[block]))
        newest = block
        continue
      }
      // Looked for once: all repeats are of one block.
      repeated = repeated ?? offsets[..<block].firstIndex(of: offsets[block])
      guard let repeated, format.repeatsFill, offsets[block] == offsets[repeated],
        checksums[block] == checksums[repeated], byteCount(block) == byteCount(repeated)
      else { throw Self.notCanonical(block) }
    }
    ends[newest] = try end(newest, at: frameByteCount)
    guard let repeated else { return }
    for block in offsets.indices where isRepeat(block) { ends[block] = ends[repeated] }
  }

  private static func notCanonical(_ block: Int) -> HyperslabError {
    HyperslabError(.checksum, "the chunk file's block \(block) does not lie where it must")
  }

  /// Where a block lies in the file, its length word included.
  subscript(block: Int) -> Range<Int> { Int(offsets[block])..<Int(ends[block]) }

  /// Whether a block has the bytes of an earlier one in place of its own.
  func isRepeat(_ block: Int) -> Bool {
    guard let repeated else { return false }
    return block > repeated && offsets[block] == offsets[repeated]
  }
}
