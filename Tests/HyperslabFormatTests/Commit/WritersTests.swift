import Dispatch
import HyperslabCodecs
import HyperslabCore
import SystemPackage
import Testing

@testable import HyperslabFormat

/// Several writers of one store, and several threads of one writer.
@Suite struct WritersTests {
  private let directory: TemporaryDirectory
  private var path: FilePath { directory.path.appending("x.slab") }
  private let x: NodePath

  init() throws {
    directory = try TemporaryDirectory()
    x = try NodePath("x")
  }

  private func create(chunks: Int = 4, filter: Filter? = Filter.none) throws {
    let store = try SlabStore.create(at: path)
    _ = try store.createDataset(x, row(chunks: chunks, filter: filter))
    try store.close()
  }

  private func open() throws -> SlabStore { try SlabStore.open(path, mode: .readWrite) }

  @Test func disjointChunksBothLand() throws {
    try create()
    let (a, b) = (try open(), try open())
    try a.dataset(x).put(0, 1)
    try b.dataset(x).put(1, 2)
    try a.commit()
    try b.commit()
    try a.dataset(x).put(2, 3)
    try b.dataset(x).put(3, 4)
    try b.close()
    try a.close()
    #expect(try firsts(path, "x") == [1, 2, 3, 4])
    let info = try SlabStore.open(path).dataset(x).info
    #expect(info.storedChunks == 4 && info.state == "complete")
    #expect(info.statistics.minimum == .signed(1) && info.statistics.maximum == .signed(4))
    #expect(try SlabStore.verify(path).ok)
  }

  @Test func theSecondOfOneChunkConflictsAndNothingOfItLands() throws {
    try create()
    let (a, b) = (try open(), try open())
    try a.dataset(x).put(0, 1)
    try b.dataset(x).put(1, 2)
    try b.dataset(x).put(0, 3)
    try a.commit()
    expectError(.conflict) { try b.commit() }
    #expect(try firsts(path, "x") == [1, nil, nil, nil])
    // Still so when it tries again, and when it gives up.
    expectError(.conflict) { try b.commit() }
    expectError(.conflict) { try b.close() }
    try a.close()
    #expect(try firsts(path, "x") == [1, nil, nil, nil])
    #expect(try SlabStore.verify(path).ok)
  }

  @Test func theSecondToOverwriteConflicts() throws {
    try create()
    let (a, b) = (try open(), try open())
    try a.dataset(x).put(0, 1)
    try a.commit()
    try b.refresh()
    let c = try open()
    try a.dataset(x).put(0, 2)
    try c.dataset(x).put(0, 3)
    try c.commit()
    expectError(.conflict) { try a.commit() }
    // What b sees now is not what it started from.
    try b.dataset(x).put(0, 4)
    expectError(.conflict) { try b.commit() }
    #expect(try firsts(path, "x")[0] == 3)
  }

  @Test func aDataSetCreatedTwiceConflicts() throws {
    try create()
    let (a, b) = (try open(), try open())
    let y = try NodePath("g/y")
    try a.createDataset(y, row(chunks: 1)).put(0, 1)
    try b.createDataset(y, row(chunks: 1)).put(0, 2)
    try a.commit()
    expectError(.conflict) { try b.commit() }
    #expect(try firsts(path, "g/y") == [1])
  }

  @Test func groupsMadeByBothAreShared() throws {
    try create()
    let (a, b) = (try open(), try open())
    try a.createDataset("g/a", row(chunks: 1)).put(0, 1)
    try b.createDataset("g/b", row(chunks: 1)).put(0, 2)
    try a.commit()
    try b.commit()
    #expect(try firsts(path, "g/a") == [1])
    #expect(try firsts(path, "g/b") == [2])
  }

  @Test func attributesOfBothLandAndTheLastWins() throws {
    try create()
    let (a, b) = (try open(), try open())
    try a.setAttribute("a", 1, of: x)
    try a.setAttribute("both", "a", of: x)
    try b.setAttribute("b", 2, of: x)
    try b.setAttribute("both", "b", of: x)
    try a.commit()
    try b.commit()
    try a.setAttribute("b", nil, of: x)
    try a.commit()
    let attributes = try SlabStore.open(path).node(x).attributes
    #expect(attributes == ["a": 1, "both": "b"])
  }

  /// Whoever comes second takes what the first created, without opening the store again.
  @Test func aDataSetOfAnotherIsWrittenAfterRefresh() throws {
    let a = try SlabStore.create(at: path)
    let b = try open()
    try a.createDataset(x, row(chunks: 2)).put(0, 1)
    try a.commit()
    expectError(.notFound) { _ = try b.dataset(x) }
    try b.refresh()
    let dataset = try b.dataset(x)
    try dataset.put(1, 2)
    try b.commit()
    #expect(try firsts(path, "x") == [1, 2])
    try a.dataset(x).put(1, 5)
    expectError(.conflict) { try a.commit() }
  }

  /// In the filter, or in whether blocks of the fill value are stored once.
  @Test(arguments: [
    BlockCoding(filter: .bitshuffle, blockByteCount: 65536),
    BlockCoding(filter: .shuffle, blockByteCount: 65536, repeatsFill: true),
    BlockCoding(filter: .shuffle, blockByteCount: 65536),
  ])
  func codingsChosenApartConflict(other: BlockCoding) throws {
    try create(filter: nil)
    let (a, b) = (try open(), try open())
    let mine = BlockCoding(filter: .shuffle, blockByteCount: 65536)
    for (store, coding) in [(a, mine), (b, other)] {
      let changes = try #require(store.changes)
      let record = try #require(store.snapshot.index.dataset(x))
      _ = try changes.settle(
        coding, slot: changes.slot(of: x, id: record.id), path: x, opened: record)
    }
    try a.dataset(x).put(0, Array(repeating: 7, count: 4))
    try a.commit()
    if other == mine { return try b.commit() }
    expectError(.conflict) { try b.commit() }
  }

  @Test func aReaderSeesOneCommitOrTheNext() throws {
    try create()
    let a = try open()
    for chunk in 0..<4 { try a.dataset(x).put(chunk, 1) }
    try a.commit()
    let reader = try SlabStore.open(path)
    let dataset = try reader.dataset(x)
    for value in 2...5 as ClosedRange<Int32> {
      for chunk in 0..<4 { try a.dataset(x).put(chunk, value) }
      #expect(try Set(dataset.read(Int32.self).elements) == [value - 1])
      try a.commit()
      #expect(try Set(dataset.read(Int32.self).elements) == [value])
    }
  }

  @Test func commitsWhileOtherThreadsWriteLoseNothing() throws {
    try create(chunks: 120)
    let store = try SlabStore.open(path, mode: .readWrite)
    let dataset = try store.dataset(x)
    for round in 1...3 as ClosedRange<Int32> {
      DispatchQueue.concurrentPerform(iterations: 120) { chunk in
        let value = round * 1000 + Int32(chunk)
        do {
          try dataset.put(chunk, value)
          if chunk % 7 == 0 { try store.commit() }
          let found = try dataset.read(Int32.self, [4 * chunk..<4 * chunk + 4]).elements
          #expect(found == Array(repeating: value, count: 4))
        } catch { Issue.record(error) }
      }
      try store.commit()
      let wanted = (0..<120).map { round * 1000 + Int32($0) as Int32? }
      #expect(try firsts(path, "x") == wanted)
    }
    try store.close()
    #expect(try SlabStore.verify(path).ok)
  }

  /// Even where the writer has since committed something else, and so knows of the successor.
  @Test func aHandleOfWhatAnotherReplacedWritesNothing() throws {
    let directory = try TemporaryDirectory()
    let path = directory.path.appending("x.slab")
    let made = try SlabStore.create(at: path)
    for name in ["x", "y"] { _ = try made.createDataset(NodePath(name), row(chunks: 4)) }
    try made.close()
    let first = try SlabStore.open(path, mode: .readWrite)
    let handle = try first.dataset("x")
    let second = try SlabStore.open(path, mode: .readWrite)
    try second.replaceDataset(NodePath("x"), row(chunks: 4)).put(0, 5)
    try second.commit()
    try first.dataset("y").put(0, 1)
    try first.commit()
    expectError(.snapshotChanged) { try handle.put(1, 99) }
    try first.commit()
    try first.close()
    try second.close()
    #expect(try firsts(path, "x") == [5, nil, nil, nil])
    #expect(try SlabStore.verify(path).ok)
  }
}
