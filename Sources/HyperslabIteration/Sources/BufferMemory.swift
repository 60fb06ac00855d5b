import HyperslabCore

/// One buffer's elements in C order, in memory that it owns and nobody writes any more.
protocol BufferMemory: Sendable {
  func withBytes<R>(_ body: (RawSpan) throws(HyperslabError) -> R) throws(HyperslabError) -> R
}

/// The array that a source gave.
struct ArrayMemory<Element: ArrayElement>: BufferMemory {
  let elements: [Element]

  func withBytes<R>(_ body: (RawSpan) throws(HyperslabError) -> R) throws(HyperslabError) -> R {
    try elements.withUnsafeBytes { memory -> Result<R, HyperslabError> in
      do throws(HyperslabError) { return .success(try body(memory.bytes)) } catch {
        return .failure(error)
      }
    }.get()
  }
}

/// The front of a buffer that is used again when its contents have been written.
struct FilledBuffer: BufferMemory {
  let buffer: ElementBuffer
  let byteCount: Int

  func withBytes<R>(_ body: (RawSpan) throws(HyperslabError) -> R) throws(HyperslabError) -> R {
    try buffer.withBytes { bytes throws(HyperslabError) in
      try body(bytes.extracting(first: byteCount))
    }
  }
}
