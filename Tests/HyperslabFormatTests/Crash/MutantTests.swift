import Foundation
import HyperslabTestSupport
import Testing

@testable import HyperslabFormat

/// The test of power cuts finds every mistake in the protocol that it is shown: each fsync left out,
/// each neighbouring pair of steps swapped.
@Suite struct MutantTests {
  @Test func everyMutantOfACommitIsCaught() throws {
    try look(for: Mutant.ofCommits, in: CrashScript.recorded())
  }

  @Test func everyMutantOfChangingPlacesIsCaught() throws {
    try look(for: Mutant.ofChangingPlaces, in: CrashScript.recorded())
  }

  @Test func everyMutantOfACommitThatSynchronizesAllIsCaught() throws {
    try look(for: Mutant.ofCommitsTogether, in: CrashScript.recorded(apart: 1))
    try look(for: Mutant.ofMovedDirectories, in: CrashScript.recorded(apart: 6))
  }

  private func look(for mutants: [Mutant], in script: CrashScript) throws {
    let trace = script.trace
    let check = CrashCheck(outcomes: script.outcomes, zarr: ZarrExpectations(script))
    let tally = CrashTally()
    CrashTally.forEach(mutants.count) { index in
      var mutated = trace
      mutants[index].change(&mutated.operations)
      guard let first = Mutant.difference(trace.operations, mutated.operations) else {
        return tally.fail(mutants[index].name, Unchanged())
      }
      var generator = SeededGenerator("mutant", index)
      let moments = CrashMoment.all(of: mutated)
      // Where something is reported, then where the first mistake is made, then everywhere.
      let told = moments.filter { moment in
        moment.point > first && mutated.operations[moment.point - 1].isAcknowledgement
      }
      let order =
        (mutants[index].depth == .reading ? told : []) + Array(moments[first...])
        + moments[..<first]
      var budget = Self.budget
      for moment in order where budget > 0 {
        if Self.isCaught(moment, check, mutants[index].depth, &budget, &generator) { return }
      }
      tally.fail(mutants[index].name, Passed())
    }
    print("mutants of commits: \(mutants.count), \(tally.failureCount) not caught")
    #expect(tally.failures.isEmpty, "\(tally.failures.joined(separator: "\n"))")
  }

  @Test func everyMutantOfARecoveryIsCaught() throws {
    let script = try CrashScript.recorded()
    let trace = script.trace
    let outcomes = script.outcomes
    let moments = CrashMoment.all(of: trace)
    // Where a kill leaves something to finish: overwrites to place, directories not fsynced.
    let operations = trace.operations
    let kills = operations.indices.filter { index in
      operations[index].publishes
        && operations[index...].prefix(8).contains(where: \.placesChunk)
        || operations[index].kind == .makeDirectory && operations[index].isOfNode
    }
    let tally = CrashTally()
    let only = ProcessInfo.processInfo.environment["HYPERSLAB_MUTANT"]
    let mutants = Mutant.ofRecovery.filter { only == nil || $0.name == only }
    CrashTally.forEach(mutants.count) { index in
      var generator = SeededGenerator("mutant of recovery", index)
      for kill in kills {
        var budget = Self.budget / 3
        let moment = moments[kill + 1]
        let disk = DoubleCrash.first(.kill, moment, of: trace, using: &generator)
        guard let second = try? DoubleCrash(disk, outcomes, allowed: moment.allowed) else {
          continue
        }
        var mutated = second.trace
        var own = Array(mutated.operations[second.begin...])
        mutants[index].change(&own)
        guard let first = Mutant.difference(Array(mutated.operations[second.begin...]), own) else {
          continue
        }
        mutated.operations.replaceSubrange(second.begin..., with: own)
        let check = CrashCheck(outcomes: second.outcomes)
        let after = CrashMoment.all(of: mutated).dropFirst(second.begin + first)
        let told = after.filter {
          $0.point > 0 && mutated.operations[$0.point - 1].isAcknowledgement
        }
        for moment in told + Array(after) where budget > 0 {
          if Self.isCaught(moment, check, mutants[index].depth, &budget, &generator) { return }
        }
      }
      tally.fail(mutants[index].name, Passed())
    }
    print("mutants of recovery: \(mutants.count), \(tally.failureCount) not caught")
    #expect(tally.failures.isEmpty, "\(tally.failures.joined(separator: "\n"))")
  }

  private struct Passed: Error {}
  private struct Unchanged: Error {}

  private static let budget = CrashScale.count("MUTANT_STATES", short: 1200, long: 6000)

  private static func isCaught(
    _ moment: CrashMoment, _ check: CrashCheck, _ depth: CrashCheck.Depth, _ budget: inout Int,
    _ generator: inout SeededGenerator
  ) -> Bool {
    let images = moment.states(
      .arbitrary, names: depth == .reading ? 4 : 24, contents: depth == .reading ? 2 : 1,
      using: &generator)
    for image in images {
      budget -= 1
      do {
        try check.check(image, allowed: moment.allowed, depth: depth)
      } catch { return true }
    }
    return false
  }
}
