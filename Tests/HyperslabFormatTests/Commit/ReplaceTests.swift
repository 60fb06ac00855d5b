import HyperslabCore
import Synchronization
import SystemPackage
import Testing

@testable import HyperslabFormat

/// A data set built in the place of another.
@Suite struct ReplaceTests {
  private let directory: TemporaryDirectory
  private var path: FilePath { directory.path.appending("x.slab") }

  init() throws { directory = try TemporaryDirectory() }

  private func old(_ values: [Int32?]) throws {
    let store = try SlabStore.create(at: path)
    let dataset = try store.createDataset("x", row(chunks: values.count))
    for (chunk, value) in values.enumerated() {
      if let value { try dataset.put(chunk, value) }
    }
    try store.close()
  }

  /// Also one that stored nothing has something to be taken away: nothing of its successor.
  @Test(arguments: [[nil, nil], [0, nil], [1, 2], [3, nil]] as [[Int32?]])
  func successorStays(_ values: [Int32?]) throws {
    try old(values)
    let store = try SlabStore.open(path, mode: .readWrite)
    let dataset = try store.replaceDataset(try NodePath("x"), row(chunks: 3))
    try dataset.put(0, 7)
    try dataset.put(2, 9)
    #expect(try firsts(path, "x") == values, "the old values before the commit")
    try store.commit()
    #expect(try firsts(path, "x") == [7, nil, 9])
    try store.commit()
    try store.close()
    #expect(try firsts(path, "x") == [7, nil, 9])
    let again = try SlabStore.open(path, mode: .readWrite)
    #expect(try again.dataset("x").firsts() == [7, nil, 9])
    try again.close()
    let report = try SlabStore.verify(path)
    #expect(report.ok, "\(report.problems)")
    #expect(!report.leftovers.contains { $0.hasPrefix("__slab/trash") }, "\(report.leftovers)")
  }

  @Test func handlesOfTheOldReadTheOldUntilTheCommit() throws {
    try old([1, 2])
    let store = try SlabStore.open(path, mode: .readWrite)
    let before = try store.dataset("x")
    let after = try store.replaceDataset(try NodePath("x"), row(chunks: 2))
    try after.put(0, 7)
    #expect(try before.firsts() == [1, 2])
    #expect(try after.firsts() == [7, nil])
    expectError(.snapshotChanged) { try before.put(1, 5) }
    try store.commit()
    #expect(try after.firsts() == [7, nil])
    expectError(.snapshotChanged) { _ = try before.read(Int32.self) }
    try store.close()
    #expect(try firsts(path, "x") == [7, nil])
  }

  @Test func uncommittedChunksOfTheOldAreNotTheNews() throws {
    try old([1, 2])
    let store = try SlabStore.open(path, mode: .readWrite)
    try store.dataset("x").put(1, 6)
    let after = try store.replaceDataset(try NodePath("x"), row(chunks: 2))
    try after.put(0, 7)
    try store.close()
    #expect(try firsts(path, "x") == [7, nil])
  }

  @Test func whatAnotherWriterAddedIsNotReplacedUnseen() throws {
    try old([1, nil])
    let first = try SlabStore.open(path, mode: .readWrite)
    let second = try SlabStore.open(path, mode: .readWrite)
    let new = try first.replaceDataset(try NodePath("x"), row(chunks: 2))
    try new.put(0, 7)
    try second.dataset("x").put(1, 5)
    try second.commit()
    expectError(.conflict) { try first.commit() }
    #expect(try firsts(path, "x") == [1, 5])
  }

  @Test func aSecondReplacementByAnotherIsNoticedByTheFirstsHandle() throws {
    try old([1, 2])
    let first = try SlabStore.open(path, mode: .readWrite)
    let mine = try first.replaceDataset(try NodePath("x"), row(chunks: 2))
    try mine.put(0, 7)
    try first.commit()
    let second = try SlabStore.open(path, mode: .readWrite)
    let theirs = try second.replaceDataset(
      try NodePath("x"),
      DatasetDescription(shape: [8], chunkShape: [4], dataType: .float32))
    _ = theirs
    try second.commit()
    try first.refresh()
    expectError(.snapshotChanged) { _ = try mine.read(Int32.self) }
  }

  /// A writer that closes sweeps the trash at the moment when another one replaces.
  @Test func sweepingLeavesWhatAnotherWriterHasJustReplaced() throws {
    try old([1, 2])
    let zero = try SlabStore.open(path, mode: .readWrite)
    _ = try zero.createDataset("y", row(chunks: 1))
    try zero.close()
    let files = try FaultyFileSystem(root: path)
    let first = try SlabStore(path: path, files: files, mode: .readWrite, durability: .full)
    let second = try SlabStore.open(path, mode: .readWrite)
    try first.replaceDataset(try NodePath("y"), row(chunks: 1)).put(0, 3)
    try first.commit()
    try second.replaceDataset(try NodePath("x"), row(chunks: 2)).put(0, 7)
    let steps = Mutex((published: 0, done: false))
    files.fail { operation, path, _ in
      let isDue = steps.withLock { steps in
        if operation == .rename, path == StoreLayout.index { steps.published += 1 }
        let isSweep = operation == .list && path == StoreLayout.trash
        let isNext = isSweep || operation == .lock && path == StoreLayout.lock
        guard steps.published == 1, isNext, !steps.done else { return false }
        steps.done = true
        return true
      }
      if isDue { #expect(throws: Never.self) { try second.commit() } }
      return false
    }
    try first.close()
    let isDone = steps.withLock { $0.done }
    #expect(isDone)
    try second.close()
    #expect(try firsts(path, "x") == [7, nil])
    #expect(try firsts(path, "y") == [3])
  }

  @Test func groupsAndNothingCannotBeReplaced() throws {
    try old([1])
    let store = try SlabStore.open(path, mode: .readWrite)
    try store.createGroup("g")
    expectError(.wrongKind) { _ = try store.replaceDataset(try NodePath("g"), row(chunks: 1)) }
    let new = try store.replaceDataset(try NodePath("y"), row(chunks: 1))
    try new.put(0, 4)
    try store.close()
    #expect(try firsts(path, "y") == [4])
  }

  @Test func anEmptiedTrashCostsTheSuccessorNothing() throws {
    let directory = try TemporaryDirectory()
    let path = directory.path.appending("x.slab")
    let store = try SlabStore.create(at: path)
    try store.createDataset("x", row(chunks: 2)).put(0, 1)
    try store.commit()
    try store.replaceDataset(NodePath("x"), row(chunks: 2)).put(0, 2)
    try store.commit()
    try remove(path.appending("__slab/trash"))
    try SlabStore.open(path, mode: .readWrite).close()
    #expect(try firsts(path, "x") == [2, nil])
  }
}
