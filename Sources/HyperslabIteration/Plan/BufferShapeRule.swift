package import HyperslabCore

/// HDMF's buffer shape for a size in gigabytes.
package enum BufferShapeRule {
  /// The chunk shape scaled by one whole factor to at most `bufferGB * 1e9` bytes, at least one
  /// chunk, cut at the array; an axis of length 0 counts as 1.
  ///
  /// A chunk larger than the limit is the buffer all the same.
  package static func bufferShape(
    of shape: Shape, chunkShape: Shape, elementByteCount: Int, bufferGB: Double
  ) throws(HyperslabError) -> Shape {
    guard bufferGB > 0 else {
      throw HyperslabError(
        .nonpositiveBufferGB, "buffer_gb is \(bufferGB)", expected: "more than 0",
        remedy: "Give the memory to use in gigabytes, or leave it out for 1")
    }
    try requirePositive(chunkShape, elementByteCount: elementByteCount)
    if shape.isEmpty { return shape }
    let factor = ScaleFactor(
      byteLimit: bufferGB * 1e9, byteCount: WideProduct(chunkShape.axes + [elementByteCount]),
      rank: shape.rank)
    return Shape(
      zip(chunkShape, shape).map { chunk, length in
        let limit = Swift.max(length, 1)
        return Swift.min(Swift.max(factor.scale(chunk, upTo: limit), chunk), limit)
      })
  }

  /// Refuses the first axis of a chunk shape that is below 1.
  static func requirePositive(
    _ chunkShape: Shape, elementByteCount: Int
  ) throws(HyperslabError) {
    for (axis, length) in chunkShape.enumerated() where length < 1 {
      throw HyperslabError(
        .nonpositiveChunk, "axis \(axis) of the chunk shape \(chunkShape)",
        expected: "a length of at least 1", found: "\(length)",
        remedy: "Give every axis a positive chunk length, or a chunk_mb above one element of "
          + "\(elementByteCount) bytes")
    }
  }
}
