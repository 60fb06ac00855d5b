public import HyperslabCore

/// A source over memory that somebody else owns: the bytes of a `Data`, a frame buffer; lent as it is,
/// never copied. Of a mapped file that becomes shorter meanwhile, the system ends the process.
@safe public struct RawMemorySource: DataChunkSource, @unchecked Sendable {
  /// The array's shape.
  public let shape: Shape
  /// The element type.
  public let dataType: DataType
  // Sendable although a pointer: it is only read, and the owner promises that nobody writes there.
  private let bytes: UnsafeRawBufferPointer
  private let layout: StridedLayout

  /// Names the memory and what lies in it.
  ///
  /// - Parameters:
  ///   - bytes: Elements in host byte order. They must stay in place and unchanged for as long as
  ///     the source is in use.
  ///   - shape: The array's shape.
  ///   - dataType: The element type.
  ///   - layout: Where the elements lie; C order from the first byte on when not given.
  /// - Throws: `invalid_shape` for a negative axis or a layout of another shape, `size_mismatch`
  ///   when the elements do not lie inside the memory.
  public init(
    bytes: UnsafeRawBufferPointer, shape: Shape, dataType: DataType, layout: StridedLayout? = nil
  ) throws(HyperslabError) {
    let size = dataType.byteCount
    guard !shape.contains(where: { $0 < 0 }), layout.map({ $0.shape == shape }) ?? true,
      layout.map({ $0.byteStrides.count == shape.rank }) ?? true
    else {
      throw HyperslabError(
        .invalidShape, "memory of shape \(shape)",
        expected: "no negative axis, and a layout of that shape",
        found: layout.map { "a layout of \($0.shape)" })
    }
    guard let layout = layout ?? .rowMajor(shape, elementByteCount: size),
      let range = layout.byteRange(elementByteCount: size),
      range.isEmpty || (range.lowerBound >= 0 && range.upperBound <= bytes.count)
    else {
      throw HyperslabError(
        .sizeMismatch, "\(dataType) elements of shape \(shape)",
        expected: "memory that holds them", found: "\(bytes.count) bytes")
    }
    unsafe self.bytes = bytes
    self.shape = shape
    self.dataType = dataType
    self.layout = layout
  }

  /// Copies the selection's elements.
  ///
  /// - Throws: `out_of_bounds` for a selection that does not lie in the array, `size_mismatch` where the
  ///   buffer has no room.
  public func read(_ selection: Selection, into buffer: inout OutputRawSpan) throws {
    try selection.checkInside(shape)
    try unsafe buffer.appendElements(
      at: layout.part(selection), of: bytes.bytes, elementByteCount: dataType.byteCount)
  }

  /// Lends the memory.
  ///
  /// - Throws: `out_of_bounds` for a selection that does not lie in the array, and what `body` throws.
  public func withBytes<R>(
    of selection: Selection, _ body: (RawSpan, StridedLayout) throws -> R
  ) throws -> R? {
    try selection.checkInside(shape)
    return try unsafe body(bytes.bytes, layout.part(selection))
  }
}
