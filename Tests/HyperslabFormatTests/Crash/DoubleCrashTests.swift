import HyperslabTestSupport
import Testing

@testable import HyperslabFormat

/// A writer recovers from a crash and commits, and the power fails at any of its operations.
///
/// `HYPERSLAB_TORTURE=1` takes many first crashes and many states each; `HYPERSLAB_FIRST_CRASHES`
/// says how many.
@Suite struct DoubleCrashTests {
  @Test(arguments: DoubleCrash.First.allCases)
  func recoveryCutAnywhereLosesNothing(first: DoubleCrash.First) throws {
    let script = try CrashScript.recorded()
    let trace = script.trace
    let outcomes = script.outcomes
    let moments = CrashMoment.all(of: trace)
    let tally = CrashTally()
    let seed = SeededGenerator("double crash", 0).seed
    let firsts = CrashScale.count("FIRST_CRASHES", short: 3, long: 700)
    CrashTally.forEach(firsts) { trial in
      var generator = SeededGenerator("double crash \(first)", trial)
      let moment = moments[(trial * 7919 + 13) % moments.count]
      let disk = DoubleCrash.first(first, moment, of: trace, using: &generator)
      do {
        let second = try DoubleCrash(disk, outcomes, allowed: moment.allowed)
        Self.cut(second, "\(first) after operation \(moment.point)", tally, &generator)
      } catch { tally.fail("\(first) after operation \(moment.point)", error) }
    }
    print(
      "double crash, \(first): seed \(seed), \(firsts) first crashes, \(tally.stateCount) states,",
      "\(tally.failureCount) losses")
    #expect(tally.failureCount == 0, "\(tally.failures.joined(separator: "\n"))")
    #expect(tally.stateCount > (CrashScale.isLong ? 100_000 : 100))
  }

  private static func cut(
    _ second: DoubleCrash, _ what: String, _ tally: CrashTally, _ generator: inout SeededGenerator
  ) {
    let check = CrashCheck(outcomes: second.outcomes)
    for moment in second.moments {
      for _ in 0..<(CrashScale.isLong ? 3 : 1) {
        let image = moment.randomState(using: &generator)
        guard tally.isNew(image, moment.allowed) else { continue }
        // Recovery from a second crash is recovery from a first one; its next commit is looked at
        // now and then.
        let depth: CrashCheck.Depth = generator.chance(1, in: 8) ? .verifying : .recovering
        do { try check.check(image, allowed: moment.allowed, depth: depth) } catch {
          let done = second.trace.operations[..<moment.point].suffix(4).map(\.description)
          tally.fail("\(what), then at \(moment.point - second.begin) after \(done)", error)
        }
      }
    }
  }
}
