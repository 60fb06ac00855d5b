import HyperslabCore

/// How buffers are cut into pieces of whole chunks, which are read and written one after the other.
struct BufferPieces {
  /// The axes from the one whose neighbours lie furthest apart in the source; none for a source that is
  /// read a buffer at a time.
  let axes: [Int]
  let chunkShape: Shape
  /// Where the source's first element goes.
  let origin: [Int]?
  let elementByteCount: Int
  /// How many buffers may be in memory.
  let depth: Int

  /// Larger pieces gain nothing; smaller ones leave threads without work at the end of each. A buffer of no
  /// more is one piece.
  private let wantedByteCount: Int

  init(
    of source: some DataChunkSource, chunkShape: Shape, origin: [Int]?, dataType: DataType,
    depth: Int, wantedByteCount: Int
  ) {
    self.wantedByteCount = wantedByteCount
    axes = (source as? any FileOrderSource)?.axesFromSlowest ?? []
    self.chunkShape = chunkShape
    self.origin = origin
    self.depth = depth
    elementByteCount = dataType.byteCount
  }

  /// How many pieces may be in memory: two where they are smaller than a buffer, since then they take
  /// no more than one.
  func depth(_ first: Selection?) -> Int {
    guard let first else { return depth }
    return pieces(of: first).count > 1 ? 2 : depth
  }

  /// A buffer's pieces. The middle one comes first: the filter is chosen by what it holds, and the edges
  /// of many arrays are empty.
  func pieces(of buffer: Selection) -> [Selection] {
    guard let axis = axes.first(where: { chunkCount(buffer, $0) > 1 }),
      let byteCount = Checked.product(buffer.shape.axes + [elementByteCount]),
      byteCount > wantedByteCount
    else { return [buffer] }
    let count = chunkCount(buffer, axis)
    let most = Swift.min(wantedByteCount, byteCount / 2 * depth)
    let together = Swift.max(1, most / Swift.max(1, byteCount.dividedRoundingUp(by: count)))
    let (range, length) = (buffer.bounds[axis], chunkShape[axis])
    let offset = origin?[axis] ?? 0
    var pieces: [Selection] = []
    var start = range.lowerBound
    while start < range.upperBound {
      let end = ((start + offset) / length + together) * length - offset
      var bounds = buffer.bounds
      bounds[axis] = start..<Swift.min(end, range.upperBound)
      pieces.append(Selection(bounds))
      start = bounds[axis].upperBound
    }
    let middle = pieces.remove(at: pieces.count / 2)
    return [middle] + pieces
  }

  private func chunkCount(_ buffer: Selection, _ axis: Int) -> Int {
    guard chunkShape.rank == buffer.bounds.count, chunkShape[axis] > 0, !buffer.isEmpty else {
      return 0
    }
    let range = buffer.bounds[axis]
    let offset = origin?[axis] ?? 0
    return (range.upperBound - 1 + offset) / chunkShape[axis]
      - (range.lowerBound + offset) / chunkShape[axis] + 1
  }
}
