/// What one axis is indexed with: an integer (drops the axis), a Swift range, or an ``AxisSlice``.
public protocol AxisSelection: Sendable {
  /// The same in NumPy's terms.
  var axisSlice: AxisSlice { get }
}

/// One term of a NumPy-like index.
public enum AxisSlice: Hashable, Sendable, AxisSelection {
  /// One position, counted from the end when negative; drops the axis.
  case position(Int)
  /// `start:stop:step` with NumPy's rules: negative bounds count from the end, bounds are clipped,
  /// the step may be negative and must not be 0.
  case range(start: Int?, stop: Int?, step: Int)
  /// `...`: all axes not named by the other terms.
  case ellipsis

  /// The whole axis, `:`.
  public static var all: AxisSlice { .range(start: nil, stop: nil, step: 1) }
  /// Itself.
  public var axisSlice: AxisSlice { self }
}

extension Int: AxisSelection {
  /// One position; the axis is dropped.
  public var axisSlice: AxisSlice { .position(self) }
}
extension Range<Int>: AxisSelection {
  /// `lower:upper`.
  public var axisSlice: AxisSlice { .range(start: lowerBound, stop: upperBound, step: 1) }
}
extension ClosedRange<Int>: AxisSelection {
  /// `lower:upper + 1`.
  public var axisSlice: AxisSlice {
    .range(start: lowerBound, stop: upperBound == -1 ? nil : Checked.add(upperBound, 1), step: 1)
  }
}
extension PartialRangeFrom<Int>: AxisSelection {
  /// `lower:`.
  public var axisSlice: AxisSlice { .range(start: lowerBound, stop: nil, step: 1) }
}
extension PartialRangeUpTo<Int>: AxisSelection {
  /// `:upper`.
  public var axisSlice: AxisSlice { .range(start: nil, stop: upperBound, step: 1) }
}
extension PartialRangeThrough<Int>: AxisSelection {
  /// `:upper + 1`.
  public var axisSlice: AxisSlice {
    .range(start: nil, stop: upperBound == -1 ? nil : Checked.add(upperBound, 1), step: 1)
  }
}

/// A NumPy-like index resolved against a shape: what to read, and the shape of the result.
public struct ResolvedSlice: Hashable, Sendable {
  /// The positions, all steps positive.
  public let region: StridedSelection
  /// Which axes run backwards in the result.
  public let reversedAxes: [Bool]
  /// Which axes an integer dropped.
  public let droppedAxes: [Bool]

  /// The shape of the result, dropped axes left out.
  public var resultShape: Shape {
    Shape(zip(region.shape, droppedAxes).compactMap { $1 ? nil : $0 })
  }

  /// Resolves terms against a shape; missing trailing terms mean whole axes.
  ///
  /// - Throws: `out_of_bounds` for an integer outside its axis; `invalid_value` for too many terms,
  ///   a second ellipsis or a step of 0; `invalid_shape` for a shape with a negative axis.
  public init(_ terms: [any AxisSelection], in shape: Shape) throws(HyperslabError) {
    guard shape.allSatisfy({ $0 >= 0 }) else {
      throw HyperslabError(
        .invalidShape, "a selection of an array of shape \(shape)", expected: "no negative axis")
    }
    let slices = terms.map(\.axisSlice)
    let ellipses = slices.count { $0 == .ellipsis }
    let named = slices.count - ellipses
    guard ellipses <= 1, named <= shape.rank else {
      throw HyperslabError(
        .invalidValue, "a selection of \(named) terms and \(ellipses) ellipses",
        expected: "at most \(shape.rank) terms, one an axis of \(shape), and one ellipsis")
    }
    var full: [AxisSlice] = []
    let rest = Array(repeating: AxisSlice.all, count: shape.rank - named)
    for slice in slices { full += slice == .ellipsis ? rest : [slice] }
    if ellipses == 0 { full += rest }

    var axes: [StridedSelection.Axis] = []
    var reversed: [Bool] = []
    var dropped: [Bool] = []
    for (axis, (slice, length)) in zip(full, shape).enumerated() {
      let resolved = try Self.resolve(slice, axis: axis, length: length)
      axes.append(resolved.axis)
      reversed.append(resolved.reversed)
      if case .position = slice { dropped.append(true) } else { dropped.append(false) }
    }
    region = StridedSelection(axes)
    reversedAxes = reversed
    droppedAxes = dropped
  }

  private static func resolve(
    _ slice: AxisSlice, axis: Int, length: Int
  ) throws(HyperslabError) -> (axis: StridedSelection.Axis, reversed: Bool) {
    switch slice {
    case .ellipsis:
      return (.init(start: 0, count: length), false)
    case .position(let position):
      let index = position < 0 ? position + length : position
      guard (0..<length).contains(index) else {
        throw HyperslabError(
          .outOfBounds, "index \(position) on axis \(axis)", expected: "\(-length) ..< \(length)",
          found: "\(position)")
      }
      return (.init(start: index, count: 1), false)
    case .range(let start, let stop, let step):
      guard step != 0, step != Int.min else {
        throw HyperslabError(
          .invalidValue, "step \(step) on axis \(axis)",
          expected: "a step other than 0, of \(-Int.max) to \(Int.max)")
      }
      // NumPy's own clipping (PySlice_AdjustIndices): a bound below 0 counts from the end once.
      let (low, high) = step > 0 ? (0, length) : (-1, length - 1)
      func clip(_ bound: Int) -> Int {
        let index = bound < 0 ? bound + length : bound
        return Swift.min(Swift.max(index, low), high)
      }
      let from = start.map(clip) ?? (step > 0 ? low : high)
      let to = stop.map(clip) ?? (step > 0 ? high : low)
      if step > 0 {
        let count = to > from ? (to - from).dividedRoundingUp(by: step) : 0
        return (.init(start: count == 0 ? 0 : from, count: count, step: step), false)
      }
      let count = from > to ? (from - to).dividedRoundingUp(by: -step) : 0
      let first = count == 0 ? 0 : from + (count - 1) * step
      return (.init(start: first, count: count, step: -step), true)
    }
  }

  /// The layout of a row-major result of ``resultShape``, seen with every axis of the region in
  /// rising order; nil where the size does not fit into `Int`.
  package func layout(elementByteCount: Int) -> StridedLayout? {
    guard let plain = StridedLayout.rowMajor(region.shape, elementByteCount: elementByteCount)
    else { return nil }
    var offset = 0
    var strides = plain.byteStrides
    for axis in strides.indices where reversedAxes[axis] && region.axes[axis].count > 0 {
      offset += (region.axes[axis].count - 1) * strides[axis]
      strides[axis] = -strides[axis]
    }
    return StridedLayout(shape: region.shape, byteOffset: offset, byteStrides: strides)
  }
}
