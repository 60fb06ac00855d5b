import Dispatch
import Foundation
import Hyperslab
import Synchronization
import SystemPackage
import Testing

/// What must never wait for ever, and what must not be taken for damage.
@Suite struct TransactionMisuseTests {
  private let directory: TemporaryDirectory
  private let path: FilePath

  init() throws {
    directory = try TemporaryDirectory()
    path = directory.path.appending("s.slab")
  }

  private func rows(_ value: Int32, _ count: Int = 3) throws -> InMemorySource<Int32> {
    try InMemorySource(elements: [Int32](repeating: value, count: count * 4), shape: [count, 4])
  }

  private func makeStore() throws -> SlabStore {
    let store = try SlabStore.create(at: path)
    _ = try store.createDataset(
      "a",
      DatasetDescription(
        shape: [0, 4], chunkShape: [4, 4], dataType: .int32, maximumShape: [nil, 4]))
    try store.commit()
    _ = try store.append(try rows(0, 10), to: "a")
    return store
  }

  private func code(_ body: () throws -> Void) -> HyperslabError.Code? {
    do { try body() } catch { return (error as? HyperslabError)?.code }
    return nil
  }

  private func length() throws -> Int {
    try SlabStore.open(path).dataset("a").description.shape[0]
  }

  @Test func theStoresOwnAppendInATransactionThatAppended() throws {
    let store = try makeStore()
    try store.transaction { inner in
      _ = try inner.append(try rows(1), to: "a")
      #expect(code { _ = try store.append(try rows(2), to: "a") } == .conflict)
    }
    let nested = code {
      try store.transaction { inner in
        _ = try inner.append(try rows(1), to: "a")
        try store.transaction { other in _ = try other.append(try rows(2), to: "a") }
      }
    }
    #expect(nested == .conflict)
    _ = try store.append(try rows(3), to: "a")
    try store.close()
    #expect(try length() == 16)
  }

  /// What was committed is not told as failed, whatever was done through the store's handle and is not committed.
  @Test(arguments: ["remove", "replace"], [false, true])
  func whatIsCommittedIsTold(change: String, writes: Bool) throws {
    let store = try makeStore()
    let path = try NodePath("a")
    let isDone = Mutex(false)
    let description = try store.dataset("a").description
    let source = Watched(rows: 3) {
      let isFirst = isDone.withLock { isDone in
        defer { isDone = true }
        return !isDone
      }
      guard isFirst else { return }
      if change == "remove" {
        try store.remove(path)
      } else {
        _ = try store.replaceDataset(path, description)
      }
    }
    let written: SlabDataset
    if writes {
      let iterator = try GenericDataChunkIterator(source, chunkShape: [3, 4])
      written = try OverwritingStore(store).write(iterator, to: "a")
    } else {
      written = try store.append(source, to: "a")
    }
    #expect(written.description.shape == (writes ? [3, 4] : [13, 4]))
    #expect(
      try written.read(Int32.self, [2..<3, 0...]).elements
        == (writes ? [7, 7, 7, 7] : [0, 0, 0, 0]))
    #expect(code { _ = try written.resized(to: [1, 4]) } == .snapshotChanged)
    #expect(try length() == (writes ? 3 : 13))
    try? store.reload()
    try store.close()
  }

  /// A source that is of another shape each time it is asked.
  @Test(arguments: 1...9)
  func aSourceThatChangesItsShape(after: Int) throws {
    let store = try makeStore()
    let looks = Mutex(0)
    let source = Watched(rows: 3) {
    } shape: {
      let number = looks.withLock { looks in
        looks += 1
        return looks
      }
      return number <= after ? [3, 4] : []
    }
    _ = try? store.append(source, to: "a")
    try store.close()
    #expect(try SlabStore.verify(path).ok)
    #expect([10, 13].contains(try length()))
  }

  /// Two appends whose sources append to each other's data set.
  @Test(.timeLimit(.minutes(2))) func appendsInARing() throws {
    let store = try makeStore()
    _ = try store.createDataset(
      "b",
      DatasetDescription(
        shape: [0, 4], chunkShape: [4, 4], dataType: .int32, maximumShape: [nil, 4]))
    try store.commit()
    let inside = Mutex(0)
    let refused = Mutex(0)
    let group = DispatchGroup()
    for (own, others) in [("a", "b"), ("b", "a")] {
      DispatchQueue(label: own).async(group: group) {
        let source = Watched(rows: 2) {
          inside.withLock { $0 += 1 }
          while inside.withLock({ $0 < 2 }) { usleep(1000) }
          do { _ = try store.append(try rows(1), to: others) } catch {
            if (error as? HyperslabError)?.code == .conflict { refused.withLock { $0 += 1 } }
          }
        }
        _ = try? store.append(source, to: own)
      }
    }
    group.wait()
    #expect(refused.withLock { $0 } > 0)
    try store.close()
  }

  /// What is asked while an append waits for its turn may not wait behind it, nor may what is told of its
  /// progress.
  @Test(.timeLimit(.minutes(1))) func appendsFromCallbacks() throws {
    let store = try makeStore()
    let found = Mutex<[HyperslabError.Code?]>([])
    let isHeld = DispatchSemaphore(value: 0)
    let mayEnd = DispatchSemaphore(value: 0)
    DispatchQueue.global().async {
      try? store.operation(on: NodePath("a"), appends: true, checkWanted: {}) { _ in
        isHeld.signal()
        mayEnd.wait()
      }
    }
    isHeld.wait()
    var isAsked = false
    try store.operation(
      on: try NodePath("a"), appends: true,
      checkWanted: {
        if isAsked { return }
        isAsked = true
        let inner = code { _ = try store.append(try rows(1), to: "a") }
        found.withLock { $0.append(inner) }
        mayEnd.signal()
      }
    ) { _ in }
    _ = try store.append(
      try rows(2), to: "a",
      progress: { _ in
        let inner = code { _ = try store.append(try rows(1), to: "a") }
        found.withLock { $0.append(inner) }
      })
    try store.close()
    let codes = found.withLock { $0 }
    #expect(codes.count >= 2 && codes.allSatisfy { $0 == .conflict }, "\(codes)")
    #expect(try length() == 13)
  }

  @Test func aHandleOfATransactionThatIsOver() throws {
    let store = try makeStore()
    var leaked: SlabStore?
    try store.transaction { leaked = $0 }
    let handle = try #require(leaked)
    #expect(code { _ = try handle.append(try rows(1), to: "a") } == .closed)
    _ = try store.append(try rows(2), to: "a")
    try store.close()
    #expect(try length() == 13)
  }

  @Test func appendsOfOneTransactionFromManyThreads() throws {
    let store = try makeStore()
    let failures = Mutex<[String]>([])
    try store.transaction { inner in
      DispatchQueue.concurrentPerform(iterations: 6) { turn in
        do { _ = try inner.append(try rows(Int32(turn)), to: "a") } catch {
          failures.withLock { $0.append("\(error)") }
        }
      }
    }
    try store.close()
    #expect(failures.withLock { $0 }.isEmpty, "\(failures.withLock { $0 })")
    #expect(try length() == 28)
    #expect(try SlabStore.verify(path).ok)
  }

  /// Commits of one handle from several threads, beside operations that publish of their own.
  @Test func commitsOfOneHandleFromManyThreads() throws {
    let store = try makeStore()
    let failures = Mutex<[String]>([])
    DispatchQueue.concurrentPerform(iterations: 4) { worker in
      do {
        for turn in 0..<25 {
          switch worker {
          case 0: _ = try store.append(try rows(Int32(turn), 1), to: "a")
          case 1: try store.commit()
          default:
            try store.setAttribute("k\(worker)", .integer(turn), of: .root)
            try store.commit()
          }
        }
      } catch { failures.withLock { $0.append("\(error)") } }
    }
    try store.close()
    #expect(failures.withLock { $0 }.isEmpty, "\(failures.withLock { $0 })")
    #expect(try length() == 35)
    let root = try SlabStore.open(path).node(.root)
    #expect(root.attributes["k2"] == 24 && root.attributes["k3"] == 24)
  }

  /// A chunk written twice before a commit, and a commit that begins while the first file is removed.
  @Test func chunksWrittenTwiceBesideCommits() throws {
    let store = try SlabStore.create(at: path)
    let dataset = try store.createDataset(
      "w", DatasetDescription(shape: [8, 64], chunkShape: [1, 64], dataType: .int32))
    try store.commit()
    let layout = try #require(StridedLayout.rowMajor([1, 64], elementByteCount: 4))
    let isDone = Atomic(false)
    let failures = Mutex<[String]>([])
    DispatchQueue.concurrentPerform(iterations: 2) { worker in
      do {
        if worker == 0 {
          for turn in 0..<400 {
            for value in [turn, turn + 1] {
              let values = [Int32](repeating: Int32(value), count: 64)
              try dataset.writeChunk([turn % 3, 0], from: values.span.bytes, layout: layout)
            }
          }
          isDone.store(true, ordering: .releasing)
        } else {
          while !isDone.load(ordering: .acquiring) { try store.commit() }
        }
      } catch {
        failures.withLock { $0.append("\(error)") }
        isDone.store(true, ordering: .releasing)
      }
    }
    #expect(failures.withLock { $0 }.isEmpty, "\(failures.withLock { $0 })")
    try store.close()
    #expect(
      try SlabStore.open(path).dataset("w").read(Int32.self, [0..<1, 0..<1]).elements == [400])
    #expect(try SlabStore.verify(path).ok)
  }

  /// A read through the handle that writes begins again where a commit moved files under it.
  @Test func readsBesideOnesOwnAppends() throws {
    let store = try makeStore()
    let isDone = Atomic(false)
    let failures = Mutex<[String]>([])
    DispatchQueue.concurrentPerform(iterations: 2) { worker in
      do {
        if worker == 0 {
          for turn in 0..<60 { _ = try store.append(try rows(Int32(turn), 1), to: "a") }
          isDone.store(true, ordering: .releasing)
        } else {
          while !isDone.load(ordering: .acquiring) {
            let dataset = try store.dataset("a")
            _ = try dataset.read(Int32.self, [(dataset.description.shape[0] - 3)...])
          }
        }
      } catch {
        failures.withLock { $0.append("\(error)") }
        isDone.store(true, ordering: .releasing)
      }
    }
    try store.close()
    #expect(failures.withLock { $0 }.isEmpty, "\(failures.withLock { $0 })")
  }

  /// An index that nobody could read back would take every other data set with it.
  @Test func aMaximumThatCannotBeReadBackIsRefused() throws {
    let store = try makeStore()
    for length in [Int.max, 1 << 62] {
      let description = DatasetDescription(
        shape: [10], chunkShape: [5], dataType: .int32, maximumShape: [length])
      #expect(code { _ = try store.createDataset("m", description) } == .limit)
    }
    try store.close()
    #expect(try length() == 10)
  }
}

/// Rows of sevens, with something done at each read.
private final class Watched: DataChunkSource {
  let rows: Int
  let dataType = DataType.int32
  private let work: @Sendable () throws -> Void
  private let tell: @Sendable () -> Shape

  init(
    rows: Int, _ work: @escaping @Sendable () throws -> Void,
    shape: (@Sendable () -> Shape)? = nil
  ) {
    self.rows = rows
    self.work = work
    tell = shape ?? { [rows, 4] }
  }

  var shape: Shape { tell() }

  func read(_ selection: Selection, into output: inout OutputRawSpan) throws {
    try work()
    for _ in 0..<(selection.shape.elementCount ?? 0) { output.append(Int32(7), as: Int32.self) }
  }
}
