import HyperslabCore
import HyperslabIteration
import SystemPackage
import Testing

@testable import HyperslabFormat

/// Operations of a handle that has not looked at what another writer committed.
@Suite struct StaleHandleTests {
  private let directory: TemporaryDirectory
  private var path: FilePath { directory.path.appending("s.slab") }

  init() throws { directory = try TemporaryDirectory() }

  /// Two handles, of which the second has not seen that the first wrote 14 elements in chunks of five.
  private func open() throws -> (writer: SlabStore, stale: SlabStore) {
    let writer = try SlabStore.create(at: path)
    let dataset = try writer.createDataset(
      "x",
      DatasetDescription(
        shape: [14], chunkShape: [5], dataType: .int32, maximumShape: [nil],
        compression: .init(filter: Filter.none)))
    try writer.commit()
    let stale = try SlabStore.open(path, mode: .readWrite)
    try writeAll((100..<114).map { Int32($0) }, to: dataset)
    try writer.commit()
    return (writer, stale)
  }

  private func values() throws -> [Int32] {
    try SlabStore.open(path).dataset("x").read(Int32.self, missing: .fill).elements
  }

  /// Shrinking rewrites the chunks that it cuts, and so must know of them.
  @Test(arguments: [0, 4, 7, 11, 13])
  func shrinkingMeetsChunksThatItCuts(length: Int) throws {
    let (writer, stale) = try open()
    _ = try stale.resizeDataset(try NodePath("x"), to: [length])
    expectError(.conflict) { try stale.commit() }
    try stale.reload()
    _ = try stale.resizeDataset(try NodePath("x"), to: [length])
    try stale.commit()
    _ = try stale.resizeDataset(try NodePath("x"), to: [14])
    try stale.close()
    try writer.close()
    let kept = (100..<100 + length).map { Int32($0) }
    #expect(try values() == kept + Array(repeating: 0, count: 14 - length))
    let report = try SlabStore.verify(path)
    #expect(report.ok, "\(report.problems)")
  }

  /// A transaction begins with the newest commit.
  @Test func aTransactionSeesWhatThereIs() throws {
    let (writer, stale) = try open()
    try stale.transaction { _ = try $0.resizeDataset(try NodePath("x"), to: [11]) }
    try stale.transaction { _ = try $0.resizeDataset(try NodePath("x"), to: [14]) }
    try stale.close()
    try writer.close()
    #expect(try values() == (100..<111).map { Int32($0) } + [0, 0, 0])
    #expect(try SlabStore.verify(path).ok)
  }

  /// So does an append, which completes the last chunk.
  @Test(arguments: [false, true])
  func anAppendFindsTheLastChunk(inTransaction: Bool) throws {
    let (writer, stale) = try open()
    let more = try InMemorySource(elements: [Int32(7), 8], shape: [2])
    if inTransaction {
      try stale.transaction { _ = try $0.append(more, to: "x") }
    } else {
      _ = try stale.append(more, to: "x")
    }
    try stale.close()
    try writer.close()
    #expect(try values() == (100..<114).map { Int32($0) } + [7, 8])
  }

  /// What another writer removed above a new group is made again; no index has a node in no group.
  @Test(arguments: [false, true])
  func aGroupBelowOneThatIsGone(inTransaction: Bool) throws {
    let store = try SlabStore.create(at: path)
    try store.createGroup(try NodePath("g"), attributes: [:])
    try store.commit()
    func remove() throws {
      let other = try SlabStore.open(path, mode: .readWrite)
      try other.remove(try NodePath("g"))
      try other.close()
    }
    if inTransaction {
      try store.transaction {
        try $0.createGroup(try NodePath("g/n"), attributes: [:])
        try remove()
      }
    } else {
      try store.createGroup(try NodePath("g/n"), attributes: [:])
      try remove()
    }
    try store.close()
    #expect(
      try SlabStore.open(path).nodes().map { "\($0.path)" } == ["", "g", "g/n"])
    let report = try SlabStore.verify(path)
    #expect(report.ok && report.zarrView == .same, "\(report)")
  }

  @Test func aGroupBelowWhatBecameADataset() throws {
    let store = try SlabStore.create(at: path)
    try store.createGroup(try NodePath("g"), attributes: [:])
    try store.commit()
    try store.createGroup(try NodePath("g/n"), attributes: [:])
    let other = try SlabStore.open(path, mode: .readWrite)
    try other.remove(try NodePath("g"))
    try other.commit()
    try other.createDataset("g", row(chunks: 1)).put(0, 1)
    try other.close()
    expectError(.conflict) { try store.commit() }
    try store.reload()
    try store.close()
    #expect(try firsts(path, "g") == [1])
  }

  /// An append in a transaction sees what others appended; what the transaction read of other data sets
  /// before is still held against the commit that it read.
  @Test func anAppendMovesNothingElse() throws {
    let (writer, stale) = try open()
    try writer.createDataset("y", row(chunks: 2)).put(0, 1)
    try writer.commit()
    expectError(.conflict) {
      try stale.transaction { inner in
        let read = try inner.dataset("y").firsts()
        try stale.transaction { try $0.dataset("y").put(0, 5) }
        _ = try inner.append(try InMemorySource(elements: [Int32(7)], shape: [1]), to: "x")
        try inner.dataset("y").put(0, Int32(1 + (read[0] ?? 0)))
      }
    }
    try stale.close()
    try writer.close()
    #expect(try firsts(path, "y") == [5, nil])
    #expect(try values().count == 14)
  }
}
