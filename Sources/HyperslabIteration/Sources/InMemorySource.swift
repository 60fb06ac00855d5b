public import HyperslabCore

/// A source over an array of Swift values in C order; its memory is lent, never copied.
public struct InMemorySource<Element: ArrayElement>: DataChunkSource {
  /// The elements, last axis fastest.
  public let elements: [Element]
  /// The array's shape.
  public let shape: Shape
  /// The element type's run-time name.
  public let dataType: DataType
  private let layout: StridedLayout

  /// Pairs elements with their shape.
  ///
  /// - Throws: `size_mismatch` unless there are exactly as many elements as the shape holds,
  ///   `type_mismatch` for an element type that is not laid out as it says.
  public init(elements: [Element], shape: Shape) throws(HyperslabError) {
    let dataType = try DataType(of: Element.self)
    guard !shape.contains(where: { $0 < 0 }), shape.elementCount == elements.count,
      let layout = StridedLayout.rowMajor(shape, elementByteCount: dataType.byteCount)
    else {
      throw HyperslabError(
        .sizeMismatch, "elements for shape \(shape)",
        expected: shape.elementCount.map(String.init), found: "\(elements.count)")
    }
    self.elements = elements
    self.shape = shape
    self.dataType = dataType
    self.layout = layout
  }

  /// A source over an array value.
  public init(_ array: NDArray<Element>) throws(HyperslabError) {
    try self.init(elements: array.elements, shape: array.shape)
  }

  /// Copies the selection's elements.
  ///
  /// - Throws: `out_of_bounds` for a selection that does not lie in the array, `size_mismatch` where the
  ///   buffer has no room.
  public func read(_ selection: Selection, into buffer: inout OutputRawSpan) throws {
    try selection.checkInside(shape)
    try unsafe elements.withUnsafeBytes { memory in
      try unsafe buffer.appendElements(
        at: layout.part(selection), of: memory.bytes, elementByteCount: dataType.byteCount)
    }
  }

  /// Lends the array's own memory.
  ///
  /// - Throws: `out_of_bounds` for a selection that does not lie in the array, and what `body` throws.
  public func withBytes<R>(
    of selection: Selection, _ body: (RawSpan, StridedLayout) throws -> R
  ) throws -> R? {
    try selection.checkInside(shape)
    return try unsafe elements.withUnsafeBytes { try unsafe body($0.bytes, layout.part(selection)) }
  }
}
