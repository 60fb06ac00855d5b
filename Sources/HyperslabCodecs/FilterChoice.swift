package import HyperslabCore

/// Chooses a filter by trying all of them on a sample.
package enum FilterChoice {
  /// The filter that makes the sample smallest; an earlier one within a percent of it wins, since
  /// undoing less is faster.
  ///
  /// - Parameters:
  ///   - base, layout: The sample: the first buffer, or the first chunk.
  ///   - chunkShape: Blocks are cut the way chunks will cut them.
  ///   - fill: What pads chunks.
  /// - Throws: `chunk_too_large`, as creating the data set would.
  package static func choose(
    _ base: UnsafeRawPointer, layout: StridedLayout, chunkShape: Shape, fill: FillValue, level: Int,
    blockByteCount: Int
  ) throws(HyperslabError) -> Filter {
    let size = fill.dataType.byteCount
    let chunkByteCount = Checked.product(chunkShape.axes + [size]) ?? Int.max
    var best = (filter: Filter.none, byteCount: Int.max)
    for filter in Filter.allCases {
      let format = try FrameFormat(
        elementByteCount: size, filter: filter, chunkByteCount: chunkByteCount,
        blockByteCount: blockByteCount)
      let trial = FrameTrial(format: format, level: level, fill: fill)
      let byteCount = trial.storedByteCount(of: base, layout: layout, chunkShape: chunkShape)
      if byteCount < best.byteCount - best.byteCount / 100 { best = (filter, byteCount) }
    }
    return best.filter
  }
}

/// Compresses some blocks of a sample and counts the bytes.
private struct FrameTrial {
  private static let blockBudget = 24
  let format: FrameFormat
  let level: Int
  let fill: FillValue

  func storedByteCount(of base: UnsafeRawPointer, layout: StridedLayout, chunkShape: Shape) -> Int {
    guard let grid = try? ChunkGrid(arrayShape: layout.shape, chunkShape: chunkShape),
      grid.chunkCount > 0
    else { return 0 }
    // A few chunks spread over the sample, a few blocks spread over each.
    let chunks = Swift.min(grid.chunkCount, 4)
    let blocks = Swift.min(format.blockCount, Self.blockBudget / chunks)
    let encoder = FrameEncoder(format: format, level: level, fill: fill)
    var total = 0
    for chunk in 0..<chunks {
      let index = grid.index(ofNumber: chunk * (grid.chunkCount - 1) / Swift.max(1, chunks - 1))
      let box = grid.selection(of: index)
      let copy = ChunkCopy(
        chunkShape: chunkShape, region: StridedSelection(Selection(all: box.shape)),
        layout: layout.slice(box), elementByteCount: format.elementByteCount)
      for block in 0..<blocks {
        total += encoder.storedByteCount(
          ofBlock: block * (format.blockCount - 1) / Swift.max(1, blocks - 1), copy, from: base)
      }
    }
    return total
  }
}
