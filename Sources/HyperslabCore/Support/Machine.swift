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
}
