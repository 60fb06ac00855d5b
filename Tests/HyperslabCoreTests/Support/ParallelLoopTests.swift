import HyperslabCore
import Synchronization
import Testing

@Suite struct ParallelLoopTests {
  @Test(arguments: [1, 2, 7], [0, 1, 2, 100])
  func everyIndexRunsOnce(_ threads: Int, _ count: Int) throws {
    let runs = Mutex([Int](repeating: 0, count: count))
    let workers = Atomic<Int>(0)
    try parallelLoop(count: count, threads: threads) { () throws(HyperslabError) in
      workers.wrappingAdd(1, ordering: .relaxed)
    } body: { (_: Void, index) throws(HyperslabError) in
      runs.withLock { $0[index] += 1 }
    }
    #expect(runs.withLock { $0.allSatisfy { $0 == 1 } })
    #expect(workers.load(ordering: .relaxed) <= min(threads, count))
  }

  @Test(arguments: [1, 4])
  func anErrorEndsTheLoop(_ threads: Int) {
    let begun = Atomic<Int>(0)
    let error = #expect(throws: HyperslabError.self) {
      try parallelLoop(count: 1_000_000, threads: threads) {
      } body: { (_: Void, index) throws(HyperslabError) in
        begun.wrappingAdd(1, ordering: .relaxed)
        if index == 3 { throw HyperslabError(.cancelled, "enough") }
      }
    }
    #expect(error?.code == .cancelled)
    if threads == 1 { #expect(begun.load(ordering: .relaxed) == 4) }
  }

  @Test func aWorkerThatCannotBeMadeEndsTheLoop() {
    let error = #expect(throws: HyperslabError.self) {
      try parallelLoop(count: 5, threads: 2) { () throws(HyperslabError) -> Int in
        throw HyperslabError(.overflow, "no memory")
      } body: { (_: Int, _) throws(HyperslabError) in
      }
    }
    #expect(error?.code == .overflow)
  }
}
