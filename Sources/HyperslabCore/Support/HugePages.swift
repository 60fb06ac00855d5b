#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Large memory in large pages, where the system has them for the asking.
///
/// Fresh pages of 4 KiB cost more than decoding what goes into them.
package enum HugePages {
  package static let byteCount = 1 << 21

  /// Asks for huge pages wherever a whole one lies inside the memory; a wish, never an error.
  package static func advise(_ memory: UnsafeMutableRawBufferPointer) {
    #if os(Linux)
      guard let base = memory.baseAddress, memory.count >= 2 * byteCount else { return }
      let gap = (byteCount - Int(bitPattern: base) % byteCount) % byteCount
      _ = unsafe madvise(base + gap, (memory.count - gap) / byteCount * byteCount, MADV_HUGEPAGE)
    #endif
  }
}
