import HyperslabCore
import HyperslabTestSupport

@testable import HyperslabFormat

/// What must hold of a disk after a power cut.
struct CrashCheck {
  /// What the store may hold, by number; nil for no store.
  let outcomes: [StoreContents?]
  /// What a Zarr reader may see, where that is looked at, too.
  var zarr: ZarrExpectations?

  struct Failure: Error, CustomStringConvertible {
    let description: String
  }

  /// How much is asked, each including what is before it.
  enum Depth: Int {
    /// A reader sees one of the allowed outcomes.
    case reading
    /// So does a writer, who recovers.
    case recovering
    /// One more commit succeeds.
    case committing
    /// Verification finds no damage at first, and nothing at all in the end.
    case verifying
  }

  /// - Returns: the number of the outcome.
  @discardableResult
  func check(_ image: DiskImage, allowed: Set<Int>, depth: Depth) throws -> Int {
    let script = CrashScript(disk: SimulatedDisk(image), outcomes: outcomes, standing: 0)
    let outcome = try read(script, allowed)
    if outcomes[outcome] != nil { try zarr?.check(script.store, allowed: allowed) }
    if outcomes[outcome] == nil || depth == .reading { return outcome }
    if depth == .verifying { try checkNoFalseDamage(script) }
    let writer: SlabStore
    do { writer = try script.open() } catch { throw Failure(description: "recovery: \(error)") }
    let recovered = try reading(writer, "after recovery")
    guard recovered == outcomes[outcome] else {
      throw Failure(description: "recovery changed what a reader had seen")
    }
    try zarr?.check(script.store, allowed: [outcome])
    if depth == .recovering { return outcome }
    script.contents = recovered
    do { try Self.oneMoreCommit(script, writer) } catch {
      throw Failure(description: "the next commit: \(error)")
    }
    try checkOrder(script, isVerified: depth == .verifying)
    return outcome
  }

  /// Before anybody recovers there are leftovers, but no damage other than of what is derived.
  private func checkNoFalseDamage(_ script: CrashScript) throws {
    var verifier = Verifier(files: script.store, node: .root, quick: true, threads: 1)
    try verifier.run()
    let problem = verifier.finished.problems.first {
      $0.kind.isDamage && $0.kind != .orphan && !$0.path.hasSuffix("zarr.json")
    }
    if let problem { throw Failure(description: "verify before recovery: \(problem)") }
  }

  /// What a reader finds before anybody recovers.
  func read(_ script: CrashScript, _ allowed: Set<Int>) throws -> Int {
    let none = allowed.first { outcomes[$0] == nil }
    if let none, try script.disk.status(StorePath(CrashScript.home)) == nil { return none }
    let reader: SlabStore
    do { reader = try script.open(.readOnly) } catch {
      throw Failure(description: "open: \(error)")
    }
    let found = try reading(reader, "before recovery")
    guard let outcome = allowed.sorted().first(where: { outcomes[$0] == found }) else {
      let known = outcomes.firstIndex(of: found).map { "outcome \($0)" } ?? "no outcome"
      throw Failure(description: "\(known) instead of one of \(allowed.sorted())")
    }
    return outcome
  }

  private func reading(_ store: SlabStore, _ when: String) throws -> StoreContents {
    do { return try StoreContents(reading: store) } catch {
      throw Failure(description: "reading \(when): \(error)")
    }
  }

  /// An overwrite, and a data set where an unfinished commit may have left chunks.
  static func oneMoreCommit(_ script: CrashScript, _ store: SlabStore) throws {
    if script.contents.datasets["a"] == nil { try script.create(store, "a", [20], chunks: [4]) }
    try script.put(store, "a", [0], 900)
    try script.put(store, "a", [3], 910)
    if script.contents.datasets["g/b"] == nil {
      try script.create(store, "g/b", [3, 5], chunks: [2, 3])
      try script.put(store, "g/b", [0, 0], 920)
    }
    try script.commit { try store.close() }
  }

  private func checkOrder(_ script: CrashScript, isVerified: Bool) throws {
    let reader: SlabStore
    do { reader = try script.open(.readOnly) } catch {
      throw Failure(description: "open after the next commit: \(error)")
    }
    guard try reading(reader, "after the next commit") == script.contents else {
      throw Failure(description: "the next commit's contents")
    }
    guard isVerified else { return }
    var verifier = Verifier(files: script.store, node: .root, quick: false, threads: 1)
    try verifier.run()
    if let problem = verifier.finished.problems.first(where: \.kind.isDamage) {
      throw Failure(description: "verify: \(problem)")
    }
    // What cannot be told from somebody's copy is put aside.
    let left = verifier.finished.leftovers.filter {
      !$0.hasPrefix("__slab/t/") && !$0.hasPrefix("__slab/lost/")
    }
    if !left.isEmpty { throw Failure(description: "left over: \(left)") }
  }
}
