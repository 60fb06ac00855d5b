#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Repeats a system call that transfers bytes until all are, it gives none, or it fails otherwise
/// than by a signal; `call` is told how many were transferred before.
///
/// - Returns: how many bytes; nil after a failure, which `errno` tells.
func transferAll(_ count: Int, _ call: (_ done: Int) -> Int) -> Int? {
  var done = 0
  while done < count {
    let part = call(done)
    if part == 0 { break }
    if part > 0 {
      done += part
    } else if errno != EINTR {
      return nil
    }
  }
  return done
}
