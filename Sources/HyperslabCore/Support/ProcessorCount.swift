#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// How many threads make sense.
package enum ProcessorCount {
  /// Processors that this machine has switched on, at least 1.
  package static let active = Swift.max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
}
