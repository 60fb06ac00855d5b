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

  /// Whoever fails first in time: here the second index, while the first waits for that.
  @Test func theErrorOfTheLowestIndexIsThrown() {
    for _ in 0..<20 {
      let hasFailed = Atomic<Bool>(false)
      let error = #expect(throws: HyperslabError.self) {
        try parallelLoop(count: 2, threads: 2) {
        } body: { (_: Void, index) throws(HyperslabError) in
          if index == 1 {
            hasFailed.store(true, ordering: .releasing)
            throw HyperslabError(.cancelled, "the second")
          }
          let end = ContinuousClock.now + .milliseconds(50)
          while !hasFailed.load(ordering: .acquiring), ContinuousClock.now < end {}
          // Long enough for the other to have noted its error.
          let later = ContinuousClock.now + .milliseconds(2)
          while ContinuousClock.now < later {}
          throw HyperslabError(.overflow, "the first")
        }
      }
      #expect(error?.code == .overflow)
    }
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

  /// Everybody who loops also works: more loops than threads, in one another and beside one another,
  /// come to an end.
  @Test func loopsInLoops() throws {
    let runs = Mutex([Int](repeating: 0, count: 1000))
    try parallelLoop(count: 10, threads: 4) {
    } body: { (_: Void, outer) throws(HyperslabError) in
      try parallelLoop(count: 10, threads: 4) {
      } body: { (_: Void, middle) throws(HyperslabError) in
        try parallelLoop(count: 10, threads: 4) {
        } body: { (_: Void, inner) throws(HyperslabError) in
          runs.withLock { $0[100 * outer + 10 * middle + inner] += 1 }
        }
      }
    }
    #expect(runs.withLock { $0.allSatisfy { $0 == 1 } })
  }

  /// Helpers come and go while loops are begun, ended and left by errors, with sleep between.
  @Test func manyLoopsOneAfterAnother() async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      for caller in 0..<4 {
        group.addTask {
          for round in 0..<500 {
            let total = Atomic<Int>(0)
            let stop = round % 7 == caller ? 5 : 8
            do {
              try parallelLoop(count: 8, threads: 3) {
              } body: { (_: Void, index) throws(HyperslabError) in
                if index == stop { throw HyperslabError(.cancelled, "enough") }
                total.wrappingAdd(index + 1, ordering: .relaxed)
              }
              #expect(total.load(ordering: .relaxed) == 36 && stop == 8)
            } catch let error as HyperslabError { #expect(error.code == .cancelled && stop == 5) }
            if round % 100 == 0 { try await Task.sleep(for: .milliseconds(2)) }
          }
        }
      }
      try await group.waitForAll()
    }
  }
}
