import Dispatch
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Threads that help with loops, for as long as the process lives.
///
/// A caller works itself and never waits for a helper to wake: whoever comes too late finds nothing to
/// do. A helper looks out for more work for a moment before it sleeps, since waking a thread can take
/// longer than reading a slice (measured: 100 µs on a virtual machine).
final class WorkerPool: Sendable {
  static let shared = WorkerPool()
  /// How long a helper stays awake without work.
  private static let patience = Duration.microseconds(100)
  private static let maximumThreadCount = 256

  private struct State {
    var open: [Job] = []
    var sleeping = 0
    var threads = 0
  }

  private let state = Mutex(State())
  /// How many more threads the open jobs take; read without the lock.
  private let places = Atomic<Int>(0)
  private let alarm = DispatchSemaphore(value: 0)

  /// Runs `body` on the caller's thread and, at the same time, on up to `helpers` others; returns when
  /// all are done.
  func run(helpers: Int, _ body: @Sendable () -> Void) {
    withoutActuallyEscaping(body) { body in
      let job = Job(places: helpers, body)
      let waking = state.withLock { state in
        while state.threads < Swift.min(helpers, Self.maximumThreadCount), startThread() {
          state.threads += 1
        }
        state.open.append(job)
        places.add(helpers, ordering: .releasing)
        let waking = Swift.min(helpers, state.sleeping)
        state.sleeping -= waking
        return waking
      }
      for _ in 0..<waking { alarm.signal() }
      body()
      state.withLock { state in
        state.open.removeAll { $0 === job }
        places.subtract(job.places, ordering: .relaxed)
        job.places = 0
      }
      job.finish()
    }
  }

  /// What a helper does all its life.
  fileprivate func help() {
    while true {
      if let job = takeJob() {
        job.runBody()
        job.leave()
      } else {
        sleep()
      }
    }
  }

  private func takeJob() -> Job? {
    var job: Job?
    _ = spin(for: Self.patience) {
      if places.load(ordering: .acquiring) > 0 { job = takeOpenJob() }
      return job != nil
    }
    return job
  }

  private func takeOpenJob() -> Job? {
    state.withLock { state in
      guard let job = state.open.first(where: { $0.places > 0 }) else { return nil }
      job.places -= 1
      places.subtract(1, ordering: .relaxed)
      job.enter()
      return job
    }
  }

  private func sleep() {
    let mustSleep = state.withLock { state in
      if state.open.contains(where: { $0.places > 0 }) { return false }
      state.sleeping += 1
      return true
    }
    if mustSleep { alarm.wait() }
  }

  /// False where the system has no more threads to give; then there are fewer helpers.
  private func startThread() -> Bool {
    #if canImport(Darwin)
      var thread: pthread_t?
    #else
      var thread = pthread_t()
    #endif
    let failure = unsafe pthread_create(
      &thread, nil,
      { _ in
        WorkerPool.shared.help()
        return nil
      }, nil)
    if failure != 0 { return false }
    #if canImport(Darwin)
      if let thread = unsafe thread { unsafe pthread_detach(thread) }
    #else
      pthread_detach(thread)
    #endif
    return true
  }
}

/// Looks again and again whether something has happened, letting others have the processor between;
/// false when it has not in that time.
private func spin(for patience: Duration, until hasHappened: () -> Bool) -> Bool {
  let end = ContinuousClock.now + patience
  repeat {
    if hasHappened() { return true }
    sched_yield()
  } while ContinuousClock.now < end
  return false
}

/// One loop that helpers may join.
// Sendable: `places` is touched only under the pool's lock; `body` is set before anybody else sees the
// job and cleared when nobody has it in hand any more.
private final class Job: @unchecked Sendable {
  private struct Progress {
    var running = 0
    var isAwaited = false
  }

  /// How long the last pieces of work are awaited without sleeping.
  private static let patience = Duration.microseconds(100)

  var places: Int
  private var body: (@Sendable () -> Void)?
  private let progress = Mutex(Progress())
  private let done = DispatchSemaphore(value: 0)

  init(places: Int, _ body: @escaping @Sendable () -> Void) {
    self.places = places
    self.body = body
  }

  func enter() { progress.withLock { $0.running += 1 } }

  // Not inlined, so that no reference to the body outlives the call.
  @inline(never)
  func runBody() { body?() }

  func leave() {
    let isLast = progress.withLock { progress in
      progress.running -= 1
      return progress.running == 0 && progress.isAwaited
    }
    if isLast { done.signal() }
  }

  /// Waits for the helpers that joined; no other may join any more.
  func finish() {
    let isDone = spin(for: Self.patience) { progress.withLock { $0.running == 0 } }
    let mustWait =
      !isDone
      && progress.withLock { progress in
        progress.isAwaited = progress.running > 0
        return progress.isAwaited
      }
    if mustWait { done.wait() }
    body = nil
  }
}
