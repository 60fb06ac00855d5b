/// A small, plain array value: a shape and its elements in C order.
///
/// It exists so that a read can return something; use `elements` with whatever array type you like.
public struct NDArray<Element: ArrayElement>: Sendable {
  /// The shape.
  public let shape: Shape
  /// The elements, last axis fastest.
  public var elements: [Element]

  /// Pairs elements with their shape.
  ///
  /// - Throws: `size_mismatch` unless there are exactly as many elements as the shape holds,
  ///   `type_mismatch` for an element type that is not laid out as it says.
  public init(shape: Shape, elements: [Element]) throws(HyperslabError) {
    _ = try DataType(of: Element.self)
    guard shape.elementCount == elements.count, !shape.contains(where: { $0 < 0 }) else {
      throw HyperslabError(
        .sizeMismatch, "elements for shape \(shape)",
        expected: shape.elementCount.map(String.init) ?? "fewer axes", found: "\(elements.count)")
    }
    self.shape = shape
    self.elements = elements
  }

  init(unchecked elements: [Element], shape: Shape) {
    self.shape = shape
    self.elements = elements
  }

  /// The number of axes.
  public var rank: Int { shape.rank }

  /// The element at a position; one coordinate an axis.
  ///
  /// - Precondition: the position lies inside the shape, as for `Array`.
  public subscript(position: Int...) -> Element {
    get { elements[offset(position)] }
    set { elements[offset(position)] = newValue }
  }

  private func offset(_ position: [Int]) -> Int {
    precondition(position.count == rank, "\(position.count) coordinates for shape \(shape)")
    var offset = 0
    for (axis, coordinate) in position.enumerated() {
      precondition(
        coordinate >= 0 && coordinate < shape[axis],
        "coordinate \(coordinate) on axis \(axis) of shape \(shape)")
      offset = offset * shape[axis] + coordinate
    }
    return offset
  }
}

extension NDArray: Equatable where Element: Equatable {}

extension NDArray: CustomStringConvertible {
  /// Type and shape only; arrays can be large.
  public var description: String { "NDArray<\(Element.dataType)>\(shape)" }
}
