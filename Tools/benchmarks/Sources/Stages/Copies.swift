import HyperslabCore

extension Stage {
  /// From an array into blocks and back, as encoding and decoding do it.
  static var copies: [Stage] {
    [2, 4].flatMap { size in
      [
        copy("gather/rows/\(size)", size, .rows) { $0.gather($1, from: $2, into: $3) },
        copy("scatter/rows/\(size)", size, .rows) { $0.scatter($1, from: $3, into: $2) },
        copy("gather/narrow/\(size)", size, .narrow) { $0.gather($1, from: $2, into: $3) },
        copy("scatter/planes/\(size)", size, .planes) { $0.scatter($1, from: $3, into: $2) },
        copy("gather/columns/\(size)", size, .columns) { $0.gather($1, from: $2, into: $3) },
        copy("scatter/strided/\(size)", size, .strided) { $0.scatter($1, from: $3, into: $2) },
      ]
    }
  }

  /// How a chunk lies in the array around it.
  private enum Placement: Sendable {
    /// Rows of 512 elements in an array twice as wide.
    case rows
    /// Rows of 8 elements, as of a few channels of many.
    case narrow
    /// Planes of 16 rows of 8 elements, with gaps between rows and between planes.
    case planes
    /// The array in Fortran order.
    case columns
    /// Every second position along both axes.
    case strided
  }

  private static func copy(
    _ name: String, _ size: Int, _ placement: Placement,
    _ body:
      @escaping @Sendable (
        ChunkCopy, Range<Int>, UnsafeMutableRawPointer, UnsafeMutableRawPointer
      ) -> Void
  ) -> Stage {
    Stage(name) {
      let width = placement == .narrow || placement == .planes ? 8 : 512
      let rows = Samples.byteCount / size / width
      let shape: Shape = placement == .planes ? [rows / 16, 16, width] : [rows, width]
      let strides =
        switch placement {
        case .rows, .narrow: [2 * width * size, size]
        case .planes: [40 * width * size, 2 * width * size, size]
        case .columns: [size, shape[0] * size]
        case .strided: [4 * width * size, 2 * size]
        }
      let array = Samples.recording(elementByteCount: size, byteCount: 4 * Samples.byteCount)
      let copy = ChunkCopy(
        chunkShape: shape, region: StridedSelection(Selection(all: shape)),
        layout: StridedLayout(shape: shape, byteStrides: strides), elementByteCount: size)
      let block = ElementBuffer(byteCount: 1 << 16)
      let step = block.byteCount / size
      return {
        for start in stride(from: 0, to: copy.elementCount, by: step) {
          body(copy, start..<start + step, array.pointer, block.pointer)
        }
      }
    }
  }
}
