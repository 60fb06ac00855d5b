import HyperslabCore
import HyperslabTestSupport
import Synchronization
import SystemPackage

@testable import HyperslabFormat

/// One run of some operations on one store in a given order of their steps.
struct ScheduleRun {
  /// What every run begins with.
  struct Start: Sendable {
    let image: DiskImage
    let model: ScheduleModel

    init() throws {
      let disk = SimulatedDisk()
      try StoreCreation.fill(disk, durability: .full)
      let store = try ScheduleRun.open(disk, .readWrite)
      for (name, length) in [("a", 7), ("b", 8)] {
        let dataset = try store.createDataset(name, ScheduledOperation.description(length: length))
        try writeAll(
          ScheduledOperation.elements(length, from: name == "a" ? 1 : 11), to: dataset)
      }
      try store.close()
      model = try ScheduleModel(reading: ScheduleRun.open(disk, .readOnly))
      let image = disk.core.state.withLock { $0.image }
      // Everything is durable.
      var durable = image
      durable.files = image.files.mapValues { .init(bytes: $0.bytes, durable: $0.bytes) }
      self.image = durable
    }
  }

  /// What each actor does, one after the other.
  let actors: [[ScheduledOperation]]
  /// Whether each actor has a session of its own, as another process would.
  let hasOwnSessions: Bool
  /// At which steps another actor goes on.
  var interruptions: [Int: Int] = [:]
  /// At which step all is over, if it is.
  var killStep: Int?
  /// Whether that is a power cut, and which.
  var powerSeed: Int?

  /// - Parameter actors: What they are to do. In one session direct calls are one actor's: whoever forgets
  ///   them forgets those of all.
  init(_ actors: [[ScheduledOperation]], hasOwnSessions: Bool) {
    self.hasOwnSessions = hasOwnSessions
    var direct: Int?
    self.actors = actors.enumerated().map { number, operations in
      operations.map { operation in
        switch operation {
        case .put(let path, let chunk) where !hasOwnSessions && direct ?? number != number:
          return .putTogether(path, chunk)
        case .reload where !hasOwnSessions && direct ?? number != number: return .commit
        case .put, .reload:
          direct = number
          return operation
        default: return operation
        }
      }
    }
  }

  /// What came of a run.
  struct Outcome {
    var stepCount = 0
    /// What is wrong; nil where all is as it must be.
    var failure: String?
    /// How many operations were refused.
    var refusals = 0
  }

  static func open(
    _ disk: SimulatedDisk, _ mode: SlabStore.Mode, _ scheduling: (any Scheduling)? = nil
  ) throws(HyperslabError) -> SlabStore {
    try SlabStore(
      path: FilePath("/x.slab"), files: disk, mode: mode, durability: .full, patience: .zero,
      synchronizerWidth: 0, scheduling: scheduling)
  }

  private enum Result {
    case acknowledged
    case refused(HyperslabError.Code)
    case saw(String, ScheduleModel.Dataset)
  }

  private struct Log {
    var results: [(work: ScheduledWork, result: Result)] = []
    var errors: [String] = []
  }

  private func work(of actor: Int) -> [ScheduledWork] {
    actors[actor].enumerated().map { number, operation in
      ScheduledWork(operation: operation, value: Int32(1000 * (actor + 1) + 100 * number))
    }
  }

  func run(from start: Start) throws -> Outcome {
    let disk = SimulatedDisk(start.image)
    let atKill = Mutex<(image: DiskImage, trace: DiskTrace)?>(nil)
    let baton = Baton(
      actors: actors.count, interruptions: interruptions, killStep: killStep,
      kill: {
        let (image, trace) = disk.core.state.withLock { ($0.image, $0.trace) }
        atKill.withLock { $0 = (image, trace) }
        disk.core.fail { _, _ in .inputOutput }
      })
    let shared = hasOwnSessions ? nil : try Self.open(disk, .readWrite, baton)
    let stores = try actors.map { _ in try shared ?? Self.open(disk, .readWrite, baton) }
    let log = Mutex(Log())
    disk.core.beforeCall.withLock { $0 = { baton.step() } }
    disk.core.waiting.withLock { $0 = baton }
    baton.run(
      actors.indices.map { actor in
        { act(actor, on: stores[actor], baton, log) }
      })
    disk.core.beforeCall.withLock { $0 = nil }
    disk.core.waiting.withLock { $0 = nil }
    var outcome = Outcome(stepCount: baton.stepCount)
    if baton.isStuck {
      outcome.failure = "all wait for each other"
      return outcome
    }
    let found = log.withLock { $0 }
    outcome.refusals = found.results.count {
      if case .refused = $0.result { true } else { false }
    }
    do {
      if let (image, trace) = atKill.withLock({ $0 }) {
        try check(found, on: diskAfter(image, trace), start, isKilled: true)
      } else {
        for store in hasOwnSessions ? stores : [stores[0]] {
          try checkLeftovers(of: store)
          try store.close()
        }
        try check(found, on: disk, start, isKilled: false)
      }
    } catch { outcome.failure = "\(error)" }
    return outcome
  }

  /// What one actor does.
  private func act(
    _ actor: Int, on store: SlabStore, _ baton: Baton, _ log: borrowing Mutex<Log>
  ) {
    for work in work(of: actor) {
      do {
        let seen = try work.operation.run(on: store, value: work.value)
        if baton.isKilled { return }
        log.withLock { log in
          if let seen, case .read(let path) = work.operation {
            log.results.append((work, .saw(path, seen)))
          } else {
            log.results.append((work, .acknowledged))
          }
        }
      } catch {
        if baton.isKilled { return }
        let error = error as? HyperslabError
        log.withLock { log in
          log.results.append((work, .refused(error?.code ?? .io)))
          if !mayBeRefused(work.operation, error?.code) {
            log.errors.append("\(work.operation) failed: \(error.map { "\($0)" } ?? "?")")
          }
        }
      }
    }
  }

  /// Whether order can be to blame for a refusal.
  private func mayBeRefused(
    _ operation: ScheduledOperation, _ code: HyperslabError.Code?
  ) -> Bool {
    let all = actors.joined()
    let onlyAppends = all.allSatisfy {
      switch $0 {
      case .append, .several, .commit, .reload, .read, .failing: true
      default: false
      }
    }
    // Appends follow one another, in one process; in several they try again, but not in a transaction.
    if onlyAppends, !hasOwnSessions, Set(all.compactMap(\.order)).count < 2 { return false }
    if onlyAppends, case .append = operation { return false }
    return [
      .conflict, .notFound, .alreadyExists, .snapshotChanged, .outOfBounds, .neverWritten, .busy,
    ].contains(code)
  }

  // MARK: - What must hold

  private struct Wrong: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
  }

  private func check(
    _ log: Log, on disk: SimulatedDisk, _ start: Start, isKilled: Bool
  ) throws {
    if let error = log.errors.first { throw Wrong(error) }
    var certain: [ScheduledWork] = []
    var over: Set<ScheduledWork> = []
    for (work, result) in log.results {
      over.insert(work)
      if case .acknowledged = result, work.operation.changes { certain.append(work) }
    }
    let begun = actors.indices.flatMap { work(of: $0) }.filter {
      $0.operation.changes && !over.contains($0)
    }
    let possible = isKilled ? begun : []
    let last = ScheduleModel.reachable(
      from: start.model, certain: certain, possible: possible
    ).last
    // A session reads what its own direct calls put before it is committed, also where the commit is
    // refused later.
    let refused = log.results.compactMap { entry -> ScheduledWork? in
      guard !hasOwnSessions, case .refused = entry.result, case .put = entry.work.operation else {
        return nil
      }
      return entry.work
    }
    let between = ScheduleModel.reachable(
      from: start.model, certain: certain, possible: possible + refused
    ).between
    for case (_, .saw(let path, let dataset)) in log.results
    where !Self.isSeen(dataset, in: between.compactMap { $0.datasets[path] }) {
      throw Wrong("a reader saw \(path) as \(dataset)")
    }
    let reader = try Self.open(disk, isKilled ? .readWrite : .readOnly)
    let found = try ScheduleModel(reading: reader)
    guard last.contains(found) else {
      throw Wrong("the store holds \(found.datasets), acknowledged: \(certain)")
    }
    if isKilled {
      // The next writer goes on from there.
      let length = found.datasets["b"]?.values.count
      if length != nil { _ = try ScheduledOperation.append("b", 1).run(on: reader, value: 9) }
      try reader.close()
      let next = try Self.open(disk, .readOnly)
      if let length {
        let count = try next.dataset("b").grid.arrayShape[0]
        if count != length + 1 { throw Wrong("the next append made \(count) of \(length)") }
      }
    }
    var verifier = Verifier(files: disk, node: .root, quick: false, threads: 1)
    try verifier.run()
    if let problem = verifier.finished.problems.first(where: \.kind.isDamage) {
      throw Wrong("\(problem)")
    }
  }

  /// Whether a reader can see a data set so. A handle is as long as its data set was when it was opened, and
  /// reads from a later commit what of that is still there.
  private static func isSeen(
    _ dataset: ScheduleModel.Dataset, in states: [ScheduleModel.Dataset]
  ) -> Bool {
    let count = dataset.values.count
    return states.contains { $0.values.count == count }
      && states.contains {
        $0.attribute == dataset.attribute && Array($0.values.prefix(count)) == dataset.values
      }
  }

  /// Nothing is left in the private directory of what failed or is published.
  private func checkLeftovers(of store: SlabStore) throws {
    guard let session = store.session,
      try session.files.status(StoreLayout.staging(writer: session.writer)) != nil
    else { return }
    let names = try session.files.list(StoreLayout.staging(writer: session.writer)).map(\.name)
      .filter { $0 != "placing" }
    let known = try Snapshot.read(session.files, cache: store.cache).index
    let isPending = known.datasets.contains { $0.record.pending?.writer == session.writer }
    if names != ["lock"], !isPending { throw Wrong("left in the private directory: \(names)") }
  }

  /// The disk as the next process finds it.
  private func diskAfter(_ image: DiskImage, _ trace: DiskTrace) -> SimulatedDisk {
    guard let powerSeed else { return SimulatedDisk(image) }
    var generator = SeededGenerator("schedules, power", powerSeed)
    let moment = CrashMoment.all(of: trace).last
    return SimulatedDisk(moment?.randomState(using: &generator) ?? image)
  }
}
