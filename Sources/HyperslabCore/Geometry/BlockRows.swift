package import CPlatform

/// Rows on their way from a block to their places: of bytes, or of elements that are still byte planes.
package typealias BlockRows = hyperslab_rows

extension BlockRows {
  /// Rows of `count` bytes, or of `count` elements in planes `plane` bytes apart; the strides are from
  /// one row to the next.
  package init(
    from source: UnsafeRawPointer, plane: Int = 0, stride: Int, to target: UnsafeMutableRawPointer,
    targetStride: Int, count: Int
  ) {
    unsafe self.init(
      from: source.assumingMemoryBound(to: UInt8.self), plane: plane, from_stride: stride,
      to: target.assumingMemoryBound(to: UInt8.self), to_stride: targetStride, count: count)
  }
}
