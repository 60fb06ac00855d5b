import HyperslabCore

/// Chunks of arrays that will grow. HDMF plans for the shape there is; ten rows would make chunks of ten
/// rows, and a thousand files after a thousand appends.
enum GrowthRule {
  /// The shape to choose chunks for: along axes that may grow, at least as long as one chunk of
  /// `chunkMB` is that spans all other axes, but never beyond the limit.
  static func plannedShape(
    of shape: Shape, upTo limits: [Int?], elementByteCount: Int, chunkMB: Double
  ) -> Shape {
    Shape(
      shape.indices.map { axis in
        let limit = limits[axis] ?? .max
        if limit <= shape[axis] { return shape[axis] }
        let others = shape.indices.filter { $0 != axis }.map { Double(Swift.max(shape[$0], 1)) }
        let stepByteCount = others.reduce(Double(elementByteCount), *)
        let steps = (chunkMB * 1e6 / stepByteCount).rounded(.up)
        return Swift.max(shape[axis], Swift.min(limit, Int(exactly: steps) ?? shape[axis]))
      })
  }

  /// A chunk shape cut at the array along the axes that may grow.
  static func present(_ chunk: Shape, in shape: Shape, upTo limits: [Int?]) -> Shape {
    Shape(
      chunk.indices.map { axis in
        (limits[axis] ?? .max) > shape[axis]
          ? Swift.min(chunk[axis], Swift.max(shape[axis], 1)) : chunk[axis]
      })
  }
}
