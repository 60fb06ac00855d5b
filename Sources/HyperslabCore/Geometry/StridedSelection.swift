/// A box with a positive step on every axis: `start, start + step, …`, `count` positions an axis.
public struct StridedSelection: Hashable, Sendable {
  /// The positions on one axis.
  public struct Axis: Hashable, Sendable {
    /// The first position.
    public var start: Int
    /// How many positions.
    public var count: Int
    /// The distance between positions, at least 1.
    public var step: Int

    /// Positions `start, start + step, …`.
    public init(start: Int, count: Int, step: Int = 1) {
      self.start = start
      self.count = count
      self.step = step
    }

    /// One past the last position; `start` when there is none, and `Int.max` for one beyond that.
    public var end: Int { bounds.upperBound }

    /// What the positions span.
    fileprivate var bounds: Range<Int> {
      if count <= 0 { return start..<start }
      let (span, isFar) = (count - 1).multipliedReportingOverflow(by: step)
      let (last, isBeyond) = start.addingReportingOverflow(span)
      if isFar || isBeyond {
        return step < 0 ? Int.min..<(Checked.add(start, 1) ?? Int.max) : start..<Int.max
      }
      let (low, high) = (Swift.min(start, last), Swift.max(start, last))
      return low..<(Checked.add(high, 1) ?? Int.max)
    }

    /// The positions inside a range: which of them come first, and how many lie in it.
    package func clipped(to range: Range<Int>) -> (skipped: Int, axis: Axis) {
      let skipped =
        range.lowerBound <= start
        ? 0 : Swift.min(count, (range.lowerBound - start).dividedRoundingUp(by: step))
      let first = start + skipped * step
      let fit =
        range.upperBound <= first ? 0 : (range.upperBound - first).dividedRoundingUp(by: step)
      return (skipped, Axis(start: first, count: Swift.min(count - skipped, fit), step: step))
    }
  }

  /// The axes, slowest first.
  public let axes: [Axis]

  /// The selection with the given axes.
  public init(_ axes: [Axis]) { self.axes = axes }
  /// A box, every step 1.
  public init(_ box: Selection) {
    axes = box.bounds.map { Axis(start: $0.lowerBound, count: $0.length) }
  }

  /// The number of axes.
  public var rank: Int { axes.count }
  /// The number of positions on each axis.
  public var shape: Shape { Shape(axes.map(\.count)) }
  /// Whether it holds no element.
  public var isEmpty: Bool { axes.contains { $0.count == 0 } }
  /// Whether every position lies inside a shape; false also for a negative count or start and for a
  /// step below 1, however large the numbers.
  package func isInside(_ shape: Shape) -> Bool {
    rank == shape.rank
      && zip(axes, shape).allSatisfy { axis, length in
        guard axis.start >= 0, axis.count >= 0, axis.step >= 1 else { return false }
        if axis.count == 0 { return axis.start <= length }
        guard let span = Checked.multiply(axis.count - 1, axis.step),
          let last = Checked.add(axis.start, span)
        else { return false }
        return last < length
      }
  }

  /// The smallest box around it, as far as `Int` goes.
  public var boundingBox: Selection { Selection(axes.map(\.bounds)) }
}

extension StridedSelection: CustomStringConvertible {
  /// For messages: `[0:10, 5::7 × 3]`, the second being 5, 12 and 19.
  public var description: String {
    "["
      + axes.map { axis in
        guard axis.step != 1 else {
          return
            "\(axis.start):\(Checked.add(axis.start, axis.count).map(String.init) ?? "overflow")"
        }
        return "\(axis.start)::\(axis.step) × \(axis.count)"
      }.joined(separator: ", ") + "]"
  }
}
