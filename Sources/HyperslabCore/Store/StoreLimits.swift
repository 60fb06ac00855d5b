/// What the stores of this package can hold: all of them what a slab store can, so that what goes well in
/// memory goes well on disk.
package enum StoreLimits {
  package static let nodeCount = 4096
  package static let chunkCount = 1 << 40
  package static let axisLength = 1 << 62 - 1
  package static let attributesByteCount = 1 << 20
  /// How many levels the values of attributes may be nested.
  package static let attributeDepth = 64
  /// Sizes of blocks that may be asked for.
  package static let blockByteCounts = 1 << 12...1 << 22
  /// The block size when nobody asks for another.
  package static let usualBlockByteCount = 1 << 16

  /// Refuses chunks whose files could not be addressed with 31 bits.
  package static func checkChunk(
    byteCount: Int, blockByteCount: Int, elementByteCount: Int
  ) throws(HyperslabError) {
    guard blockByteCounts.contains(blockByteCount) else {
      throw HyperslabError(
        .chunkTooLarge, "blocks of \(blockByteCount) bytes", expected: "4 KiB to 4 MiB",
        remedy: "Leave the block size out, or choose one of these")
    }
    let unit = 8 * elementByteCount
    let block = Swift.max(Swift.min(blockByteCount / unit * unit, byteCount), 1)
    let blocks = byteCount / block + (byteCount % block == 0 ? 0 : 1)
    // 16 + 8n + 4, then a length word a block, at worst the bytes as they are, and the trailer.
    guard let overhead = Checked.multiply(12, blocks),
      let frame = Checked.add(byteCount, overhead),
      let file = Checked.add(frame, 24), file <= Int(Int32.max)
    else {
      throw HyperslabError(
        .chunkTooLarge, "chunks of \(byteCount) bytes",
        expected: "less than 2 GiB a chunk file",
        remedy: "Choose a smaller chunk shape; 1 to 100 MB serve most readers best")
    }
  }

  /// Refuses an array of more chunks or longer axes than a store holds.
  package static func checkArray(
    _ grid: ChunkGrid, maximumShape: [Int?]
  ) throws(HyperslabError) {
    guard grid.chunkCount <= chunkCount else {
      throw HyperslabError(
        .limit, "\(grid.chunkCount) chunks", expected: "at most \(chunkCount)",
        remedy: "Choose larger chunks")
    }
    if let length = grid.arrayShape.first(where: { $0 > axisLength }) {
      throw HyperslabError(
        .limit, "an axis of \(length)", expected: "at most \(axisLength)",
        remedy: "Choose a shorter axis")
    }
    if let length = maximumShape.lazy.compactMap({ $0 }).first(where: { $0 > axisLength }) {
      throw HyperslabError(
        .limit, "a maximum length of \(length)", expected: "at most \(axisLength), or none",
        remedy: "Use nil for an axis that may grow without limit")
    }
  }

  /// Refuses attributes that would not read back, or are larger than a store keeps.
  package static func checkAttributes(_ attributes: JSONObject) throws(HyperslabError) {
    try attributes.checkWritable()
    let byteCount = JSONValue.object(attributes).bytes().count
    guard byteCount <= attributesByteCount else {
      throw HyperslabError(
        .limit, "attributes of \(byteCount) bytes", expected: "at most \(attributesByteCount)",
        remedy: "Keep large values in a data set")
    }
  }
}
