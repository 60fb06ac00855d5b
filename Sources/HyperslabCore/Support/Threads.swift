import Dispatch
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Threads for work that blocks: each piece has one to itself, so that none ever waits for the end of
/// another, whatever the host program does with its queues. A few idle ones are kept for the next.
package enum Threads {
  private static let mostIdle = 16
  private static let idle = Mutex<[Seat]>([])

  /// A thread, and what it is to do next.
  private final class Seat: Sendable {
    let work: Mutex<(@Sendable () -> Void)?>
    let alarm = DispatchSemaphore(value: 0)

    init(_ work: @escaping @Sendable () -> Void) { self.work = Mutex(work) }

    /// What the thread does all its life.
    func serve() {
      while true {
        doNext()
        let isKept = idle.withLock { idle in
          guard idle.count < mostIdle else { return false }
          idle.append(self)
          return true
        }
        guard isKept else { return }
        alarm.wait()
      }
    }

    /// By itself, so that an idle thread holds on to nothing of what it did.
    @inline(never)
    private func doNext() {
      let next = work.withLock { work in
        defer { work = nil }
        return work
      }
      next?()
    }
  }

  /// Runs work on another thread; on the caller's, before this returns, where the system has no more
  /// threads to give.
  package static func run(_ work: @escaping @Sendable () -> Void) {
    if let seat = idle.withLock({ $0.popLast() }) {
      seat.work.withLock { $0 = work }
      seat.alarm.signal()
    } else if !start(Seat(work)) {
      work()
    }
  }

  /// Runs blocking work without holding a thread of the caller's pool meanwhile.
  package static func run<R: Sendable>(
    _ work: @escaping @Sendable () throws(HyperslabError) -> R
  ) async throws -> R {
    try await withCheckedThrowingContinuation { continuation in
      run { continuation.resume(with: Result { try work() }) }
    }
  }

  /// False where there are no more threads.
  private static func start(_ seat: Seat) -> Bool {
    let argument = unsafe Unmanaged.passRetained(seat)
    #if canImport(Darwin)
      var thread: pthread_t?
      let failure = unsafe pthread_create(
        &thread, nil,
        { argument in
          unsafe Unmanaged<Seat>.fromOpaque(argument).takeRetainedValue().serve()
          return nil
        }, unsafe argument.toOpaque())
      if failure == 0, let thread = unsafe thread { unsafe pthread_detach(thread) }
    #else
      var thread = pthread_t()
      let failure = unsafe pthread_create(
        &thread, nil,
        { argument in
          if let argument = unsafe argument {
            unsafe Unmanaged<Seat>.fromOpaque(argument).takeRetainedValue().serve()
          }
          return nil
        }, unsafe argument.toOpaque())
      if failure == 0 { pthread_detach(thread) }
    #endif
    if failure != 0 { unsafe argument.release() }
    return failure == 0
  }
}
