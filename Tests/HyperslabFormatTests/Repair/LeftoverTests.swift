import Foundation
import HyperslabCore
import SystemPackage
import Testing

@testable import HyperslabFormat

/// What commits leave that were killed or failed.
@Suite struct LeftoverTests {
  private let directory: TemporaryDirectory
  private var path: FilePath { directory.path.appending("x.slab") }

  init() throws {
    directory = try TemporaryDirectory()
    let store = try SlabStore.create(at: path)
    try store.createDataset("x", row(chunks: 2)).put(0, 1)
    try store.close()
  }

  private func files() throws -> [String] {
    try directory.files(in: path).filter { !$0.hasPrefix("__slab/") && !$0.hasSuffix("zarr.json") }
  }

  private func open() throws -> (SlabStore, FaultyFileSystem) {
    let files = try FaultyFileSystem(root: path)
    let store = try SlabStore(
      path: path, files: files, mode: .readWrite, durability: .full, synchronizerWidth: 0)
    return (store, files)
  }

  /// A first commit of a data set that dies at an operation; the copy of the store is as its process left
  /// it, the locks gone with it.
  private func killFirstCommit(
    _ name: String, at isLast: @escaping @Sendable (FaultyFileSystem.Operation, StorePath) -> Bool
  ) throws {
    let (store, faulty) = try open()
    let dataset = try store.createDataset(NodePath(name), row(chunks: 3))
    try dataset.put(0, 5)
    try dataset.put(2, 6)
    try kill(store, faulty, at: isLast)
  }

  private func kill(
    _ store: SlabStore, _ faulty: FaultyFileSystem,
    at isLast: @escaping @Sendable (FaultyFileSystem.Operation, StorePath) -> Bool
  ) throws {
    faulty.failAsIfKilled(from: isLast)
    expectError(.io) { try store.commit() }
    let copy = directory.path.appending("copy.slab")
    try copyTree(path, to: copy)
    faulty.fail(nil)
    withExtendedLifetime(store) {}
    try remove(path)
    try FileManager.default.moveItem(atPath: copy.string, toPath: path.string)
  }

  private func expectNothingLeft(_ what: String) throws {
    let store = try SlabStore.open(path, mode: .readWrite)
    try store.dataset("x").put(0, 2)
    try store.close()
    #expect(try files() == ["slab.json", "x/c/0"], "\(what)")
    let report = try SlabStore.verify(path)
    #expect(report.ok && report.problems.isEmpty, "\(what): \(report.problems)")
    let left = report.leftovers.filter { !$0.hasPrefix("__slab/t/") }
    #expect(left.isEmpty, "\(what): \(left)")
    #expect(
      !FileManager.default.fileExists(atPath: path.appending("new").string), "\(what)")
    #expect(try !SlabStore.repair(path).changed, "\(what)")
  }

  @Test func tenKilledFirstCommitsAndAnotherWriter() throws {
    for number in 0..<10 {
      try killFirstCommit("new/deep/d\(number)") { operation, path in
        operation == .rename && path == StoreLayout.index
      }
      let report = try SlabStore.verify(path)
      #expect(report.ok, "\(number): \(report.problems)")
    }
    try expectNothingLeft("killed")
  }

  @Test func killedAnywhere() throws {
    let points: [@Sendable (FaultyFileSystem.Operation, StorePath) -> Bool] = [
      { $0 == .link && $1.name.hasPrefix("root-") },
      { $0 == .rename && $1.components.first == "new" },
      { $0 == .synchronize && $1.components.first == "new" },
      { $0 == .create && $1.parent.parent == StoreLayout.tables },
      { $0 == .synchronize && $1.parent.parent == StoreLayout.tables },
      { $0 == .create && $1.name.hasPrefix("slab.json.tmp-") },
      { $0 == .synchronize && $1.name.hasPrefix("slab.json.tmp-") },
    ]
    for (number, point) in points.enumerated() {
      try killFirstCommit("new/deep/d", at: point)
      try expectNothingLeft("killed at point \(number)")
    }
  }

  /// A session that lives takes back what it placed.
  @Test func tenFailedFirstCommits() throws {
    for number in 0..<10 {
      let (store, faulty) = try open()
      try store.createDataset(NodePath("new/deep/d\(number)"), row(chunks: 3)).put(1, 5)
      faulty.fail { operation, path, _ in
        // As a full disk does.
        operation == .create && path.name.hasPrefix("slab.json.tmp-")
      }
      expectError(.io) { try store.commit() }
      faulty.fail(nil)
      #expect(try files() == ["slab.json", "x/c/0"], "\(number)")
      try? store.close()
    }
    try expectNothingLeft("failed")
  }

  /// It takes back no more than that.
  @Test func aFailedCommitKeepsWhatOthersPlaced() throws {
    let (store, faulty) = try open()
    try store.dataset("x").put(1, 5)
    faulty.fail { operation, path, _ in
      operation == .create && path.name.hasPrefix("slab.json.tmp-")
    }
    expectError(.io) { try store.commit() }
    faulty.fail(nil)
    #expect(try files() == ["slab.json", "x/c/0"])
    #expect(try firsts(path, "x") == [1, nil])
    try? store.close()
    try expectNothingLeft("failed")
  }

  /// The claim alone tells that there is something to look for, and the runs what.
  @Test func withoutTheWritersDirectory() throws {
    try killFirstCommit("new/deep/d") { operation, path in
      operation == .rename && path == StoreLayout.index
    }
    for writer in try FileManager.default.contentsOfDirectory(
      atPath: path.appending("__slab/w").string)
    {
      try remove(path.appending("__slab/w").appending(writer))
    }
    try SlabStore.open(path, mode: .readWrite).close()
    #expect(try files() == ["slab.json", "x/c/0"])
    let lost = try directory.files(in: path).filter { $0.hasPrefix("__slab/lost/") }
    #expect(lost.isEmpty, "\(lost)")
    #expect(try SlabStore.verify(path).ok)
  }

  /// Put back from a backup meanwhile: it is not what the writer placed, whenever it came.
  @Test func aChunkThatSomebodyPutThereIsNotSwept() throws {
    let (store, faulty) = try open()
    try store.dataset("x").put(1, 5)
    try kill(store, faulty) { $0 == .rename && $1 == StoreLayout.index }
    let left = try files().filter { !$0.hasPrefix("slab.json.tmp-") }
    #expect(left == ["slab.json", "x/c/0", "x/c/1"], "\(left)")
    let own = try contents(path.appending("x/c/0"))
    try write(own, to: path.appending("x/c/1"))
    try SlabStore.open(path, mode: .readWrite).close()
    #expect(try contents(path.appending("x/c/1")) == own)
    #expect(try SlabStore.adopt(path).taken.map(\.chunk) == [[1]])
    #expect(try firsts(path, "x") == [1, 1])
    #expect(try SlabStore.verify(path).ok)
  }

  /// A copy of a data set that a user made is in no run.
  @Test func aCopyInTheStoreIsNotSwept() throws {
    try copyTree(path.appending("x"), to: path.appending("x copy"))
    try killFirstCommit("new/deep/d") { operation, path in
      operation == .rename && path == StoreLayout.index
    }
    try SlabStore.open(path, mode: .readWrite).close()
    #expect(try files() == ["slab.json", "x copy/c/0", "x/c/0"])
    // Nothing explains it: it is told, and put aside if it is asked for.
    #expect(try SlabStore.verify(path).problems.map(\.kind) == [.orphan])
    let report = try SlabStore.repair(path)
    #expect(report.ok && report.actions.map(\.path) == ["x copy"], "\(report)")
    #expect(try directory.files(in: path).count { $0.hasPrefix("__slab/lost/") } == 2)
  }

  /// In the place of a chunk that died unlisted, something else.
  @Test func whatIsNotOursStaysWhereADeadWriterWas() throws {
    try killFirstCommit("new/deep/d") { operation, path in
      operation == .rename && path == StoreLayout.index
    }
    try write(Array("notes".utf8), to: path.appending("new/deep/d/c/1"))
    try SlabStore.open(path, mode: .readWrite).close()
    #expect(try files() == ["new/deep/d/c/1", "slab.json", "x/c/0"])
    #expect(try SlabStore.verify(path).problems.map(\.kind) == [.foreign])
  }
}
