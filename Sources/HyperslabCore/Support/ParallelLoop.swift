import Synchronization

/// Runs `body` for every index below `count` on up to `threads` threads, the caller's among them,
/// each taking the next index when done with the last; `makeWorker` runs once a thread.
///
/// After the first error no new index is begun; that error is thrown when all threads have stopped.
package func parallelLoop<Worker>(
  count: Int, threads: Int, makeWorker: @Sendable () throws(HyperslabError) -> Worker,
  body: @Sendable (Worker, Int) throws(HyperslabError) -> Void
) throws(HyperslabError) {
  let next = Atomic<Int>(0)
  let failure = Mutex<HyperslabError?>(nil)
  let failed = Atomic<Bool>(false)
  @Sendable func run() {
    do throws(HyperslabError) {
      var worker: Worker?
      while !failed.load(ordering: .relaxed) {
        let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
        guard index < count else { return }
        let mine: Worker
        if let worker { mine = worker } else { mine = try makeWorker() }
        worker = mine
        try body(mine, index)
      }
    } catch {
      failed.store(true, ordering: .relaxed)
      failure.withLock { if $0 == nil { $0 = error } }
    }
  }
  let workers = Swift.min(threads, count)
  if workers <= 1 {
    run()
  } else {
    WorkerPool.shared.run(helpers: workers - 1) { run() }
  }
  if let error = failure.withLock({ $0 }) { throw error }
}
