import HyperslabTestSupport
import Synchronization
import Testing

/// Random programs on a store, equal to the model at every step, after every commit, kill and power
/// cut. `HYPERSLAB_PROGRAMS` says how many of fifty steps.
@Suite struct ProgramTests {
  @Test func randomProgramsEqualTheModel() {
    let count = CrashScale.count("PROGRAMS", short: 500, long: 20_000)
    let first = Mutex<(Int, Program)?>(nil)
    let failures = Atomic<Int>(0)
    CrashTally.forEach(count) { number in
      var generator = SeededGenerator("program", number)
      let program = Program(length: 50, using: &generator)
      guard Self.failure(of: program) != nil else { return }
      failures.wrappingAdd(1, ordering: .relaxed)
      first.withLock { if number < $0?.0 ?? .max { $0 = (number, program) } }
    }
    let failed = failures.load(ordering: .relaxed)
    print(
      "programs: seed \(SeededGenerator.baseSeed), \(count) of 50 steps, \(failed) that differ")
    guard let (number, program) = first.withLock({ $0 }) else { return }
    let short = program.shrunk { Self.failure(of: $0) != nil }
    Issue.record("program \(number): \(Self.failure(of: short) ?? "")\n[\(short)]")
  }

  private static func failure(of program: Program) -> String? {
    do { try ProgramRun.run(program) } catch { return "\(error)" }
    return nil
  }
}
