/// Where the elements of a box lie in a piece of memory: an offset and a byte stride an axis.
///
/// Element `(i, j, …)` starts at `byteOffset + i * byteStrides[0] + j * byteStrides[1] + …`.
/// Strides may be negative (a reversed axis) or in any order (a Fortran-order array).
public struct StridedLayout: Hashable, Sendable {
  /// The box's shape.
  public let shape: Shape
  /// Bytes from the start of the memory to element `(0, 0, …)`.
  public let byteOffset: Int
  /// Bytes from one element to the next along each axis.
  public let byteStrides: [Int]

  /// A layout with the given strides; one stride an axis.
  public init(shape: Shape, byteOffset: Int = 0, byteStrides: [Int]) {
    self.shape = shape
    self.byteOffset = byteOffset
    self.byteStrides = byteStrides
  }

  /// C order, no gaps: the last axis is fastest. Nil where the size does not fit into `Int`.
  public static func rowMajor(_ shape: Shape, elementByteCount: Int) -> StridedLayout? {
    contiguous(shape, elementByteCount, axesFromFastest: Array(shape.indices.reversed()))
  }

  /// Fortran order, no gaps: the first axis is fastest. Nil where the size does not fit into `Int`.
  public static func columnMajor(_ shape: Shape, elementByteCount: Int) -> StridedLayout? {
    contiguous(shape, elementByteCount, axesFromFastest: Array(shape.indices))
  }

  private static func contiguous(
    _ shape: Shape, _ elementByteCount: Int, axesFromFastest: [Int]
  ) -> StridedLayout? {
    var strides = Array(repeating: 0, count: shape.rank)
    var stride = elementByteCount
    for axis in axesFromFastest {
      strides[axis] = stride
      guard let next = Checked.multiply(stride, Swift.max(1, shape[axis])) else { return nil }
      stride = next
    }
    return StridedLayout(shape: shape, byteStrides: strides)
  }

  /// The part of the box that `region` names (in the box's own coordinates), in the same memory.
  public func slice(_ region: Selection) -> StridedLayout {
    var offset = byteOffset
    for (range, stride) in zip(region.bounds, byteStrides) { offset += range.lowerBound * stride }
    return StridedLayout(shape: region.shape, byteOffset: offset, byteStrides: byteStrides)
  }

  /// The bytes that the elements span, from the lowest to one past the highest; nil on overflow.
  public func byteRange(elementByteCount: Int) -> Range<Int>? {
    if shape.isEmptyArray { return byteOffset..<byteOffset }
    var low = byteOffset
    var high = byteOffset
    for (length, stride) in zip(shape, byteStrides) {
      guard let span = Checked.multiply(length - 1, stride),
        let end = Checked.add(span < 0 ? low : high, span)
      else { return nil }
      if span < 0 { low = end } else { high = end }
    }
    guard let end = Checked.add(high, elementByteCount) else { return nil }
    return low..<end
  }
}
