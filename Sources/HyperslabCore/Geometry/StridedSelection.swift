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

    /// One past the last position; `start` when there is none.
    public var end: Int { count == 0 ? start : start + (count - 1) * step + 1 }

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
    axes = box.bounds.map { Axis(start: $0.lowerBound, count: $0.count) }
  }

  /// The number of axes.
  public var rank: Int { axes.count }
  /// The number of positions on each axis.
  public var shape: Shape { Shape(axes.map(\.count)) }
  /// Whether it holds no element.
  public var isEmpty: Bool { axes.contains { $0.count == 0 } }
  /// The smallest box around it.
  public var boundingBox: Selection { Selection(axes.map { $0.start..<$0.end }) }
}
