import HyperslabCore

/// Lent memory that several threads read at once; a span cannot cross threads.
// Sendable because the bytes are only read, and `withShared` lends them for a call that returns
// after all its threads are done.
@safe struct SharedMemory: @unchecked Sendable {
  private let bytes: UnsafeRawBufferPointer

  static func withShared(
    _ span: RawSpan, _ body: (SharedMemory) throws(HyperslabError) -> Void
  ) throws(HyperslabError) {
    try unsafe span.withUnsafeBytes { bytes throws(HyperslabError) in
      try unsafe body(SharedMemory(bytes: bytes))
    }
  }

  func withBytes(_ body: (RawSpan) throws(HyperslabError) -> Void) throws(HyperslabError) {
    try unsafe body(bytes.bytes)
  }

  var start: UnsafeRawPointer? { unsafe bytes.baseAddress }
}
