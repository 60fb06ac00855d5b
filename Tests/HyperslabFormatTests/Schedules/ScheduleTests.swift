import HyperslabTestSupport
import Synchronization
import Testing

@testable import HyperslabFormat

/// Two to four operations on one store, in every order of their steps up to a bound: what was
/// acknowledged is there once, nothing is there by half, and readers see states between operations.
///
/// `HYPERSLAB_TORTURE=1` takes all schedules of two interruptions of every pair, and
/// `HYPERSLAB_SCHEDULES` random ones of up to four operations.
@Suite struct ScheduleTests {
  /// One of each kind, on the same data set and on another one.
  static let operations: [ScheduledOperation] = [
    .append("a", 5), .append("a", 4), .append("b", 3), .create("e", 6), .put("a", 0), .put("b", 1),
    .putTogether("a", 0), .resize("a", 4), .resize("a", 12), .replace("a", 6), .remove("a"),
    .remove("b"), .attribute("a"), .several("a", "b", 3), .several("b", "a", 5),
    .failing("a", "b", 3), .commit, .reload, .read("a"),
  ]

  final class Tally: Sendable {
    struct State {
      var schedules = 0
      var refusals = 0
      var failureCount = 0
      var failures: [String] = []
    }
    let state = Mutex(State())

    func add(_ run: ScheduleRun, _ outcome: ScheduleRun.Outcome) {
      state.withLock { state in
        state.schedules += 1
        state.refusals += outcome.refusals
        guard let failure = outcome.failure else { return }
        state.failureCount += 1
        if state.failures.count < 10 { state.failures.append("\(run): \(failure)") }
      }
    }
  }

  /// Every pair, with each one first: no interruption, each one, and of two a part or all.
  @Test(arguments: [false, true])
  func pairsInterruptedAnywhere(ownSessions: Bool) throws {
    let start = try ScheduleRun.Start()
    let all = Self.operations
    let tally = Tally()
    let step = CrashScale.isLong ? 1 : CrashScale.count("SCHEDULE_STEP", short: 61, long: 1)
    CrashTally.forEach(all.count * all.count) { pair in
      let (first, second) = (all[pair / all.count], all[pair % all.count])
      if !first.changes && !second.changes { return }
      var run = ScheduleRun([[first], [second]], hasOwnSessions: ownSessions)
      do {
        let plain = try run.run(from: start)
        tally.add(run, plain)
        var one = pair % step
        while one < plain.stepCount {
          run.interruptions = [one: 0]
          let outcome = try run.run(from: start)
          tally.add(run, outcome)
          var two = one + 1 + pair % step
          while CrashScale.isLong, two < outcome.stepCount {
            run.interruptions = [one: 0, two: 0]
            tally.add(run, try run.run(from: start))
            two += 5
          }
          one += step
        }
      } catch { tally.state.withLock { $0.failures.append("\(run): \(error)") } }
    }
    report(tally, "pairs, \(ownSessions ? "two sessions" : "one session")")
  }

  /// Two to four actors of one or two operations, interrupted at random, some killed or cut off.
  @Test func randomSchedules() throws {
    let start = try ScheduleRun.Start()
    let tally = Tally()
    let count = CrashScale.count("SCHEDULES", short: 1500, long: 200_000)
    CrashTally.forEach(count) { number in
      var generator = SeededGenerator("schedules", number)
      do {
        let run = Self.random(using: &generator)
        tally.add(run, try run.run(from: start))
      } catch {
        tally.state.withLock { $0.failures.append("\(number): \(error)") }
      }
    }
    report(tally, "random, seed \(SeededGenerator("schedules", 0).seed)")
  }

  private static func random(using generator: inout SeededGenerator) -> ScheduleRun {
    let actors = (0..<Int.random(in: 2...4, using: &generator)).map { _ in
      (0..<Int.random(in: 1...2, using: &generator)).compactMap { _ in
        operations.randomElement(using: &generator)
      }
    }
    var run = ScheduleRun(actors, hasOwnSessions: generator.chance(1, in: 3))
    let length = 70 * actors.joined().count
    for _ in 0..<Int.random(in: 0...8, using: &generator) {
      run.interruptions[Int.random(in: 0..<length, using: &generator)] = Int.random(
        in: 0..<3, using: &generator)
    }
    if generator.chance(1, in: 2) {
      run.killStep = Int.random(in: 0..<length, using: &generator)
      if generator.chance(1, in: 2) {
        run.powerSeed = Int.random(in: 0..<1 << 30, using: &generator)
      }
    }
    return run
  }

  private func report(_ tally: Tally, _ what: String) {
    let state = tally.state.withLock { $0 }
    print(
      "schedules: \(what), \(state.schedules) run, \(state.refusals) operations refused,",
      "\(state.failureCount) wrong")
    #expect(state.failures.isEmpty, "\(state.failures.joined(separator: "\n"))")
    #expect(state.schedules > 100)
  }
}
