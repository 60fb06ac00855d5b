public import HyperslabCore

/// The positions of a slice in its result's C order, cut into pieces of bounded size.
///
/// Written one after the other, the pieces' bytes are the result. Where several rows of chunks fit
/// into a piece, pieces end where chunks end, so that no chunk is decoded twice.
public struct SelectionPieces: Sequence, Sendable {
  /// One piece.
  public struct Piece: Sendable {
    /// What to read.
    public let region: StridedSelection
    /// Where it goes in the piece's own memory, C order with reversed axes reversed.
    public let layout: StridedLayout
    /// The size of the piece's memory.
    public let byteCount: Int
  }

  private let slice: ResolvedSlice
  private let chunkShape: Shape
  private let elementByteCount: Int
  /// The axis along which pieces are cut; axes before it go position by position.
  private let axis: Int
  private let rowsPerPiece: Int

  /// Cuts a slice of a data set into pieces of at most `byteLimit` bytes, or of one element.
  ///
  /// - Throws: `invalid_shape` for chunks of another rank than the array's, or without elements.
  public init(
    _ slice: ResolvedSlice, chunkShape: Shape, dataType: DataType, byteLimit: Int
  ) throws(HyperslabError) {
    guard chunkShape.rank == slice.region.rank, chunkShape.allSatisfy({ $0 >= 1 }) else {
      throw HyperslabError(
        .invalidShape, "pieces along chunks of \(chunkShape)",
        expected: "\(slice.region.rank) axes, each of at least 1")
    }
    self.slice = slice
    self.chunkShape = chunkShape
    elementByteCount = dataType.byteCount
    let shape = slice.region.shape
    var axis = shape.rank
    var rowByteCount = dataType.byteCount
    var rows = 1
    while axis > 0 {
      rows = Swift.max(1, Swift.min(shape[axis - 1], byteLimit / Swift.max(1, rowByteCount)))
      axis -= 1
      guard rows >= shape[axis], axis > 0,
        let next = Checked.multiply(rowByteCount, Swift.max(1, shape[axis])), next <= byteLimit
      else { break }
      rowByteCount = next
    }
    self.axis = axis
    rowsPerPiece = rows
  }

  /// The pieces in C order; none when the slice is empty.
  public func makeIterator() -> AnyIterator<Piece> {
    let shape = slice.region.shape
    var position = Array(repeating: 0, count: shape.rank)
    var isDone = slice.region.isEmpty
    return AnyIterator {
      if isDone { return nil }
      if shape.rank == 0 {
        isDone = true
        return piece([])
      }
      let end = rowEnd(from: position[axis])
      let ranges = shape.indices.map { index in
        index < axis
          ? position[index]..<position[index] + 1
          : index == axis ? position[axis]..<end : 0..<shape[index]
      }
      position[axis] = end
      var carry = axis
      while position[carry] == shape[carry] {
        position[carry] = 0
        guard carry > 0 else {
          isDone = true
          break
        }
        carry -= 1
        position[carry] += 1
      }
      return piece(ranges)
    }
  }

  private func rowEnd(from start: Int) -> Int {
    let positions = slice.region.axes[axis]
    let end = start + Swift.min(rowsPerPiece, positions.count - start)
    if end == positions.count || positions.step != 1 || slice.reversedAxes[axis] { return end }
    let aligned = (positions.start + end) / chunkShape[axis] * chunkShape[axis] - positions.start
    return aligned > start ? aligned : end
  }

  private func piece(_ ranges: [Range<Int>]) -> Piece? {
    let region = slice.region(ranges)
    guard let plain = StridedLayout.rowMajor(region.shape, elementByteCount: elementByteCount)
    else { return nil }
    let count = region.shape.reduce(elementByteCount, *)
    return Piece(
      region: region,
      layout: slice.layout(of: region, in: plain),
      byteCount: count)
  }
}

extension ResolvedSlice {
  /// The part of the region at the given positions of the result, dropped axes counted.
  func region(_ ranges: [Range<Int>]) -> StridedSelection {
    var axes = region.axes
    for (index, range) in ranges.enumerated() {
      let first = reversedAxes[index] ? axes[index].count - range.upperBound : range.lowerBound
      axes[index].start += first * axes[index].step
      axes[index].count = range.count
    }
    return StridedSelection(axes)
  }

  /// Where such a part goes in memory of its shape that is laid out as `plain`: axes that run
  /// backwards in the result run backwards there.
  func layout(of part: StridedSelection, in plain: StridedLayout) -> StridedLayout {
    var offset = plain.byteOffset
    var strides = plain.byteStrides
    for index in strides.indices where reversedAxes[index] {
      offset += (part.axes[index].count - 1) * strides[index]
      strides[index] = -strides[index]
    }
    return StridedLayout(shape: part.shape, byteOffset: offset, byteStrides: strides)
  }
}

extension ChunkedDataset {
  /// Reads a slice of any size piece by piece, in C order, in memory that is reused.
  ///
  /// - Parameters:
  ///   - slice: What to read.
  ///   - byteLimit: The most memory to use for elements.
  ///   - missing: What to do about chunks that nobody ever wrote.
  ///   - body: Takes the bytes of the next elements.
  public func forEachPiece(
    of slice: ResolvedSlice, byteLimit: Int = 64 << 20, missing: MissingChunks = .refuse,
    _ body: (RawSpan) throws -> Void
  ) throws {
    let pieces = try SelectionPieces(
      slice, chunkShape: grid.chunkShape, dataType: description.dataType, byteLimit: byteLimit)
    var buffer = ElementBuffer(byteCount: 0)
    for piece in pieces {
      if buffer.byteCount < piece.byteCount {
        buffer = try ElementBuffer(allocating: piece.byteCount)
      }
      try buffer.withMutableBytes { span throws(HyperslabError) in
        try read(piece.region, into: &span, layout: piece.layout, missing: missing)
      }
      try buffer.withBytes { span in try body(span.extracting(first: piece.byteCount)) }
    }
  }
}
