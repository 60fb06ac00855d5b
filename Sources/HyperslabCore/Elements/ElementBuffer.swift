/// A piece of memory of fixed size for elements, aligned to 64 bytes and freed with its owner.
///
/// Contents start undefined. Whoever shares one between threads sees to it that no two write the
/// same bytes.
package final class ElementBuffer: @unchecked Sendable {
  /// The memory.
  package let pointer: UnsafeMutableRawPointer
  /// Its size.
  package let byteCount: Int

  /// Allocates memory; large pieces ask the system for huge pages, which fault faster.
  package init(byteCount: Int) {
    let alignment = byteCount >= 2 * HugePages.byteCount ? HugePages.byteCount : 64
    pointer = .allocate(byteCount: Swift.max(byteCount, 1), alignment: alignment)
    self.byteCount = byteCount
    HugePages.advise(UnsafeMutableRawBufferPointer(start: pointer, count: byteCount))
  }

  deinit { pointer.deallocate() }

  /// Lends the bytes for reading.
  package func withBytes<R, E: Error>(_ body: (RawSpan) throws(E) -> R) throws(E) -> R {
    try body(UnsafeRawBufferPointer(start: pointer, count: byteCount).bytes)
  }

  /// Lends the bytes for writing.
  package func withMutableBytes<R, E: Error>(
    _ body: (inout MutableRawSpan) throws(E) -> R
  ) throws(E) -> R {
    var span = UnsafeMutableRawBufferPointer(start: pointer, count: byteCount).mutableBytes
    return try body(&span)
  }

  /// Lets a writer append to the first `count` bytes; returns how many it appended.
  package func fill<E: Error>(
    upTo count: Int, _ body: (inout OutputRawSpan) throws(E) -> Void
  ) throws(E) -> Int {
    let memory = UnsafeMutableRawBufferPointer(start: pointer, count: count)
    var output = OutputRawSpan(buffer: memory, initializedCount: 0)
    try body(&output)
    return output.finalize(for: memory)
  }
}
