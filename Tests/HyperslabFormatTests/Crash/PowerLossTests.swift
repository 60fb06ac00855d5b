import HyperslabTestSupport
import Testing

@testable import HyperslabFormat

/// The power fails after any operation of a script of commits: the store holds the last commit that
/// was acknowledged or the next one, and the next writer goes on from there.
///
/// `HYPERSLAB_TORTURE=1` takes `HYPERSLAB_STATES_PER_POINT` states of every point and kind of loss
/// instead of `HYPERSLAB_POWER_STATES` random ones.
@Suite struct PowerLossTests {
  @Test func theScriptItself() throws {
    let script = try CrashScript.recorded()
    let reader = try script.open(.readOnly)
    #expect(try StoreContents(reading: reader) == script.contents)
    #expect(script.outcomes.count > 13)
    #expect(script.disk.core.state.withLock { $0.openFiles } == 0)
  }

  /// A power cut can bring back what a killed writer left and recovery removed, after others have
  /// made the commit that it did not get to.
  @Test func halfARunOfACommitThatNeverWasIsNoDamage() throws {
    let script = try CrashScript.recorded()
    let half = StoreLayout.tables / "d0" / "000002-00c0ffee.json"
    try script.store.create(half, contents: Array("{".utf8), synchronize: true)
    var verifier = Verifier(files: script.store, node: .root, quick: false, threads: 1)
    try verifier.run()
    #expect(verifier.finished.ok, "\(verifier.finished.problems)")
    #expect(verifier.finished.leftovers.contains("\(half)"))
  }

  /// One by one; all at once; many files at once but not their few directories.
  @Test(arguments: [nil, 1, 6])
  func everyStateHoldsTheLastCommitOrTheNext(apart: Int?) throws {
    let script = try CrashScript.recorded(apart: apart)
    let whole = script.trace.operations.count { $0.kind == .synchronizeAll }
    #expect(apart == nil ? whole == 0 : apart == 1 ? whole > 20 : (2...60).contains(whole))
    let check = CrashCheck(outcomes: script.outcomes, zarr: ZarrExpectations(script))
    let moments = CrashMoment.all(of: script.trace)
    let tally = CrashTally()
    let seed = SeededGenerator("power loss", 0).seed
    if CrashScale.isLong {
      let perPoint = CrashScale.count("STATES_PER_POINT", short: 0, long: 60)
      CrashTally.forEach(moments.count) { index in
        var generator = SeededGenerator("power loss", index)
        for loss in MetadataLoss.allCases {
          let images = moments[index].sample(loss, perPoint, using: &generator)
          Self.look(images, at: moments[index], check, tally)
        }
      }
    } else {
      let count = CrashScale.count("POWER_STATES", short: 250, long: 0)
      CrashTally.forEach(count / 10) { trial in
        var generator = SeededGenerator("power loss", trial)
        for _ in 0..<10 {
          let moment = moments.randomElement(using: &generator) ?? moments[0]
          Self.look([moment.randomState(using: &generator)], at: moment, check, tally)
        }
      }
    }
    print(
      "power loss: seed \(seed), \(apart.map { "\($0) apart" } ?? "one by one"),",
      "\(moments.count) crash points, \(tally.stateCount) states, \(tally.failureCount) losses")
    #expect(tally.failureCount == 0, "\(tally.failures.joined(separator: "\n"))")
    // What goes to the disk together leaves fewer states to tell apart.
    let expected = CrashScale.isLong ? (apart == 1 ? 30_000 : 100_000) : 200
    #expect(tally.stateCount > expected)
  }

  /// Where a disk cannot exchange two names, what is replaced is old, new, or for a moment not there.
  @Test func aDiskWithoutExchangeShowsOldOrNothing() throws {
    let script = try CrashScript.recorded(canExchange: false)
    #expect(!script.trace.operations.contains { $0.kind == .exchange })
    let check = CrashCheck(outcomes: script.outcomes, zarr: ZarrExpectations(script))
    let moments = CrashMoment.all(of: script.trace)
    let tally = CrashTally()
    let count = CrashScale.count("POWER_STATES", short: 250, long: 20_000)
    CrashTally.forEach(count / 10) { trial in
      var generator = SeededGenerator("power loss without exchange", trial)
      for _ in 0..<10 {
        let moment = moments.randomElement(using: &generator) ?? moments[0]
        Self.look([moment.randomState(using: &generator)], at: moment, check, tally)
      }
    }
    print("power loss without exchange: \(tally.stateCount) states, \(tally.failureCount) losses")
    #expect(tally.failureCount == 0, "\(tally.failures.joined(separator: "\n"))")
  }

  private static func look(
    _ images: [DiskImage], at moment: CrashMoment, _ check: CrashCheck, _ tally: CrashTally
  ) {
    for image in images where tally.isNew(image, moment.allowed) {
      // The same for one state as for the next: every eighth will do.
      let depth: CrashCheck.Depth = tally.stateCount % 8 == 0 ? .verifying : .committing
      do { try check.check(image, allowed: moment.allowed, depth: depth) } catch {
        tally.fail("after operation \(moment.point) \(image.listing)", error)
      }
    }
  }
}
