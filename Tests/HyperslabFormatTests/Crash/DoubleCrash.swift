import HyperslabTestSupport

@testable import HyperslabFormat

/// A second crash: what a writer who recovers from a first one does to the disk, cut again.
struct DoubleCrash {
  /// How the first writer ended.
  enum First: CaseIterable, Sendable {
    /// The power failed: what is on the disk is permanent.
    case powerCut
    /// The process was killed: what was not fsynced is there, but a power cut may still take it.
    case kill
  }

  /// What the second writer did, its outcomes numbered on from the script's.
  let trace: DiskTrace
  let outcomes: [StoreContents?]
  /// How many operations of the trace are the first writer's.
  let begin: Int

  /// Lets a writer open a store as a first crash left it, commit once more and close.
  ///
  /// - Parameter trace: What was done to the disk so far; of one whose power failed, nothing.
  init(_ disk: DiskTrace, _ outcomes: [StoreContents?], allowed: Set<Int>) throws {
    let script = CrashScript(disk: SimulatedDisk(disk), outcomes: outcomes, standing: 0)
    begin = disk.operations.count
    let check = CrashCheck(outcomes: outcomes)
    let outcome = try check.read(script, allowed)
    if disk.operations.isEmpty { script.stands(outcome) }
    if outcomes[outcome] != nil {
      let store = try script.open()
      // Whoever opened the store counts on what it saw.
      script.stands(outcome)
      script.contents = try StoreContents(reading: store)
      try CrashCheck.oneMoreCommit(script, store)
    }
    trace = script.trace
    self.outcomes = script.outcomes
  }

  /// The moments at which it can be cut; at the very first nobody has looked at the disk yet.
  var moments: [CrashMoment] { Array(CrashMoment.all(of: trace).dropFirst(begin + 1)) }

  /// The state of the disk after a first crash.
  static func first(
    _ kind: First, _ moment: CrashMoment, of script: DiskTrace,
    using generator: inout SeededGenerator
  ) -> DiskTrace {
    switch kind {
    case .powerCut: DiskTrace(start: moment.randomState(using: &generator))
    case .kill:
      DiskTrace(start: script.start, operations: Array(script.operations.prefix(moment.point)))
    }
  }
}
