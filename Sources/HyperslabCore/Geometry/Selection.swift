/// A box in array coordinates (a hyperslab): one half-open range an axis.
public struct Selection: Hashable, Sendable {
  /// The ranges, slowest axis first.
  public let bounds: [Range<Int>]

  /// The box with the given ranges.
  public init(_ bounds: [Range<Int>]) { self.bounds = bounds }
  /// The whole of an array; an axis of negative length has nothing.
  public init(all shape: Shape) { bounds = shape.map { 0..<Swift.max(0, $0) } }

  /// The number of axes.
  public var rank: Int { bounds.count }
  /// The lengths of the box. One beyond `Int`, which no array has, is told as `Int.max`.
  public var shape: Shape { Shape(bounds.map(\.length)) }
  /// The lowest corner.
  public var origin: [Int] { bounds.map(\.lowerBound) }
  /// Whether it holds no element.
  public var isEmpty: Bool { bounds.contains { $0.isEmpty } }

  /// Whether `other` lies wholly inside; ranks must agree.
  public func contains(_ other: Selection) -> Bool {
    rank == other.rank
      && zip(bounds, other.bounds).allSatisfy {
        $0.lowerBound <= $1.lowerBound && $1.upperBound <= $0.upperBound
      }
  }

  /// The common part; empty where there is none. Of ranks that differ, the common axes alone count.
  public func intersection(_ other: Selection) -> Selection {
    Selection(zip(bounds, other.bounds).map { $0.clamped(to: $1) })
  }

  /// Refuses a box that does not lie in an array.
  package func checkInside(_ shape: Shape, at place: String? = nil) throws(HyperslabError) {
    guard Selection(all: shape).contains(self) else {
      throw HyperslabError(
        .outOfBounds, "the selection \(self) of an array of shape \(shape)", at: place)
    }
  }

  /// The same box seen from another origin.
  package func relative(to origin: [Int]) -> Selection {
    Selection(zip(bounds, origin).map { $0.lowerBound - $1..<$0.upperBound - $1 })
  }
}

extension Selection: CustomStringConvertible {
  /// As NumPy writes it: `[0:10, 5:6]`.
  public var description: String {
    "[" + bounds.map { "\($0.lowerBound):\($0.upperBound)" }.joined(separator: ", ") + "]"
  }
}
