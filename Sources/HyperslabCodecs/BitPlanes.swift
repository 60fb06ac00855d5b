/// Where the bit planes of a block are: anywhere in memory, and several may be in one place.
///
/// It owns the list, not the planes, which must stay for as long as it speaks of them.
@safe package final class BitPlanes {
  /// Of each plane, the first bits of all elements first; see ``Bitshuffle``.
  let addresses: UnsafeMutablePointer<UnsafeRawPointer>
  /// Bytes of each.
  private(set) var byteCount: Int
  private let count: Int

  /// Planes that lie one behind the other.
  ///
  /// - Parameter elementCount: A multiple of eight.
  package init(_ base: UnsafeRawPointer, elementCount: Int, elementByteCount: Int) {
    count = 8 * elementByteCount
    byteCount = elementCount / 8
    unsafe addresses = .allocate(capacity: count)
    unsafe addresses.initialize(repeating: base, count: count)
    unsafe lie(at: base, elementCount: elementCount)
  }

  deinit { unsafe addresses.deallocate() }

  /// Lends the addresses of some planes as C has them.
  func withAddresses<R>(
    from first: Int, count: Int, _ body: (UnsafePointer<UnsafeRawPointer?>) -> R
  ) -> R {
    unsafe (addresses + first).withMemoryRebound(to: UnsafeRawPointer?.self, capacity: count) {
      unsafe body($0)
    }
  }

  /// Speaks of other planes that lie one behind the other.
  func lie(at base: UnsafeRawPointer, elementCount: Int) {
    byteCount = elementCount / 8
    for plane in 0..<count { unsafe addresses[plane] = base + plane * byteCount }
  }
}
