/// Memory that several threads write, each its own part of it.
///
/// Sendable because whoever divides the work sees to it that no two threads write the same bytes, and
/// waits for all of them before the memory is anybody else's.
@safe package struct DisjointMemory: @unchecked Sendable {
  /// What is smaller may still be in some cache.
  private static let leastLargeByteCount = 1 << 25

  package let base: UnsafeMutableRawPointer
  /// Whether it is large, and nobody has touched its pages yet.
  package let isFresh: Bool
  /// Whether no cache holds it: it is large, and not fresh.
  package let isOutOfCache: Bool

  package init(base: UnsafeMutableRawPointer) {
    unsafe self.base = base
    isFresh = false
    isOutOfCache = false
  }

  /// Memory for a whole result.
  package init?(_ memory: UnsafeMutableRawBufferPointer) {
    guard let base = memory.baseAddress else { return nil }
    unsafe self.base = base
    let isLarge = memory.count >= Self.leastLargeByteCount
    isFresh = unsafe isLarge && FreshMemory.contains(memory)
    isOutOfCache = isLarge && !isFresh
  }
}
