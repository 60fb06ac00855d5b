public import HyperslabCore

/// Random shapes of the kinds that break array code: rank 0, empty axes, ones, primes, chunks that
/// divide nothing evenly and chunks larger than the array.
public struct ShapeGenerator: Sendable {
  /// Where its numbers come from.
  public var generator: SeededGenerator
  /// The largest number of elements of an array.
  public var elementLimit: Int

  /// Shapes that follow from a generator.
  public init(_ generator: SeededGenerator, elementLimit: Int = 4000) {
    self.generator = generator
    self.elementLimit = elementLimit
  }

  /// An array's shape of the given rank, or of any rank from 0 to 6.
  public mutating func arrayShape(rank: Int? = nil, allowsEmpty: Bool = true) -> Shape {
    let rank = rank ?? Int.random(in: 0...6, using: &generator)
    var room = elementLimit
    var axes = Array(repeating: 1, count: rank)
    for axis in axes.indices.shuffled(using: &generator) {
      axes[axis] = length(upTo: room)
      room /= axes[axis]
    }
    if rank > 0, allowsEmpty, generator.chance(1, in: 12) {
      axes[Int.random(in: 0..<rank, using: &generator)] = 0
    }
    return Shape(axes)
  }

  private mutating func length(upTo room: Int) -> Int {
    switch Int.random(in: 0..<4, using: &generator) {
    case 0: return 1
    case 1:
      let primes = [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31].filter { $0 <= room }
      return primes.randomElement(using: &generator) ?? 1
    default: return Int.random(in: 1...Swift.max(1, Swift.min(room, 24)), using: &generator)
    }
  }

  /// A chunk shape for an array: any length from 1 to a little more than the axis.
  public mutating func chunkShape(for shape: Shape) -> Shape {
    Shape(shape.map { Int.random(in: 1...Swift.max(1, $0 + 2), using: &generator) })
  }

  /// A box inside an array, now and then empty.
  public mutating func selection(in shape: Shape) -> Selection {
    Selection(
      shape.map { length in
        let start = Int.random(in: 0...length, using: &generator)
        return start..<Int.random(in: start...length, using: &generator)
      })
  }

  /// A NumPy-like index of an array that resolves: ranges with any step, integers, ellipses, missing
  /// trailing terms, bounds beyond the axis.
  public mutating func terms(in shape: Shape) -> [AxisSlice] {
    var terms = shape.map { length -> AxisSlice in
      if length > 0, generator.chance(1, in: 5) {
        return .position(Int.random(in: -length..<length, using: &generator))
      }
      if generator.chance(1, in: 4) { return .all }
      let bounds = -length - 2...length + 2
      let step = Int.random(in: 1...4, using: &generator)
      return .range(
        start: generator.chance(1, in: 4) ? nil : Int.random(in: bounds, using: &generator),
        stop: generator.chance(1, in: 4) ? nil : Int.random(in: bounds, using: &generator),
        step: generator.chance(1, in: 3) ? -step : step)
    }
    if generator.chance(1, in: 4) {
      let first = Int.random(in: 0...terms.count, using: &generator)
      let last = Int.random(in: first...terms.count, using: &generator)
      terms.replaceSubrange(first..<last, with: [.ellipsis])
    } else if generator.chance(1, in: 4) {
      terms.removeLast(Int.random(in: 0...terms.count, using: &generator))
    }
    return terms
  }

  /// Memory for a box: axes in any order and direction, with gaps, from any byte on; `byteCount`
  /// bytes hold it and no two elements overlap.
  public mutating func layout(
    of shape: Shape, elementByteCount: Int
  ) -> (layout: StridedLayout, byteCount: Int) {
    var strides = Array(repeating: 0, count: shape.rank)
    var offset = Int.random(in: 0...17, using: &generator)
    var stride = elementByteCount
    let plain = generator.chance(1, in: 3)
    let order = Array(shape.indices.reversed())
    for axis in plain ? order : order.shuffled(using: &generator) {
      if !plain, generator.chance(1, in: 3) { stride += Int.random(in: 1...9, using: &generator) }
      strides[axis] = stride
      let length = Swift.max(1, shape[axis])
      if !plain, generator.chance(1, in: 3) {
        offset += (length - 1) * stride
        strides[axis] = -stride
      }
      stride *= length
    }
    let layout = StridedLayout(shape: shape, byteOffset: offset, byteStrides: strides)
    let end = layout.byteRange(elementByteCount: elementByteCount)?.upperBound ?? offset
    return (layout, end + Int.random(in: 0...17, using: &generator))
  }
}
