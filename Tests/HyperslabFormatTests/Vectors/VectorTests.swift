import Foundation
import HyperslabCore
import HyperslabFormat
import HyperslabTestSupport
import SystemPackage
import Testing

/// The Spec as a test: every store of `Spec/vectors` as this library reads it.
/// `Tools/checks/vectors.py` runs the same with a reader of its own.
@Suite struct VectorTests {
  private func digest(_ bytes: [UInt8]) -> String {
    var hash = SHA256()
    hash.update(bytes)
    return hash.hexDigest()
  }

  private func bytes(_ golden: GoldenDataset, in store: SlabStore) throws -> [UInt8] {
    try store.dataset(NodePath(golden.path)).readBytes(golden.box, missing: .fill).bytes
  }

  private func states(_ golden: GoldenDataset, of dataset: SlabDataset) throws -> String {
    try dataset.grid.chunks(touching: Selection(golden.box)).map { chunk in
      switch try dataset.state(of: chunk) {
      case .stored: "s"
      case .fill: "f"
      case .neverWritten: "n"
      }
    }.joined()
  }

  /// Checks all data sets of a golden store; returns what they hold.
  @discardableResult
  private func checkGolden(_ name: String, at path: FilePath) throws -> [String: [UInt8]] {
    let store = try SlabStore.open(path)
    var values: [String: [UInt8]] = [:]
    for golden in StoreVectors.golden where golden.store == name {
      do {
        let dataset = try store.dataset(NodePath(golden.path))
        #expect(dataset.description.dataType.rawValue == golden.dataType, "\(golden.id)")
        #expect(dataset.description.shape == golden.shape, "\(golden.id)")
        let found = try bytes(golden, in: store)
        #expect(digest(found) == golden.digest, "\(golden.id): values")
        #expect(try states(golden, of: dataset) == golden.states, "\(golden.id): states")
        values[golden.path] = found
      } catch { Issue.record("\(golden.id): \(error)") }
    }
    return values
  }

  private func expect(
    _ code: String, _ id: String, sourceLocation: SourceLocation = #_sourceLocation,
    _ body: () throws -> Void
  ) {
    do {
      try body()
      Issue.record("\(id): not refused, \(code) expected", sourceLocation: sourceLocation)
    } catch {
      let found = (error as? HyperslabError)?.code.rawValue
      #expect(found == code, "\(id): \(error)", sourceLocation: sourceLocation)
    }
  }

  @Test func goldenStoresReadAsTheyWereWritten() throws {
    #expect(StoreVectors.golden.count >= 300)
    var count = 0
    for name in StoreVectors.stores {
      count += try checkGolden(name, at: StoreVectors.path(of: name)).count
      let report = try SlabStore.verify(StoreVectors.path(of: name))
      #expect(report.ok, "\(name): \(report.problems)")
    }
    print("vectors: \(count) valid")
  }

  /// Recovery finishes what the store `pending` was killed in, and changes no value of any.
  @Test func goldenStoresOpenForWriting() throws {
    let directory = try TemporaryDirectory()
    for name in StoreVectors.stores {
      let path = directory.path.appending(name)
      try copyTree(StoreVectors.path(of: name), to: path)
      let store = try SlabStore.open(path, mode: .readWrite)
      try store.setAttribute("touched", true, of: .root)
      try store.close()
      try checkGolden(name, at: path)
      let report = try SlabStore.verify(path)
      #expect(report.ok, "\(name): \(report.problems)")
      #expect(!FileManager.default.fileExists(atPath: "\(path)/gone/inside/c"))
    }
  }

  @Test func variantsReadLikeTheirOriginals() throws {
    try forEachEdited(StoreVectors.variants) { vector, path, golden in
      try checkReads(vector, path, golden)
      let problems = try SlabStore.verify(path, threads: 1).problems.filter {
        !(vector.changesDerived && $0.kind == .stale || vector.changesTotals && $0.kind == .index)
      }
      #expect(problems.isEmpty, "\(vector.id): \(problems)")
      if let write = vector.write {
        expect(write, vector.id) { _ = try SlabStore.open(path, mode: .readWrite) }
      }
    }
    print("vectors: \(StoreVectors.variants.count) variants")
  }

  @Test func damageIsRefusedByItsName() throws {
    #expect(StoreVectors.invalid.count >= 200)
    try forEachEdited(StoreVectors.invalid) { vector, path, golden in
      if let open = vector.open {
        expect(open, vector.id) { _ = try SlabStore.open(path) }
      } else {
        try checkReads(vector, path, golden)
      }
      if vector.kind == nil, let open = vector.open {
        expect(open, "\(vector.id), verify") { _ = try SlabStore.verify(path, threads: 1) }
      } else {
        try checkVerdict(vector, SlabStore.verify(path, threads: 1))
      }
    }
    print("vectors: \(StoreVectors.invalid.count) invalid")
  }

  private func checkVerdict(_ vector: EditedStore, _ report: VerificationReport) throws {
    #expect(!report.problems.isEmpty, "\(vector.id): verify saw nothing")
    for problem in report.problems {
      #expect(problem.kind.rawValue == vector.kind, "\(vector.id): \(problem)")
    }
    if let file = vector.file {
      #expect(report.problems.contains { $0.path == file }, "\(vector.id): \(report.problems)")
    }
  }

  /// What the damage concerns is refused; everything else reads as ever.
  private func checkReads(
    _ vector: EditedStore, _ path: FilePath, _ golden: [String: [UInt8]]
  ) throws {
    let store: SlabStore
    do { store = try SlabStore.open(path) } catch {
      Issue.record("\(vector.id): \(error)")
      return
    }
    for dataset in StoreVectors.golden where dataset.store == vector.store {
      if vector.affected.contains(dataset.path) {
        expect(vector.read ?? "", vector.id) { _ = try bytes(dataset, in: store) }
      } else {
        do {
          let found = try bytes(dataset, in: store)
          #expect(found == golden[dataset.path], "\(vector.id): \(dataset.path)")
        } catch { Issue.record("\(vector.id): \(dataset.path): \(error)") }
      }
    }
  }

  private func forEachEdited(
    _ vectors: [EditedStore], _ body: (EditedStore, FilePath, [String: [UInt8]]) throws -> Void
  ) throws {
    let directory = try TemporaryDirectory()
    for name in Set(vectors.map(\.store)) {
      let original = StoreVectors.path(of: name)
      let path = directory.path.appending(name)
      try copyTree(original, to: path)
      let golden = try checkGolden(name, at: path)
      for vector in vectors where vector.store == name {
        for edit in vector.edits { try edit.apply(to: path) }
        try body(vector, path, golden)
        try StoreEdit.undo(vector.edits, in: path, original: original)
      }
      try checkGolden(name, at: path)
    }
  }
}
