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

  /// A layout with the given strides; one stride an axis. Whatever takes one checks that, and that its
  /// elements lie in the memory.
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
  ///
  /// - Throws: `out_of_bounds` for a region that does not lie in the box, `invalid_shape` for a layout
  ///   without a stride for every axis, `overflow` where the part begins beyond 64 bits.
  public func slice(_ region: Selection) throws(HyperslabError) -> StridedLayout {
    guard byteStrides.count == shape.rank else {
      throw HyperslabError(
        .invalidShape, "a layout of \(shape)", expected: "\(shape.rank) strides",
        found: "\(byteStrides.count)")
    }
    guard Selection(all: shape).contains(region) else {
      throw HyperslabError(
        .outOfBounds, "the part \(region) of a layout", expected: "a part of shape \(shape)")
    }
    var offset = byteOffset
    for (range, stride) in zip(region.bounds, byteStrides) {
      guard let distance = Checked.multiply(range.lowerBound, stride),
        let sum = Checked.add(offset, distance)
      else {
        throw HyperslabError(.overflow, "where the part \(region) of a layout of \(shape) begins")
      }
      offset = sum
    }
    return StridedLayout(shape: region.shape, byteOffset: offset, byteStrides: byteStrides)
  }

  /// The same for a region that is known to lie in the box, of a layout that is known to lie in memory.
  package func part(_ region: Selection) -> StridedLayout {
    var offset = byteOffset
    for (range, stride) in zip(region.bounds, byteStrides) { offset += range.lowerBound * stride }
    return StridedLayout(shape: region.shape, byteOffset: offset, byteStrides: byteStrides)
  }

  /// The bytes that the elements span, from the lowest to one past the highest; nil beyond 64 bits, and for
  /// a layout that cannot be: a negative length, or not one stride an axis.
  public func byteRange(elementByteCount: Int) -> Range<Int>? {
    guard elementByteCount >= 0, byteStrides.count == shape.rank,
      shape.allSatisfy({ $0 >= 0 })
    else { return nil }
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
