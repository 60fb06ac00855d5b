package import HyperslabCore

/// HDMF's chunk shape for a size in megabytes.
package enum ChunkShapeRule {
  /// The chunk shape that keeps the array's proportions within `chunkMB * 1e6` bytes.
  ///
  /// The proportions `v[i] = ⌊shape[i] / min(shape)⌋` are halved by their smallest part until one
  /// element of each fits, then scaled by one whole factor and cut at the array. An axis of length
  /// 0 counts as 1. Where not even one element fits, axes come out as 0, which the plan refuses.
  package static func chunkShape(
    of shape: Shape, elementByteCount: Int, chunkMB: Double
  ) throws(HyperslabError) -> Shape {
    guard chunkMB > 0 else {
      throw HyperslabError(
        .nonpositiveChunkMB, "chunk_mb is \(chunkMB)", expected: "more than 0",
        remedy: "Give the chunk size in megabytes, or leave it out for 10")
    }
    let lengths = shape.map { Swift.max($0, 1) }
    guard let shortest = lengths.min() else { return shape }
    let limit = chunkMB * 1e6
    var proportions = lengths.map { flooredQuotient($0, shortest) }
    while WideProduct(proportions + [elementByteCount]).exceeds(limit),
      let smallest = proportions.filter({ $0 != 1 }).min()
    {
      proportions = proportions.map { $0 == 1 ? 1 : flooredQuotient($0, smallest) }
    }
    let factor = ScaleFactor(
      byteLimit: limit, byteCount: WideProduct(proportions + [elementByteCount]),
      rank: shape.rank)
    return Shape(zip(proportions, lengths).map { factor.scale($0, upTo: $1) })
  }

  /// `⌊a / b⌋` for `a ≥ b ≥ 1`, where the quotient is first rounded to a `Double` as Python's
  /// division does; beyond 2^53 that is another number than the integer quotient.
  private static func flooredQuotient(_ a: Int, _ b: Int) -> Int {
    if a < 1 << 53 { return Int((Double(a) / Double(b)).rounded(.down)) }
    let (quotient, remainder) = (UInt128(a) << 64).quotientAndRemainder(dividingBy: UInt128(b))
    // At least 65 bits, so the lowest one only says that there is a rest.
    let scaled = Double(remainder == 0 ? quotient : quotient | 1)
    return Int(exactly: (scaled * 0x1p-64).rounded(.down)) ?? a
  }
}
