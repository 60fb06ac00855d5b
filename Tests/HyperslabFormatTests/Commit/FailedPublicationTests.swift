import HyperslabCore
import HyperslabIteration
import SystemPackage
import Testing

@testable import HyperslabFormat

/// A publication that fails on the disk: only what it was to publish is lost, where nothing of it is left;
/// whoever else writes through the same store goes on.
@Suite struct FailedPublicationTests {
  private let directory: TemporaryDirectory
  private var path: FilePath { directory.path.appending("x.slab") }

  init() throws { directory = try TemporaryDirectory() }

  /// Where a commit fails with nothing of it left: a run, the new index, a directory of new chunks, the
  /// first index that is kept.
  enum Step: String, CaseIterable, Sendable {
    case run, index, place, keep

    func isHit(_ operation: FaultyFileSystem.Operation, _ path: StorePath) -> Bool {
      switch self {
      case .run: operation == .write && path.description.hasPrefix("__slab/t/")
      case .index: operation == .write && path.description.hasPrefix("slab.json.tmp")
      case .place: operation == .rename && path.description.hasPrefix("b/c")
      case .keep: [.link, .create].contains(operation) && path.description.contains("root-")
      }
    }
  }

  private func open() throws -> (SlabStore, FaultyFileSystem) {
    let store = try SlabStore.create(at: path)
    try store.createDataset("a", row(chunks: 4)).put(0, 1)
    try store.close()
    return try openFaulty(path)
  }

  private func column(
    _ values: [Int32]
  ) throws -> GenericDataChunkIterator<InMemorySource<Int32>> {
    try GenericDataChunkIterator(
      InMemorySource(elements: values, shape: [values.count]))
  }

  private func checkWhole() throws {
    let report = try SlabStore.verify(path)
    #expect(report.ok && report.leftovers.isEmpty, "\(report)")
  }

  @Test(arguments: Step.allCases)
  func aWriteThatFailsLeavesTheStoreToOthers(_ step: Step) throws {
    let (store, files) = try open()
    files.fail { operation, path, _ in step.isHit(operation, path) }
    expectError(.io) { try store.write(try column([1, 2, 3, 4]), to: "b") }
    files.fail(nil)
    // Another write, an append of a transaction, and direct calls.
    try store.write(try column([5, 6, 7, 8]), to: "b")
    try store.transaction { inner in _ = try inner.write(try column([9]), to: "d") }
    try store.dataset("a").put(1, 2)
    try store.commit()
    try store.close()
    #expect(try SlabStore.open(path).dataset("b").read(Int32.self).elements == [5, 6, 7, 8])
    #expect(try SlabStore.open(path).dataset("d").read(Int32.self).elements == [9])
    #expect(try firsts(path, "a") == [1, 2, nil, nil])
    try checkWhole()
  }

  /// The changes of the store's own handle are lost, and say so until they are thrown away.
  @Test(arguments: Step.allCases)
  func aCommitThatFailsIsLostUntilReload(_ step: Step) throws {
    let (store, files) = try open()
    try store.createDataset("b", row(chunks: 2)).put(1, 5)
    files.fail { operation, path, _ in step.isHit(operation, path) }
    expectError(.io) { try store.commit() }
    files.fail(nil)
    do {
      try store.commit()
      Issue.record("what was lost was committed")
    } catch {
      #expect(error.code == .io)
      #expect(error.remedy?.contains("reload()") == true, "\(error)")
    }
    // Others go on meanwhile.
    try store.write(try column([9]), to: "d")
    try store.reload()
    try store.createDataset("b", row(chunks: 2)).put(0, 6)
    try store.commit()
    try store.close()
    #expect(try firsts(path, "b") == [6, nil])
    #expect(try SlabStore.open(path).dataset("d").read(Int32.self).elements == [9])
    try checkWhole()
  }

  /// A chunk file whose fsync fails on another thread is nobody else's.
  @Test func aFailedFsyncOfAStagedChunk() throws {
    let first = try SlabStore.create(at: path)
    try first.createDataset("a", row(chunks: 4)).put(0, 1)
    try first.close()
    let files = try FaultyFileSystem(root: path)
    let store = try SlabStore(path: path, files: files, mode: .readWrite, durability: .full)
    files.fail { operation, path, _ in
      operation == .synchronize && path.description.hasPrefix("__slab/w/") && path.depth > 4
    }
    try store.dataset("a").put(1, 2)
    expectError(.io) { try store.commit() }
    expectError(.io) { try store.write(try column([9]), to: "d") }
    files.fail(nil)
    expectError(.io) { try store.commit() }
    try store.write(try column([9]), to: "d")
    try store.reload()
    try store.dataset("a").put(1, 3)
    try store.commit()
    try store.close()
    #expect(try firsts(path, "a") == [1, 3, nil, nil])
    #expect(try SlabStore.open(path).dataset("d").read(Int32.self).elements == [9])
    try checkWhole()
  }

  /// Where nobody knows what the disk holds, nothing goes on, and the error says the way out.
  @Test func aFailedFsyncOfADirectoryEndsTheSession() throws {
    let (store, files) = try open()
    files.fail { operation, path, _ in
      operation == .synchronize && path.description.hasPrefix("b")
    }
    expectError(.io) { try store.write(try column([1, 2, 3, 4]), to: "b") }
    files.fail(nil)
    let iterator = try column([9])
    do throws(HyperslabError) {
      try store.write(iterator, to: "d")
      Issue.record("a poisoned session wrote")
    } catch {
      #expect(error.code == .poisoned)
      #expect(error.remedy?.contains("open it again") == true, "\(error)")
    }
    expectError(.poisoned) { try store.commit() }
    try? store.close()
    let next = try SlabStore.open(path, mode: .readWrite)
    try next.write(try column([9]), to: "d")
    try next.close()
    #expect(try SlabStore.open(path).dataset("d").read(Int32.self).elements == [9])
    try checkWhole()
  }
}
