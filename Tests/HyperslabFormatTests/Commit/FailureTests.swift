import HyperslabCore
import Synchronization
import SystemPackage
import Testing

@testable import HyperslabFormat

/// Commits that fail, and writers that are gone.
@Suite struct FailureTests {
  private let directory: TemporaryDirectory
  private var path: FilePath { directory.path.appending("x.slab") }
  private let x: NodePath

  init() throws {
    directory = try TemporaryDirectory()
    x = try NodePath("x")
  }

  private func create(_ values: [Int32]) throws {
    let store = try SlabStore.create(at: path)
    let dataset = try store.createDataset(x, row(chunks: values.count))
    for (chunk, value) in values.enumerated() { try dataset.put(chunk, value) }
    try store.close()
  }

  private func open() throws -> (SlabStore, FaultyFileSystem) { try openFaulty(path) }

  /// Every operation of an overwriting commit and its close fails in turn, once or from then on.
  @Test(arguments: [true, false])
  func everyFaultLeavesOneOfTheTwoCommits(lasting: Bool) throws {
    let old: [Int32?] = [1, 2, 3, nil]
    let new: [Int32?] = [5, 2, 0, 6]
    for number in 0..<200 {
      let directory = try TemporaryDirectory()
      let path = directory.path.appending("x.slab")
      let first = try SlabStore.create(at: path)
      let dataset = try first.createDataset(x, row(chunks: 4))
      for (chunk, value) in old.enumerated() { if let value { try dataset.put(chunk, value) } }
      try first.close()

      let (store, files) = try openFaulty(path)
      files.fail { _, _, count in lasting ? count >= number : count == number }
      var isCommitted = false
      var isClosed = false
      do {
        let dataset = try store.dataset(x)
        for (chunk, value) in new.enumerated() where value != old[chunk] {
          try dataset.put(chunk, value ?? 0)
        }
        try store.commit()
        isCommitted = true
      } catch { #expect(error is HyperslabError) }
      let fresh = try firsts(path, "x")
      #expect(isCommitted ? fresh == new : fresh == old || fresh == new, "fault \(number)")
      do {
        try store.close()
        isClosed = true
      } catch {}
      // Where a write failed, closing commits the others.
      let after = try firsts(path, "x")
      let isEither = zip(after, zip(old, new)).allSatisfy { $0 == $1.0 || $0 == $1.1 }
      #expect(after == fresh || (!isCommitted && isEither), "fault \(number), closed: \(after)")

      // A healed disk: the next writer recovers and goes on.
      let next = try SlabStore.open(path, mode: .readWrite)
      #expect(try next.dataset(x).firsts() == after, "fault \(number), recovered")
      try next.dataset(x).put(1, 8)
      try next.close()
      var wanted = after
      wanted[1] = 8
      #expect(try firsts(path, "x") == wanted, "fault \(number), next commit")
      let report = try SlabStore.verify(path)
      #expect(report.problems.isEmpty, "fault \(number): \(report.problems)")
      #expect(
        report.leftovers.allSatisfy { !$0.hasPrefix("__slab/w/") && !$0.hasPrefix("__slab/claim") },
        "fault \(number): \(report.leftovers)")
      if isCommitted, isClosed, files.operationCount <= number { return }
    }
    Issue.record("the faults did not come to an end")
  }

  @Test func afterAFailedFsyncNothingButReopeningHelps() throws {
    try create([1, 2])
    let (store, files) = try open()
    try store.dataset(x).put(0, 5)
    // The last one of the commit: the new index stands, and nobody knows for how long.
    let isRenamed = Atomic<Bool>(false)
    files.fail { operation, path, _ in
      if operation == .rename, path == StoreLayout.index {
        isRenamed.store(true, ordering: .relaxed)
      }
      return operation == .synchronize && path == .root && isRenamed.load(ordering: .relaxed)
    }
    expectError(.io) { try store.commit() }
    files.fail(nil)
    expectError(.poisoned) { try store.commit() }
    expectError(.poisoned) { try store.dataset(x).put(1, 6) }
    expectError(.poisoned) { try store.close() }
    // The index may be the new one, and then needs what is staged.
    #expect(try firsts(path, "x") == [5, 2])
    try SlabStore.open(path, mode: .readWrite).close()
    #expect(try firsts(path, "x") == [5, 2])
  }

  @Test func aFailedFsyncOfAnOlderCommitsOverwritesPoisons() throws {
    try create([1, 2])
    let (store, files) = try open()
    try store.dataset(x).put(0, 5)
    try store.commit()
    try store.dataset(x).put(1, 6)
    files.fail { operation, path, _ in
      operation == .synchronize && path == StorePath("x/c")
    }
    expectError(.io) { try store.commit() }
    files.fail(nil)
    expectError(.poisoned) { try store.commit() }
    #expect(try firsts(path, "x") == [5, 2])
  }

  @Test func aCloseKeepsWhatTheIndexWaitsFor() throws {
    try create([1, 2])
    let (store, files) = try open()
    try store.dataset(x).put(0, 5)
    files.fail { operation, path, _ in operation == .rename && path == StorePath("x/c/0") }
    try store.commit()
    try store.close()
    #expect(store.unsettled.keys.map { "\($0)" } == ["x"])
    #expect(try firsts(path, "x") == [5, 2])
    try SlabStore.open(path, mode: .readWrite).close()
    #expect(try firsts(path, "x") == [5, 2])
    let report = try SlabStore.verify(path)
    #expect(report.ok && report.leftovers.isEmpty, "\(report)")
  }

  /// Another program removes what is staged, once the index is published: that is told, and no success.
  @Test(arguments: [false, true])
  func whatIsRemovedBeforeItsPlaceIsTold(isReplaced: Bool) throws {
    try create([1, 2])
    let (store, files) = try open()
    let staging = path.appending("__slab/w")
    if isReplaced {
      let new = try store.replaceDataset(x, row(chunks: 2))
      for chunk in 0..<2 { try new.put(chunk, 7) }
    } else {
      try store.dataset(x).put(0, 5)
    }
    let index = try contents(path.appending("slab.json"))
    let place = path.appending("slab.json")
    let now = Mutex(false)
    files.fail { operation, _, _ in
      if operation == .synchronize, (try? contents(place)) != index {
        now.withLock { isDone in
          if !isDone { try? remove(staging) }
          isDone = true
        }
      }
      return false
    }
    expectError(.missing) { try store.commit() }
    #expect(now.withLock { $0 })
    files.fail(nil)
    expectError(.poisoned) { try store.commit() }
    try? store.close()
    #expect(try !SlabStore.verify(path).ok)
  }

  @Test func aWriteThatFailedIsTriedAgain() throws {
    try create([1])
    let (store, files) = try open()
    for operation in [FaultyFileSystem.Operation.write, .create, .synchronize] {
      files.fail { found, _, _ in found == operation }
      expectError(.io) { try store.dataset(x).put(0, 5) }
      files.fail(nil)
    }
    try store.dataset(x).put(0, 5)
    // A chunk that was staged before takes the place of that only when it is whole.
    for operation in [FaultyFileSystem.Operation.write, .create, .synchronize] {
      files.fail { found, _, _ in found == operation }
      expectError(.io) { try store.dataset(x).put(0, 7) }
      files.fail(nil)
      #expect(try store.dataset(x).firsts() == [5])
    }
    try store.dataset(x).put(0, 6)
    // Only the commit gives it the other one's name.
    files.fail { found, _, _ in found == .rename }
    expectError(.io) { try store.commit() }
    files.fail(nil)
    #expect(try store.dataset(x).firsts() == [6])
    #expect(try firsts(path, "x") == [1])
    try store.close()
    #expect(try firsts(path, "x") == [6])
  }

  @Test func aChunkNamedTwiceIsRefused() throws {
    try create([1, 2])
    let store = try SlabStore.open(path, mode: .readWrite)
    let layout = StridedLayout(shape: [4], byteStrides: [4])
    let parts = [1, 0, 1].map { PlacedChunk([$0], layout) }
    [Int32](repeating: 5, count: 4).withUnsafeBytes { memory in
      expectError(.invalidValue) { try store.dataset(x).writeChunks(parts, from: memory.bytes) }
    }
    try store.close()
    #expect(try firsts(path, "x") == [1, 2])
  }

  /// Every operation of a write of several chunks fails in turn: those that it recorded are there, the
  /// others are what they were, and all can be written again.
  @Test func chunksWrittenTogetherFailApart() throws {
    let (old, new) = ([5, 1, 2, nil] as [Int32?], [7, 8, 0, 9] as [Int32])
    let layout = StridedLayout(shape: [4], byteStrides: [4])
    let parts = (0..<4).map { chunk in
      PlacedChunk(
        [chunk], StridedLayout(shape: [4], byteOffset: 16 * chunk, byteStrides: layout.byteStrides))
    }
    let memory = new.flatMap { Array(repeating: $0, count: 4) }
    for number in 0..<200 {
      let directory = try TemporaryDirectory()
      let path = directory.path.appending("x.slab")
      let first = try SlabStore.create(at: path)
      let dataset = try first.createDataset(x, row(chunks: 4))
      for chunk in 0..<3 { try dataset.put(chunk, Int32(chunk)) }
      try first.close()

      let (store, files) = try openFaulty(path)
      let found = try store.dataset(x)
      // One was staged before, so that its file takes another's place.
      try found.put(0, 5)
      files.fail { _, _, count in count == number }
      let isWritten =
        (try? memory.withUnsafeBytes { try found.writeChunks(parts, from: $0.bytes) }) != nil
      let count = files.operationCount
      files.fail(nil)
      let values = try found.firsts()
      if isWritten {
        #expect(values == new, "fault \(number)")
      } else {
        let isEither = zip(values, zip(old, new)).allSatisfy { $0 == $1.0 || $0 == $1.1 }
        #expect(isEither, "fault \(number): \(values)")
        try memory.withUnsafeBytes { try found.writeChunks(parts, from: $0.bytes) }
      }
      try store.close()
      #expect(try firsts(path, "x") == new, "fault \(number), committed")
      let report = try SlabStore.verify(path)
      #expect(report.ok && report.leftovers.isEmpty, "fault \(number): \(report)")
      if count <= number { return }
    }
    Issue.record("the faults did not come to an end")
  }

  @Test func aWriterThatIsGoneLeavesItsLastCommit() throws {
    try create([1, 2])
    do {
      let store = try SlabStore.open(path, mode: .readWrite)
      try store.dataset(x).put(0, 5)
      try store.commit()
      try store.dataset(x).put(1, 6)
      _ = try store.createDataset("y", row(chunks: 1))
    }
    #expect(try firsts(path, "x") == [5, 2])
    let next = try SlabStore.open(path, mode: .readWrite)
    expectError(.notFound) { _ = try next.dataset("y") }
    try next.close()
    #expect(try firsts(path, "x") == [5, 2])
    let report = try SlabStore.verify(path)
    #expect(report.ok && report.leftovers.isEmpty, "\(report)")
  }

  @Test func anotherWriterThatLivesKeepsItsStagedChunks() throws {
    try create([1, 2])
    let store = try SlabStore.open(path, mode: .readWrite)
    try store.dataset(x).put(0, 5)
    try SlabStore.open(path, mode: .readWrite).close()
    try store.close()
    #expect(try firsts(path, "x") == [5, 2])
  }

  /// A commit that died between placing chunks and its index leaves files of another shape.
  @Test func leftFilesOfAnotherShapeAreNotInTheWay() throws {
    try create([1])
    for (shape, chunk) in [([8], [4]), ([], []), ([8, 8], [4, 4]), ([4], [4])] as [(Shape, Shape)] {
      let description = DatasetDescription(shape: shape, chunkShape: chunk, dataType: .uint8)
      let count = try #require(shape.elementCount)
      let files = try FaultyFileSystem(root: path)
      let store = try SlabStore(path: path, files: files, mode: .readWrite, durability: .full)
      try writeAll(
        [UInt8](repeating: 7, count: count), to: try store.createDataset("y", description))
      files.fail { operation, path, _ in operation == .rename && path == StoreLayout.index }
      expectError(.io) { try store.commit() }
    }
    let store = try SlabStore.open(path, mode: .readWrite)
    let y = try store.createDataset("y", row(chunks: 1))
    try y.put(0, 7)
    try store.close()
    #expect(try firsts(path, "y") == [7])
    try SlabStore.open(path, mode: .readWrite).close()
    #expect(try SlabStore.verify(path).ok)
  }

  @Test func claimsOfTheDeadAreTakenAndSwept() throws {
    try create([1])
    let number = try SlabStore.open(path).commitNumber
    let dead = #"{"writer": "00000000000000000000000000000000", "host": "nowhere", "pid": 1}"#
    let claim = path.appending("__slab/claim-\(number + 1)")
    let store = try SlabStore.open(path, mode: .readWrite)
    try store.dataset(x).put(0, 5)
    try write(Array(dead.utf8), to: claim)
    expectError(.locked) { try store.commit() }
    try write(Array(dead.utf8.prefix(20)), to: claim)
    try store.commit()
    try write(Array(dead.utf8), to: path.appending("__slab/claim-\(number)"))
    try store.close()
    try SlabStore.open(path, mode: .readWrite).close()
    #expect(try SlabStore.verify(path).leftovers.isEmpty)
  }

  /// Killed in a store that was complete, after its chunks took their names and before the commit.
  @Test func whatAKilledWriterPlacedIsNoDamage() throws {
    try create([1, 2])
    let (store, files) = try open()
    try store.createDataset("y", row(chunks: 1)).put(0, 5)
    files.failAsIfKilled { operation, path in operation == .rename && path == StoreLayout.index }
    expectError(.io) { try store.commit() }
    let copy = directory.path.appending("copy.slab")
    try copyTree(path, to: copy)
    #expect(try contents(copy.appending("y/c/0")).isEmpty == false)
    let report = try SlabStore.verify(copy)
    #expect(report.ok && report.leftovers.contains("y"), "\(report)")
    let next = try SlabStore.open(copy, mode: .readWrite)
    try next.createDataset("y", row(chunks: 2)).put(1, 6)
    try next.close()
    #expect(try firsts(copy, "y") == [nil, 6])
    #expect(try SlabStore.verify(copy).ok)
  }

  /// The next writer removes what was placed and never published, and nothing else.
  @Test func whatAKilledWriterPlacedInADataSetIsSwept() throws {
    let first = try SlabStore.create(at: path)
    try first.createDataset("x", row(chunks: 4)).put(0, 1)
    try first.close()
    let (store, files) = try open()
    try store.dataset(x).put(2, 5)
    files.failAsIfKilled { operation, path in operation == .rename && path == StoreLayout.index }
    expectError(.io) { try store.commit() }
    let copy = directory.path.appending("copy.slab")
    try copyTree(path, to: copy)
    #expect(try directory.files(in: copy).contains("x/c/2"))
    try SlabStore.open(copy, mode: .readWrite).close()
    #expect(try directory.files(in: copy).filter { $0.hasPrefix("x/c/") } == ["x/c/0"])
    #expect(try firsts(copy, "x") == [1, nil, nil, nil])
    let report = try SlabStore.verify(copy)
    #expect(report.ok, "\(report)")
  }
}
