#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Memory whose pages nobody has touched yet. The system clears each of them when somebody does, and leaves
/// it in the cache.
package enum FreshMemory {
  /// Whether the middle of some memory is fresh, as far as the system tells.
  package static func contains(_ memory: UnsafeMutableRawBufferPointer) -> Bool {
    #if os(Linux)
      guard let base = memory.baseAddress, memory.count > 0 else { return false }
      let middle = unsafe base + memory.count / 2
      let page = unsafe middle - Int(bitPattern: middle) % sysconf(Int32(_SC_PAGESIZE))
      var isResident: UInt8 = 0
      return unsafe mincore(page, 1, &isResident) == 0 && isResident & 1 == 0
    #else
      return false
    #endif
  }
}
