import Dispatch
import HyperslabCore
import Synchronization
import Testing

@testable import HyperslabFormat

/// Commits that are refused or fail while chunks are staged beside them, and staging that fails.
extension BesideCommitTests {
  @Test func aCommitThatIsRefusedKeepsBoth() throws {
    for number in 0..<3 {
      let (store, files) = try openFaulty(path)
      let dataset = try store.dataset("x")
      try stageFirst(dataset)
      let other = try SlabStore.open(path, mode: .readWrite)
      try other.dataset("x").put(7, Int32(90 + number))
      try dataset.put(7, 70)
      try other.close()
      let isReached = try during(
        number, store, files,
        commit: { () throws(HyperslabError) in
          do throws(HyperslabError) {
            try store.commit()
            Issue.record("the second writer of a chunk was let in")
          } catch { #expect(error.code == .conflict) }
        }, { try stageSecond(dataset) })
      #expect(isReached)
      #expect(try dataset.firsts() == Self.second.dropLast() + [70])
      try store.reload()
      try store.close()
      #expect(try firsts(path, "x") == Self.start.dropLast() + [Int32(90 + number)])
      #expect(try SlabStore.verify(path).ok)
    }
  }

  @Test func aCommitThatCouldNotBeginIsMadeWithBoth() throws {
    let (store, files) = try openFaulty(path)
    let dataset = try store.dataset("x")
    try stageFirst(dataset)
    let isDone = Atomic<Bool>(false)
    files.fail { operation, path, _ in
      guard operation == .lock, !isDone.exchange(true, ordering: .relaxed) else { return false }
      #expect(throws: Never.self) { try stageSecond(dataset) }
      return true
    }
    expectError(.io) { try store.commit() }
    files.fail(nil)
    #expect(try firsts(path, "x") == Self.start)
    try store.commit()
    #expect(try firsts(path, "x") == Self.second)
    #expect(try leftovers(store) == ["lock"])
    try store.close()
    #expect(try SlabStore.verify(path).ok)
  }

  @Test func aCommitThatFailsHalfwayTakesThemAlong() throws {
    let (store, files) = try openFaulty(path)
    let dataset = try store.dataset("x")
    try stageFirst(dataset)
    files.fail { operation, path, _ in
      guard operation == .rename, path == StoreLayout.index else { return false }
      #expect(throws: Never.self) { try stageSecond(dataset) }
      return true
    }
    expectError(.io) { try store.commit() }
    files.fail(nil)
    expectError(.poisoned) { try dataset.put(6, 1) }
    expectError(.poisoned) { try store.commit() }
    try? store.close()
    let next = try SlabStore.open(path, mode: .readWrite)
    #expect(try next.dataset("x").firsts() == Self.start)
    try next.close()
    let report = try SlabStore.verify(path)
    #expect(report.ok, "\(report.problems)")
  }

  /// What is staged beside a commit was made against the index before it, and so without what another writer
  /// committed in between.
  @Test func whatAnotherWriterWroteInBetweenIsNotOverwritten() throws {
    let (store, files) = try openFaulty(path)
    let dataset = try store.dataset("x")
    try stageFirst(dataset)
    let other = try SlabStore.open(path, mode: .readWrite)
    let isDone = Atomic<Bool>(false)
    files.fail { operation, _, _ in
      guard operation == .lock, !isDone.exchange(true, ordering: .relaxed) else { return false }
      #expect(throws: Never.self) {
        try other.dataset("x").put(7, 90)
        try other.close()
        try dataset.put(7, 70)
      }
      return false
    }
    try store.commit()
    files.fail(nil)
    let isReached = isDone.load(ordering: .relaxed)
    #expect(isReached)
    expectError(.conflict) { try store.commit() }
    expectError(.conflict) { try dataset.put(6, 1) }
    #expect(try firsts(path, "x").last == 90)
    try store.reload()
    try store.close()
    #expect(try firsts(path, "x").last == 90)
    #expect(try SlabStore.verify(path).ok)
  }

  /// A chunk begun beside a commit that is then refused fails, and its file cannot be removed: no later
  /// commit may take it along.
  @Test func aStrayOfTheNextBatchStaysBehind() throws {
    let square = directory.path.appending("square.slab")
    let made = try SlabStore.create(at: square)
    _ = try made.createDataset(
      "x", DatasetDescription(shape: [4, 4], chunkShape: [2, 2], dataType: .int32))
    try made.close()
    let (store, files) = try openFaulty(square)
    let dataset = try store.dataset("x")
    @Sendable func put(_ chunk: ChunkIndex, _ value: Int32) throws {
      let layout = StridedLayout(shape: [2, 2], byteStrides: [8, 4])
      try [value, value, value, value].withUnsafeBytes {
        try dataset.writeChunk(chunk, from: $0.bytes, layout: layout)
      }
    }
    try put([0, 0], 1)
    let isLocked = Atomic<Bool>(false)
    let (isBegun, mayFail) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
    let isOver = DispatchSemaphore(value: 0)
    files.fail { operation, path, _ in
      if operation == .lock, !isLocked.exchange(true, ordering: .relaxed) {
        DispatchQueue(label: "encoder").async {
          expectError(.io) { try put([1, 1], 2) }
          isOver.signal()
        }
        isBegun.wait()
        return true
      }
      guard path.components.suffix(2) == ["1", "1"] else { return false }
      if operation == .synchronize {
        isBegun.signal()
        mayFail.wait()
        return true
      }
      return operation == .remove
    }
    expectError(.io) { try store.commit() }
    mayFail.signal()
    isOver.wait()
    files.fail(nil)
    try store.commit()
    try put([1, 0], 3)
    try store.commit()
    try store.close()
    let report = try SlabStore.verify(square)
    #expect(report.ok, "\(report.problems)")
  }
}
