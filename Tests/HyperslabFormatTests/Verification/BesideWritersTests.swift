import HyperslabCore
import Synchronization
import Testing

@testable import HyperslabFormat

/// Verification beside writers: at every instant of everything that they do, and with anything of theirs
/// done at every instant of the verification, nothing is said to be damaged that is not.
@Suite struct BesideWritersTests {
  private struct FalseAlarm: Error, CustomStringConvertible { let description: String }

  private static func verify(_ store: SimulatedDisk, quick: Bool, _ what: String) throws {
    var verifier = Verifier(files: store, node: .root, quick: quick, threads: 1)
    try verifier.run()
    let report = verifier.finished
    if !report.ok {
      throw FalseAlarm(description: "\(what): \(report.problems) \(report.unchecked)")
    }
  }

  /// Before each call to the disk of a script of all that writers do, among them some that die.
  @Test(arguments: [true, false])
  func atEveryInstantOfWhatWritersDo(quick: Bool) throws {
    let step = CrashScale.isLong ? 1 : quick ? 5 : 13
    let script = CrashScript()
    let calls = Mutex(0)
    let isLooking = Mutex(false)
    let alarms = Mutex<[String]>([])
    let looks = Mutex(0)
    let store = script.store
    let look: @Sendable () -> Void = {
      let isMine = isLooking.withLock { $0 }
      let number = calls.withLock { calls in
        if !isMine { calls += 1 }
        return calls
      }
      guard !isMine, number % step == 0 else { return }
      isLooking.withLock { $0 = true }
      defer { isLooking.withLock { $0 = false } }
      guard (try? store.status(StoreLayout.index)) ?? nil != nil else { return }
      do {
        try Self.verify(store, quick: quick, "before call \(number)")
        looks.withLock { $0 += 1 }
      } catch { alarms.withLock { $0.append("\(error)") } }
    }
    for step in CrashScript.steps {
      // What a fault does to writers is their business; here it would hit whoever looks.
      if step.name.contains("before its overwrites are placed") { continue }
      let before = alarms.withLock { $0.count }
      script.disk.core.beforeCall.withLock { $0 = look }
      try step.run(script)
      let new = alarms.withLock { Array($0[before...]) }
      #expect(new.isEmpty, "\(step.name): \(new.prefix(3))")
    }
    script.disk.core.beforeCall.withLock { $0 = nil }
    print("verify at instants of writers: \(looks.withLock { $0 }), \(calls.withLock { $0 }) calls")
    #expect(looks.withLock { $0 } > 100)
  }

  private typealias Action = @Sendable (SlabStore) throws -> Void

  private static let actions: [(name: String, body: Action)] = [
    ("an attribute", { try $0.setAttribute("turn", .integer(Int.random(in: 0...999)), of: .root) }),
    (
      "an overwrite",
      { store in
        let a = try store.dataset(NodePath("a"))
        try a.put(0, Int32.random(in: 0...999))
        try a.put(3, Int32.random(in: 0...999))
      }
    ),
    (
      "an append",
      { store in
        let a = try store.dataset(NodePath("a"))
        let count = a.grid.chunkCount
        try a.resized(to: [4 * (count + 1)]).put(count, 7)
      }
    ),
    (
      "a new data set",
      { store in
        if store.nodes(below: .root).contains("new/x") { return }
        try store.createDataset(NodePath("new/x"), row(chunks: 2)).put(1, 3)
      }
    ),
    (
      "a removal",
      { store in if store.nodes(below: .root).contains("new") { try store.remove(NodePath("new")) }
      }
    ),
    (
      "a replacement",
      { store in
        let x = try store.replaceDataset(NodePath("b"), row(chunks: 3))
        try x.put(2, Int32.random(in: 0...999))
      }
    ),
  ]

  private static func base() throws -> (CrashScript, DiskImage) {
    let script = CrashScript()
    try CrashScript.steps[0].run(script)
    let store = try script.open()
    for name in ["a", "b"] where store.nodes(below: .root).contains(name) {
      try store.remove(NodePath(name))
    }
    try store.commit()
    let a = try store.createDataset(
      NodePath("a"),
      .init(
        shape: [20], chunkShape: [4], dataType: .int32, maximumShape: [nil],
        compression: .init(filter: Filter.none)))
    for chunk in 0..<5 { try a.put(chunk, 1) }
    try store.createDataset(NodePath("b"), row(chunks: 3)).put(0, 2)
    try store.close()
    return (script, script.disk.core.state.withLock { $0.image })
  }

  /// A session of a writer, opened, committed and closed, before a call of the verification, and again every
  /// so many calls; every kind of change in turn.
  @Test(arguments: [true, false])
  func atEveryInstantOfTheVerification(quick: Bool) throws {
    let (_, image) = try Self.base()
    var cases = 0
    let step = CrashScale.isLong ? 1 : 9
    for (index, action) in Self.actions.enumerated() {
      for every in [Int.max, 60, 25] {
        for start in stride(from: 1 + index, to: 120, by: step) {
          let disk = SimulatedDisk(image)
          let store = disk.at(CrashScript.home)
          let state = Mutex((calls: 0, isWriting: false, done: 0))
          disk.core.beforeCall.withLock { hook in
            hook = {
              let isDue = state.withLock { state in
                if state.isWriting || state.done >= 40 { return false }
                state.calls += 1
                let since = state.calls - start
                guard since == 0 || since > 0 && since.isMultiple(of: every) else { return false }
                state.isWriting = true
                state.done += 1
                return true
              }
              if !isDue { return }
              defer { state.withLock { $0.isWriting = false } }
              do {
                let writer = try CrashScript.open(store, .readWrite)
                try action.body(writer)
                try writer.close()
              } catch { Issue.record("\(action.name): \(error)") }
            }
          }
          let what = "\(action.name) at call \(start), every \(every)"
          do { try Self.verify(store, quick: quick, what) } catch { Issue.record(error) }
          cases += 1
        }
      }
    }
    print("verify with writers at its instants: \(cases) cases")
  }
}

extension SlabStore {
  fileprivate func nodes(below _: NodePath) -> Set<String> {
    Set(
      nodes().map { node in
        switch node {
        case .group(let path, _): "\(path)"
        case .dataset(let info): "\(info.path)"
        }
      })
  }
}
