import Dispatch
import Foundation
import HyperslabCore
import Synchronization
import SystemPackage
import Testing

@testable import HyperslabFormat

/// Chunks that are written while a commit is made: they wait for nobody and belong to the next one.
@Suite struct BesideCommitTests {
  let directory: TemporaryDirectory
  var path: FilePath { directory.path.appending("x.slab") }
  /// What is committed at the start; chunk 7 stays.
  static let start: [Int32?] = [1, 2, 3, nil, nil, nil, nil, 8]

  init() throws {
    directory = try TemporaryDirectory()
    let store = try SlabStore.create(at: path)
    let dataset = try store.createDataset("x", row(chunks: 8))
    for (chunk, value) in Self.start.enumerated() {
      if let value { try dataset.put(chunk, value) }
    }
    try store.close()
  }

  /// Stages for a commit: an overwrite, a fill value, fresh chunks.
  func stageFirst(_ dataset: SlabDataset) throws {
    try dataset.put(0, 10)
    try dataset.put(1, 0)
    try dataset.put(3, 13)
    try dataset.put(4, 14)
  }
  static let first: [Int32?] = [10, 0, 3, 13, 14, nil, nil, 8]

  /// Stages beside that: each kind of chunk over each kind, some of them twice.
  func stageSecond(_ dataset: SlabDataset) throws {
    try dataset.put(0, 20)
    try dataset.put(1, 21)
    try dataset.put(2, 22)
    try dataset.put(3, 0)
    try dataset.put(5, 0)
    try dataset.put(5, 25)
    try dataset.put(5, 26)
    try dataset.put(6, 27)
    try dataset.put(6, 0)
  }
  static let second: [Int32?] = [20, 21, 22, 0, 14, 26, 0, 8]

  /// Runs `commit`, and `body` at one of its operations, by number; false where it has fewer.
  func during(
    _ number: Int, _ store: SlabStore, _ files: FaultyFileSystem,
    commit: () throws(HyperslabError) -> Void,
    _ body: @escaping @Sendable () throws -> Void
  ) throws -> Bool {
    let count = Atomic<Int>(0)
    files.fail { _, _, _ in
      guard store.isCommitting else { return false }
      if count.wrappingAdd(1, ordering: .relaxed).oldValue == number {
        #expect(throws: Never.self) { try body() }
      }
      return false
    }
    defer { files.fail(nil) }
    try commit()
    return count.load(ordering: .relaxed) > number
  }

  @Test func chunksOfAnyKindBelongToTheNextCommit() throws {
    var number = 0
    while true {
      let copy = directory.path.appending("\(number).slab")
      try copyTree(path, to: copy)
      let (store, files) = try openFaulty(copy)
      let dataset = try store.dataset("x")
      try stageFirst(dataset)
      let isReached = try during(
        number, store, files, commit: { () throws(HyperslabError) in try store.commit() },
        { try stageSecond(dataset) })
      #expect(try firsts(copy, "x") == Self.first)
      if !isReached { break }
      #expect(try dataset.firsts() == Self.second)
      try store.commit()
      #expect(try firsts(copy, "x") == Self.second)
      #expect(try leftovers(store) == ["lock"])
      try store.close()
      #expect(try firsts(copy, "x") == Self.second)
      #expect(try SlabStore.verify(copy).ok)
      number += 1
    }
    #expect(number > 20)
  }

  /// What a writer's directory holds.
  func leftovers(_ store: SlabStore) throws -> [String] {
    let session = try #require(store.session)
    return try session.files.list(StoreLayout.staging(writer: session.writer)).map(\.name)
      .filter { $0 != "placing" }
  }

  /// A commit on another thread, from its first operation of a kind to the end of `body`.
  private func committing(
    _ store: SlabStore, _ files: FaultyFileSystem, until operation: FaultyFileSystem.Operation,
    _ body: () throws -> Void
  ) throws {
    let (isThere, mayGoOn) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
    let isFirst = Atomic<Bool>(true)
    files.fail { kind, _, _ in
      guard kind == operation, store.isCommitting,
        isFirst.exchange(false, ordering: .relaxed)
      else { return false }
      isThere.signal()
      mayGoOn.wait()
      return false
    }
    let result = Mutex<Result<Void, HyperslabError>?>(nil)
    let isOver = DispatchSemaphore(value: 0)
    store.beginCommit { outcome in
      result.withLock { $0 = outcome }
      isOver.signal()
    }
    isThere.wait()
    defer { files.fail(nil) }
    do { try body() } catch {
      mayGoOn.signal()
      isOver.wait()
      throw error
    }
    #expect(result.withLock { $0 } == nil)
    mayGoOn.signal()
    isOver.wait()
    try result.withLock { $0 }?.get()
  }

  @Test(arguments: [FaultyFileSystem.Operation.lock, .rename, .link])
  func nobodyWaitsForACommit(_ operation: FaultyFileSystem.Operation) throws {
    let (store, files) = try openFaulty(path)
    let dataset = try store.dataset("x")
    try stageFirst(dataset)
    try committing(store, files, until: operation) {
      try stageSecond(dataset)
      #expect(try firsts(path, "x") == Self.start)
    }
    #expect(try firsts(path, "x") == Self.first)
    #expect(try dataset.firsts() == Self.second)
    try store.close()
    #expect(try firsts(path, "x") == Self.second)
    #expect(try SlabStore.verify(path).ok)
  }

  /// Chunks whose encoding began before the commit and ends while it is made, at several of its steps.
  @Test(arguments: [FaultyFileSystem.Operation.lock, .rename, .link])
  func aChunkBegunBeforeBelongsToTheNext(_ operation: FaultyFileSystem.Operation) throws {
    let (store, files) = try openFaulty(path)
    let dataset = try store.dataset("x")
    try dataset.put(3, 13)
    let goOn = DispatchSemaphore(value: 0)
    let (isBegun, isEnded) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
    files.fail { kind, path, _ in
      if kind == .write, path.name == "4" {
        isBegun.signal()
        goOn.wait()
      }
      return false
    }
    DispatchQueue(label: "encoder").async {
      #expect(throws: Never.self) { try dataset.put(4, 14) }
      isEnded.signal()
    }
    isBegun.wait()
    try committing(store, files, until: operation) {
      goOn.signal()
      isEnded.wait()
    }
    #expect(try firsts(path, "x") == [1, 2, 3, 13, nil, nil, nil, 8])
    try store.close()
    #expect(try firsts(path, "x") == [1, 2, 3, 13, 14, nil, nil, 8])
    #expect(try SlabStore.verify(path).ok)
  }

  @Test func whatIsNotAChunkWaits() throws {
    let (store, files) = try openFaulty(path)
    let dataset = try store.dataset("x")
    try stageFirst(dataset)
    let order = Mutex<[String]>([])
    let isOver = DispatchSemaphore(value: 0)
    try committing(store, files, until: .link) {
      DispatchQueue(label: "creator").async {
        #expect(throws: Never.self) { try store.createGroup("g") }
        order.withLock { $0.append("group") }
        isOver.signal()
      }
      try dataset.put(5, 25)
      order.withLock { $0.append("chunk") }
    }
    isOver.wait()
    #expect(order.withLock { $0 } == ["chunk", "group"])
    #expect(try !SlabStore.open(path).contains(NodePath("g")))
    try store.close()
    #expect(try SlabStore.open(path).contains(NodePath("g")))
    #expect(try firsts(path, "x") == Self.first.prefix(5) + [25, nil, 8])
  }

  /// Writing beside the commit that ends a session finds it closed, and loses nothing unseen.
  @Test func theLastCommitLetsNobodyIn() throws {
    let (store, files) = try openFaulty(path)
    let dataset = try store.dataset("x")
    try stageFirst(dataset)
    let refused = Mutex<HyperslabError?>(nil)
    let isOver = DispatchSemaphore(value: 0)
    let isFirst = Atomic<Bool>(true)
    files.fail { operation, path, _ in
      if operation == .rename, path == StoreLayout.index,
        isFirst.exchange(false, ordering: .relaxed)
      {
        DispatchQueue(label: "late").async {
          do { try dataset.put(5, 25) } catch { refused.withLock { $0 = error as? HyperslabError } }
          isOver.signal()
        }
      }
      return false
    }
    try store.close()
    files.fail(nil)
    isOver.wait()
    #expect(refused.withLock { $0?.code } == .closed)
    #expect(try firsts(path, "x") == Self.first)
  }

  @Test func aCommitMayBeBegunWhenOneIsOver() throws {
    let store = try SlabStore.open(path, mode: .readWrite)
    let dataset = try store.dataset("x")
    try dataset.put(3, 13)
    let isOver = DispatchSemaphore(value: 0)
    store.beginCommit { _ in
      #expect(throws: Never.self) { try dataset.put(4, 14) }
      store.beginCommit { _ in isOver.signal() }
    }
    #expect(isOver.wait(timeout: .now() + .seconds(60)) == .success)
    #expect(try firsts(path, "x") == [1, 2, 3, 13, 14, nil, nil, 8])
    try store.close()
  }

  @Test func reloadingSeesTheCommitThatWasBeingMade() throws {
    let (store, files) = try openFaulty(path)
    let dataset = try store.dataset("x")
    try dataset.put(3, 13)
    let (isWaiting, isOver) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
    try committing(store, files, until: .rename) {
      DispatchQueue(label: "reloader").async {
        isWaiting.signal()
        #expect(throws: Never.self) { try store.reload() }
        isOver.signal()
      }
      isWaiting.wait()
      usleep(20_000)
    }
    isOver.wait()
    #expect(try #require(store.changes).state.withLock { $0.base.commit } == store.commitNumber)
    try store.replaceDataset(NodePath("x"), row(chunks: 2)).put(0, 7)
    try store.commit()
    try store.close()
    #expect(try firsts(path, "x") == [7, nil])
  }

  /// Each thread writes rising numbers to chunks of its own while one commits: what is committed never
  /// falls, is never more than was written, and in the end is all of it.
  @Test func whatIsWrittenIsCommittedInTime() throws {
    let store = try SlabStore.open(path, mode: .readWrite)
    let dataset = try store.dataset("x")
    let written = Mutex(Self.start.map { $0 ?? 0 })
    let isOver = Atomic<Bool>(false)
    let group = DispatchGroup()
    for thread in 0..<4 {
      DispatchQueue(label: "writer \(thread)").async(group: group) {
        var value: Int32 = 8
        while !isOver.load(ordering: .relaxed) {
          value += 1
          for chunk in [2 * thread, 2 * thread + 1] {
            #expect(throws: Never.self) { try dataset.put(chunk, value) }
            written.withLock { $0[chunk] = value }
          }
        }
      }
    }
    var last = Array(repeating: Int32(0), count: 8)
    for _ in 0..<40 {
      let before = written.withLock { $0 }
      try store.commit()
      let found = try firsts(path, "x").map { $0 ?? 0 }
      let after = written.withLock { $0 }
      for chunk in 0..<8 {
        // Writing has ended before it is noted.
        #expect(found[chunk] >= Swift.max(before[chunk], last[chunk]))
        #expect(found[chunk] <= Swift.max(after[chunk], 8) + 1)
      }
      last = found
    }
    isOver.store(true, ordering: .relaxed)
    group.wait()
    try store.close()
    #expect(try firsts(path, "x").map { $0 ?? 0 } == written.withLock { $0 })
    #expect(try SlabStore.verify(path).ok)
  }
}

extension SlabStore {
  /// Whether a commit of what was written through this handle is being made.
  var isCommitting: Bool { changes?.state.withLockIfAvailable { $0.sealed != nil } ?? false }
}
