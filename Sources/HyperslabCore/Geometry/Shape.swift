/// The lengths of an array's axes, slowest first; rank 0 is a single value.
///
/// A shape is only a list of numbers: whatever takes one says what it demands of it.
public struct Shape: Hashable, Sendable, RandomAccessCollection, ExpressibleByArrayLiteral {
  /// The axis lengths.
  public let axes: [Int]

  /// A shape of the given axis lengths.
  public init(_ axes: some Sequence<Int>) { self.axes = Array(axes) }
  /// A shape written as a literal: `[20_000, 5_000]`.
  public init(arrayLiteral elements: Int...) { axes = elements }

  /// The number of axes.
  public var rank: Int { axes.count }
  /// The number of elements; nil where it does not fit into `Int`, or an axis is negative; 1 at rank 0.
  public var elementCount: Int? { Checked.product(axes) }
  /// Whether some axis has length 0.
  public var isEmptyArray: Bool { axes.contains(0) }

  /// Always 0.
  public var startIndex: Int { 0 }
  /// The rank.
  public var endIndex: Int { axes.count }
  /// The length of one axis.
  ///
  /// - Precondition: the shape has that axis, as for `Array`.
  public subscript(axis: Int) -> Int { axes[axis] }

  /// The coordinates of a number in C order, which must be below the element count.
  package func coordinates(ofNumber number: Int) -> [Int] {
    var coordinates = Array(repeating: 0, count: rank)
    var rest = number
    for axis in stride(from: rank - 1, through: 0, by: -1) {
      coordinates[axis] = rest % axes[axis]
      rest /= axes[axis]
    }
    return coordinates
  }
}

extension Shape: CustomStringConvertible {
  /// As NumPy prints it: `(20000, 5000)`, `(7,)`, `()`.
  public var description: String {
    rank == 1 ? "(\(axes[0]),)" : "(" + axes.map(String.init).joined(separator: ", ") + ")"
  }
}
