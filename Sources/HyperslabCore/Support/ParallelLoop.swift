import Synchronization

/// Runs `body` for every index below `count` on up to `threads` threads, the caller's among them,
/// each taking the next index when done with the last; `makeWorker` runs once a thread.
///
/// After an error no new index is begun. When all threads have stopped, the error of the lowest index is
/// thrown: the one that a loop on one thread would have met.
package func parallelLoop<Worker>(
  count: Int, threads: Int, makeWorker: @Sendable () throws(HyperslabError) -> Worker,
  body: @Sendable (Worker, Int) throws(HyperslabError) -> Void
) throws(HyperslabError) {
  let next = Atomic<Int>(0)
  let failure = Mutex<(index: Int, error: HyperslabError)?>(nil)
  let failed = Atomic<Bool>(false)
  @Sendable func run() {
    var worker: Worker?
    while !failed.load(ordering: .relaxed) {
      let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
      guard index < count else { return }
      do throws(HyperslabError) {
        let mine: Worker
        if let worker { mine = worker } else { mine = try makeWorker() }
        worker = mine
        try body(mine, index)
      } catch {
        failed.store(true, ordering: .relaxed)
        failure.withLock { if index < $0?.index ?? .max { $0 = (index, error) } }
      }
    }
  }
  let workers = Swift.min(threads, count)
  if workers <= 1 {
    run()
  } else {
    WorkerPool.shared.run(helpers: workers - 1) { run() }
  }
  if let failure = failure.withLock({ $0 }) { throw failure.error }
}
