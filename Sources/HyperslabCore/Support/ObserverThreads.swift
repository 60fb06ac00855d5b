import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Threads on which the caller's code runs as a part of an operation, which goes on only when that returns:
/// sources that are read, and who is told of the progress.
package enum ObserverThreads {
  // Thread handles are only compared.
  private struct Handle: @unchecked Sendable { let thread: pthread_t }

  private static let threads = Mutex<[Handle]>([])

  /// Runs the caller's code.
  package static func run<R, E: Error>(_ body: () throws(E) -> R) throws(E) -> R {
    let own = Handle(thread: pthread_self())
    threads.withLock { $0.append(own) }
    defer {
      threads.withLock { threads in
        if let place = threads.lastIndex(where: { pthread_equal($0.thread, own.thread) != 0 }) {
          threads.remove(at: place)
        }
      }
    }
    return try body()
  }

  /// Whether this thread is one.
  package static var hasThisOne: Bool {
    let own = pthread_self()
    return threads.withLock { $0.contains { pthread_equal($0.thread, own) != 0 } }
  }
}
