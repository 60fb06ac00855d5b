import HyperslabCore
import HyperslabTestSupport
import Testing

@testable import HyperslabFormat

/// Each call of the script to the disk fails in each way that it can: whoever called is told by a
/// typed error, or the commit stands all the same, and the next writer on a healed disk goes on.
///
/// `HYPERSLAB_TORTURE=1` takes every call and fault instead of `HYPERSLAB_FAULTS` random ones.
@Suite struct FaultTests {
  /// The disk before a step of the script, and what the step asks of it.
  private struct Checkpoint: Sendable {
    let step: CrashScript.Step
    let image: DiskImage
    let outcomes: [StoreContents?]
    let standing: Int
    let calls: [DiskCall]
  }

  private struct Plan: Sendable {
    let checkpoint: Int
    let call: Int
    let fault: DiskFault
  }

  private struct Failure: Error, CustomStringConvertible {
    let description: String
  }

  @Test(arguments: [nil, 1])
  func everyFaultIsToldOrHarmless(apart: Int?) throws {
    let checkpoints = try Self.checkpoints(apart)
    var plans = checkpoints.indices.flatMap { index in
      checkpoints[index].calls.indices.flatMap { call in
        DiskFault.allCases.filter { $0.canHit(checkpoints[index].calls[call].kind) }.map {
          Plan(checkpoint: index, call: call, fault: $0)
        }
      }
    }
    var generator = SeededGenerator("faults", 0)
    let all = plans.count
    plans.shuffle(using: &generator)
    plans.removeLast(
      Swift.max(0, all - CrashScale.count("FAULTS", short: 40, long: .max)))
    let chosen = plans
    let tally = CrashTally()
    CrashTally.forEach(chosen.count) { index in
      let plan = chosen[index]
      let checkpoint = checkpoints[plan.checkpoint]
      do { try Self.run(plan, checkpoint, index, apart) } catch {
        let call = checkpoint.calls[plan.call]
        tally.fail(
          "\(plan.fault.rawValue) in \(call.kind) \(call.path), \(checkpoint.step.name)", error)
      }
    }
    print(
      "faults: seed \(generator.seed), \(chosen.count) of \(all),",
      "\(tally.failureCount) with consequences")
    #expect(tally.failures.isEmpty, "\(tally.failures.joined(separator: "\n"))")
  }

  private static func checkpoints(_ apart: Int?) throws -> [Checkpoint] {
    let script = CrashScript(apart: apart)
    return try CrashScript.steps.map { step in
      let (image, before) = script.disk.core.state.withLock { state in
        state.keepsCalls = true
        return (state.image, state.calls.count)
      }
      let (outcomes, standing) = (script.outcomes, script.standing)
      try step.run(script)
      let calls = Array(script.disk.core.state.withLock { $0.calls }[before...])
      return Checkpoint(
        step: step, image: image, outcomes: outcomes, standing: standing, calls: calls)
    }
  }

  private static func run(
    _ plan: Plan, _ checkpoint: Checkpoint, _ number: Int, _ apart: Int?
  ) throws {
    var image = checkpoint.image
    image.files = image.files.mapValues { .init(bytes: $0.bytes, durable: $0.bytes) }
    let script = CrashScript(
      disk: SimulatedDisk(image), outcomes: checkpoint.outcomes, standing: checkpoint.standing)
    script.stands(checkpoint.standing)
    let disk = script.disk.core
    disk.state.withLock { $0.mostSynchronizedApart = apart }
    disk.fail { call, _ in call == plan.call ? plan.fault : nil }
    do { try checkpoint.step.run(script) } catch {
      guard error is HyperslabError else { throw error }
    }
    disk.fail(nil)
    let open = disk.state.withLock { $0.openFiles }
    if open != 0 { throw Failure(description: "\(open) files left open") }

    // The disk as it is, healed; and as a power cut leaves it, which takes what was not fsynced.
    let moments = CrashMoment.all(of: script.trace)
    guard let moment = moments.last else { return }
    let check = CrashCheck(outcomes: script.outcomes)
    try check.check(disk.state.withLock { $0.image }, allowed: moment.allowed, depth: .verifying)
    var generator = SeededGenerator("faults", number + 1)
    for image in moment.states(.arbitrary, names: 6, contents: 2, using: &generator) {
      do { try check.check(image, allowed: moment.allowed, depth: .recovering) } catch {
        throw Failure(description: "after a power cut: \(error)")
      }
    }
  }
}
