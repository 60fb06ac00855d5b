#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// What this machine has.
package enum Machine {
  /// Processors that are switched on, at least 1: how many threads make sense.
  package static let processorCount = Swift.max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))

  /// Bytes of physical memory.
  package static let memoryByteCount =
    Checked.multiply(sysconf(Int32(_SC_PHYS_PAGES)), sysconf(Int32(_SC_PAGESIZE))) ?? Int.max

  /// How many files this process may have open at the same time.
  package static var openFileLimit: Int {
    var limit = rlimit()
    #if canImport(Glibc)
      let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    #else
      let resource = RLIMIT_NOFILE
    #endif
    guard unsafe getrlimit(resource, &limit) == 0 else { return 256 }
    return Int(clamping: limit.rlim_cur)
  }

  /// How many chunk files may be open at the same time: of what is allowed, what the rest leaves.
  package static var openChunkLimit: Int { Swift.max(1, (openFileLimit - 12) / 2) }
}
