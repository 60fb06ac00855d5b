import Hyperslab
import Testing

/// What `--memory-mb` refuses before anything is written.
@Suite struct MemoryPlanTests {
  private func refusal(_ megabytes: Double, chunk: Int, count: Int) throws -> HyperslabError? {
    let budget = try MemoryBudget(megabytes: megabytes, threads: 2)
    let plan = try BufferPlan(
      shape: [chunk * count], dataType: .uint8, bufferGB: Swift.min(budget.bufferGB, 1),
      chunkShape: [chunk])
    do throws(HyperslabError) { try budget.check(plan) } catch { return error }
    return nil
  }

  @Test func rowsOfTheIndexCount() throws {
    #expect(try refusal(50, chunk: 10_000_000, count: 200) == nil)
    #expect(try refusal(300, chunk: 1_000_000, count: 10_000) == nil)
    #expect(try refusal(300, chunk: 64_000, count: 100_000) == nil)
    let many = try #require(try refusal(50, chunk: 10, count: 100_000))
    #expect(many.code == .memoryBudget)
    #expect(many.description.contains("100000 chunks"))
    #expect(many.remedy?.contains("larger chunks") ?? false)
    #expect(try refusal(300, chunk: 10, count: 100_000) == nil)
    #expect(try refusal(300, chunk: 64_000, count: 10_000_000)?.code == .memoryBudget)
  }

  @Test func aBufferThatDoesNotFitIsRefused() throws {
    let budget = try MemoryBudget(megabytes: 50, threads: 2)
    let plan = try BufferPlan(
      shape: [100_000_000], dataType: .uint8, bufferGB: 1, chunkShape: [10_000_000])
    let refusal = #expect(throws: HyperslabError.self) { try budget.check(plan) }
    #expect(refusal?.code == .memoryBudget)
    // It says the least that would do, and that does.
    #expect(refusal?.remedy?.contains("at least 140 MB") == true)
    try MemoryBudget(megabytes: 140, threads: 2).check(plan)
  }

  @Test func whatThreadsTakeIsNotLeftForBuffers() throws {
    let few = try MemoryBudget(megabytes: 500, threads: 4)
    #expect(try few == MemoryBudget(megabytes: 500, threads: 1))
    #expect(
      try MemoryBudget(megabytes: 500, threads: 64).bufferByteCount < few.bufferByteCount
        - 100_000_000)
    let error = #expect(throws: HyperslabError.self) { try MemoryBudget(megabytes: 40, threads: 2) }
    #expect(error?.code == .memoryBudget && error?.remedy?.contains("60 MB") == true)
    #expect(throws: HyperslabError.self) { try MemoryBudget(megabytes: 1e300, threads: .max) }
  }
}
