import HyperslabCore
import HyperslabTestSupport
import SystemPackage
import Testing

@testable import HyperslabFormat

/// Random sequences of what a writer can do, against arrays in memory.
@Suite struct StoreModelTests {
  /// A data set of `int32` as it should read.
  private struct Model: Equatable {
    var values: [Int32?]
  }

  private func expectEqual(_ path: FilePath, _ model: [String: Model], _ what: String) throws {
    let store = try SlabStore.open(path)
    for (name, dataset) in model {
      #expect(try store.dataset(name).firsts() == dataset.values, "\(what), \(name)")
    }
    let names = Set(
      store.nodes().compactMap { if case .dataset(let info) = $0 { info.path.name } else { nil } })
    #expect(names == Set(model.keys), "\(what)")
  }

  @Test(arguments: 0..<25)
  func randomSequencesEqualTheModel(trial: Int) throws {
    var generator = SeededGenerator("store model", trial)
    let directory = try TemporaryDirectory()
    let path = directory.path.appending("x.slab")
    let full = generator.chance(1, in: 5)
    var store = try SlabStore.create(at: path, durability: full ? .full : .fast)
    var committed: [String: Model] = [:]
    var current = committed
    var history = ""
    for step in 0..<60 {
      let name = current.keys.sorted().randomElement(using: &generator)
      switch Int.random(in: 0..<20, using: &generator) {
      case 0 where current.count < 4:
        let chunks = Int.random(in: 0...6, using: &generator)
        history += " create d\(step)"
        let filter: Filter? = generator.chance(1, in: 2) ? nil : .shuffle
        _ = try store.createDataset("d\(step)", row(chunks: chunks, filter: filter))
        current["d\(step)"] = Model(values: Array(repeating: nil, count: chunks))
      case 1:
        guard let name, committed[name] != nil,
          (try? store.changes?.state.withLock { $0.changes.datasets[try NodePath(name)] }) == nil
        else { continue }
        let chunks = Int.random(in: 0...6, using: &generator)
        history += " replace \(name)"
        _ = try store.replaceDataset(try NodePath(name), row(chunks: chunks, filter: nil))
        current[name] = Model(values: Array(repeating: nil, count: chunks))
      case 2...13:
        guard let name, let count = current[name]?.values.count, count > 0 else { continue }
        let chunk = Int.random(in: 0..<count, using: &generator)
        let value = generator.chance(1, in: 4) ? 0 : Int32.random(in: 1...99, using: &generator)
        history += " \(name)[\(chunk)]=\(value)"
        let dataset = try store.dataset(name)
        try dataset.put(chunk, value)
        current[name]?.values[chunk] = value
        #expect(try dataset.firsts() == current[name]?.values, "\(history)")
      case 14...16:
        history += " commit"
        try store.commit()
        committed = current
        try expectEqual(path, committed, history)
      case 17:
        history += " close"
        try store.close()
        committed = current
        try expectEqual(path, committed, history)
        let report = try SlabStore.verify(path)
        #expect(report.ok, "\(history): \(report.problems)")
        store = try SlabStore.open(path, mode: .readWrite)
      case 18:
        // A copy of the directory is what a killed process leaves.
        history += " kill"
        let copy = directory.path.appending("copy\(step).slab")
        try copyTree(path, to: copy)
        try expectEqual(copy, committed, history)
        let recovered = try SlabStore.open(copy, mode: .readWrite)
        try recovered.close()
        try expectEqual(copy, committed, history)
        let report = try SlabStore.verify(copy)
        #expect(report.problems.isEmpty, "\(history): \(report.problems)")
      case 19:
        history += " drop"
        store = try SlabStore.open(path, mode: .readWrite)
        current = committed
        try expectEqual(path, committed, history)
      default: continue
      }
    }
    try store.close()
    try expectEqual(path, current, history)
    let report = try SlabStore.verify(path)
    #expect(report.ok, "\(history): \(report.problems)")
  }
}
