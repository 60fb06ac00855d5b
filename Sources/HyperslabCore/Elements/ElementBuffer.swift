#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// A piece of memory of fixed size for elements, aligned to 64 bytes and freed with its owner.
///
/// Contents start undefined. Whoever shares one between threads sees to it that no two write the
/// same bytes.
@safe package final class ElementBuffer: @unchecked Sendable {
  /// The memory.
  package let pointer: UnsafeMutableRawPointer
  /// Its size.
  package let byteCount: Int

  /// Allocates memory; large pieces ask the system for huge pages, which fault faster.
  ///
  /// - Throws: `out_of_memory` where the system has none.
  package init(allocating byteCount: Int) throws(HyperslabError) {
    let alignment = byteCount >= 2 * HugePages.byteCount ? HugePages.byteCount : 64
    var made: UnsafeMutableRawPointer?
    guard unsafe posix_memalign(&made, alignment, Swift.max(byteCount, 1)) == 0,
      let made = unsafe made
    else {
      throw HyperslabError(
        .outOfMemory, "the system gives no more memory", found: "a wish for \(byteCount) bytes",
        remedy: "Ask for smaller buffers or fewer threads, or raise the limit (ulimit -v)")
    }
    unsafe pointer = made
    self.byteCount = byteCount
    unsafe HugePages.advise(UnsafeMutableRawBufferPointer(start: pointer, count: byteCount))
  }

  /// Allocates a little memory, of which there always is enough for the language's own needs.
  package convenience init(byteCount: Int) {
    do { try self.init(allocating: byteCount) } catch { fatalError("\(error)") }
  }

  deinit { unsafe free(pointer) }

  /// Lends the bytes for reading.
  package func withBytes<R, E: Error>(_ body: (RawSpan) throws(E) -> R) throws(E) -> R {
    try unsafe body(UnsafeRawBufferPointer(start: pointer, count: byteCount).bytes)
  }

  /// Lends the bytes for writing.
  package func withMutableBytes<R, E: Error>(
    _ body: (inout MutableRawSpan) throws(E) -> R
  ) throws(E) -> R {
    var span = unsafe UnsafeMutableRawBufferPointer(start: pointer, count: byteCount).mutableBytes
    return try body(&span)
  }

  /// Lets a writer append to the first `count` bytes; returns how many it appended.
  package func fill<E: Error>(
    upTo count: Int, _ body: (inout OutputRawSpan) throws(E) -> Void
  ) throws(E) -> Int {
    let memory = unsafe UnsafeMutableRawBufferPointer(start: pointer, count: count)
    var output = unsafe OutputRawSpan(buffer: memory, initializedCount: 0)
    try body(&output)
    // Somebody put another span in its place: nothing is known to have been written.
    guard output.capacity == count else { return 0 }
    return unsafe output.finalize(for: memory)
  }
}
