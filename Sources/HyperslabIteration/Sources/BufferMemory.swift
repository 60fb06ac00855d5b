import HyperslabCore

/// One buffer's elements, in memory that it owns and nobody writes any more.
protocol BufferMemory: Sendable {
  /// Where the elements lie, if not in C order.
  var layout: StridedLayout? { get }
  func withBytes<R, E: Error>(_ body: (RawSpan) throws(E) -> R) throws(E) -> R
}

/// The array that a source gave.
struct ArrayMemory<Element: ArrayElement>: BufferMemory {
  let elements: [Element]
  var layout: StridedLayout? { nil }

  func withBytes<R, E: Error>(_ body: (RawSpan) throws(E) -> R) throws(E) -> R {
    try unsafe elements.withUnsafeBytes { memory -> Result<R, E> in
      do throws(E) { return unsafe .success(try body(memory.bytes)) } catch {
        return .failure(error)
      }
    }.get()
  }
}

/// The front of a buffer that is used again when its contents have been written.
struct FilledBuffer: BufferMemory {
  let buffer: ElementBuffer
  let byteCount: Int
  var layout: StridedLayout?

  func withBytes<R, E: Error>(_ body: (RawSpan) throws(E) -> R) throws(E) -> R {
    try buffer.withBytes { bytes throws(E) in try body(bytes.extracting(first: byteCount)) }
  }
}
