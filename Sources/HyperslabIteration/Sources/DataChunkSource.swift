public import HyperslabCore

/// Where the data of an array come from, a selection at a time.
///
/// These are HDMF's three override points: ``shape`` is `_get_maxshape`, ``dataType`` is
/// `_get_dtype`, ``read(_:into:)`` is `_get_data`. Where an array of Swift values is easier to give,
/// conform to ``ArrayDataChunkSource`` instead.
///
/// The write pipeline reads from a thread of its own, one selection at a time, in C order.
public protocol DataChunkSource: Sendable {
  /// The shape of the whole array; axes may be 0, and rank 0 is a single value.
  var shape: Shape { get }

  /// The element type.
  var dataType: DataType { get }

  /// Appends exactly the selection's elements, in C order and host byte order.
  ///
  /// - Parameters:
  ///   - selection: A box inside ``shape``, never empty.
  ///   - buffer: Empty, with room for the selection and, so that a source that gives too much can
  ///     be told so, for some more: its capacity says nothing about the selection.
  /// - Throws: anything; the work ends with `source_failed`, the error being the cause.
  func read(_ selection: Selection, into buffer: inout OutputRawSpan) throws

  /// Lends memory that already holds a selection's elements in host byte order, so that nothing is
  /// copied and no buffer allocated: an array in memory, a frame buffer.
  ///
  /// - Parameters:
  ///   - selection: A box inside ``shape``, never empty.
  ///   - body: Called once with the memory and where the elements lie in it, a layout of the
  ///     selection's shape.
  /// - Returns: what `body` returns, or nil, without calling it, when there is no such memory:
  ///   the default. Whatever else ends the work with `source_failed`.
  func withBytes<R>(
    of selection: Selection, _ body: (RawSpan, StridedLayout) throws -> R
  ) throws -> R?

  /// Identifies the data, so that an interrupted write can be resumed with the same data only;
  /// nil, the default, where nothing does.
  var fingerprint: String? { get }
}

extension DataChunkSource {
  /// Nil: nothing is lent.
  public func withBytes<R>(
    of selection: Selection, _ body: (RawSpan, StridedLayout) throws -> R
  ) throws -> R? { nil }

  /// Nil: nothing identifies the data.
  public var fingerprint: String? { nil }
}

extension OutputRawSpan {
  /// Appends elements that lie strided in other memory, in C order.
  ///
  /// - Parameters:
  ///   - layout: Where they lie, as ``StridedLayout/slice(_:)`` of an array's layout says.
  ///   - bytes: The memory.
  ///   - elementByteCount: Bytes of one element: 1, 2, 4, 8 or 16.
  /// - Throws: `invalid_value` for elements of another size, `size_mismatch` when the layout leaves the
  ///   memory or the elements do not fit.
  public mutating func appendElements(
    at layout: StridedLayout, of bytes: RawSpan, elementByteCount: Int
  ) throws(HyperslabError) {
    guard [1, 2, 4, 8, 16].contains(elementByteCount) else {
      throw HyperslabError(
        .invalidValue, "the size of an element", expected: "1, 2, 4, 8 or 16 bytes",
        found: "\(elementByteCount)")
    }
    guard let range = layout.byteRange(elementByteCount: elementByteCount),
      let byteCount = Checked.product(layout.shape.axes + [elementByteCount]),
      range.isEmpty || (range.lowerBound >= 0 && range.upperBound <= bytes.byteCount)
    else {
      throw HyperslabError(
        .sizeMismatch, "a layout of \(layout.shape) leaves its memory of \(bytes.byteCount) bytes",
        remedy: "Give the memory that the layout was made for")
    }
    guard byteCount <= freeCapacity else {
      throw HyperslabError(
        .sizeMismatch, "elements of shape \(layout.shape) do not fit",
        expected: "room for \(byteCount) bytes", found: "\(freeCapacity)",
        remedy: "Append the selection's elements and no others")
    }
    if byteCount == 0 { return }
    let copy = ChunkCopy(
      chunkShape: layout.shape, region: StridedSelection(Selection(all: layout.shape)),
      layout: layout, elementByteCount: elementByteCount)
    unsafe withUnsafeMutableBytes { memory, initializedCount in
      unsafe bytes.withUnsafeBytes { source in
        guard let from = source.baseAddress, let to = memory.baseAddress else { return }
        unsafe copy.gather(0..<copy.elementCount, from: from, into: to + initializedCount)
      }
      initializedCount += byteCount
    }
  }
}
