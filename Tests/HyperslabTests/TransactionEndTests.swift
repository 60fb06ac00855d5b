import Dispatch
import Hyperslab
import Synchronization
import SystemPackage
import Testing

/// What still runs when a transaction ends, and what is cancelled while it waits for its turn.
@Suite struct TransactionEndTests: Sendable {
  private let directory: TemporaryDirectory
  private var path: FilePath { directory.path.appending("s.slab") }

  init() throws { directory = try TemporaryDirectory() }

  /// Gives its rows when it is told to, and says when it is asked for them.
  private final class Gated: ArrayDataChunkSource {
    typealias Element = Int32
    let shape: Shape
    private let gated: Int
    private let isAsked = DispatchSemaphore(value: 0)
    private let gate = DispatchSemaphore(value: 0)

    /// - Parameter row: From which row on it waits.
    init(rows: Int, from row: Int) {
      shape = [rows]
      gated = row
    }

    func data(_ selection: Selection) -> [Int32] {
      if selection.bounds[0].upperBound > gated {
        isAsked.signal()
        gate.wait()
        gate.signal()
      }
      return selection.bounds[0].map { Int32($0) }
    }

    func waitUntilAsked() { isAsked.wait() }
    func open() { gate.signal() }
  }

  private func makeStore() throws -> SlabStore {
    let store = try SlabStore.create(at: path)
    for name in ["raw", "other"] {
      _ = try store.createDataset(
        name,
        DatasetDescription(
          shape: [0], chunkShape: [4], dataType: .int32, maximumShape: [nil]))
    }
    try store.commit()
    return store
  }

  private func column(_ values: Range<Int32>) throws -> InMemorySource<Int32> {
    try InMemorySource(elements: Array(values), shape: [values.count])
  }

  private func length(_ name: String) throws -> Int {
    try SlabStore.open(path).dataset(name).description.shape[0]
  }

  private func code(_ body: () throws -> Void) -> HyperslabError.Code? {
    do { try body() } catch { return (error as? HyperslabError)?.code }
    return nil
  }

  /// Runs work on a thread of its own.
  private func start(
    _ body: @escaping @Sendable () throws -> Void
  ) -> (group: DispatchGroup, code: @Sendable () -> HyperslabError.Code?) {
    let result = Shared<HyperslabError.Code?>(nil)
    let group = DispatchGroup()
    DispatchQueue(label: "task").async(group: group) {
      do { try body() } catch { result.set((error as? HyperslabError)?.code) }
    }
    return (group, { result.value })
  }

  private final class Shared<Value: Sendable>: Sendable {
    private let state: Mutex<Value>
    init(_ value: Value) { state = Mutex(value) }
    var value: Value { state.withLock { $0 } }
    func set(_ value: Value) { state.withLock { $0 = value } }
  }

  // MARK: - Ending

  /// An append of two buffers, of which one is written when the transaction ends.
  @Test(arguments: [true, false])
  func aTransactionThatEndsBeforeItsAppend(throwing: Bool) throws {
    struct Stop: Error {}
    let store = try makeStore()
    let source = Gated(rows: 16, from: 8)
    let running = Shared<(DispatchGroup, @Sendable () -> HyperslabError.Code?)?>(nil)
    let end = code {
      try store.transaction { inner in
        try inner.append(try column(0..<8), to: "other")
        running.set(
          start {
            _ = try inner.append(source, to: "raw", options: WriteOptions(memoryByteCount: 64))
          })
        source.waitUntilAsked()
        if throwing { throw Stop() }
      }
    }
    #expect(end == (throwing ? nil : .unfinished))
    let (group, failure) = try #require(running.value)
    source.open()
    group.wait()
    #expect(failure() == .closed)
    #expect(try length("raw") == 0)
    #expect(try length("other") == 0)
    // The store goes on.
    _ = try store.append(try column(0..<5), to: "raw")
    try store.transaction { inner in _ = try inner.append(try column(5..<8), to: "raw") }
    try store.close()
    #expect(
      try SlabStore.open(path).dataset("raw").read(Int32.self, [0...]).elements == Array(0..<8))
    let report = try SlabStore.verify(path)
    #expect(report.ok && report.leftovers.isEmpty, "\(report)")
  }

  /// What waits for its turn in a transaction ends with that.
  @Test func aTransactionThatEndsBeforeAnAppendHasItsTurn() throws {
    let store = try makeStore()
    let first = Gated(rows: 4, from: 0)
    let holder = start { _ = try store.append(first, to: "raw") }
    first.waitUntilAsked()
    let isBegun = DispatchSemaphore(value: 0)
    let waiting = Shared<(DispatchGroup, @Sendable () -> HyperslabError.Code?)?>(nil)
    let end = code {
      try store.transaction { inner in
        waiting.set(
          start {
            try inner.transaction { part in
              isBegun.signal()
              _ = try part.append(try column(0..<4), to: "raw")
            }
          })
        isBegun.wait()
      }
    }
    #expect(end == .unfinished)
    let (group, failure) = try #require(waiting.value)
    // The append that it waits for is still at work.
    group.wait()
    #expect(failure() == .closed)
    first.open()
    holder.group.wait()
    #expect(holder.code() == nil)
    try store.close()
    #expect(try length("raw") == 4)
  }

  /// Direct calls and inner transactions are parts, too.
  @Test func aTransactionThatEndsBeforeAnInnerOne() throws {
    let store = try makeStore()
    let (isInside, goesOn) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
    let running = Shared<(DispatchGroup, @Sendable () -> HyperslabError.Code?)?>(nil)
    let end = code {
      try store.transaction { inner in
        running.set(
          start {
            try inner.transaction { part in
              try part.setAttribute("a", 1, of: .root)
              isInside.signal()
              goesOn.wait()
              try? part.setAttribute("b", 2, of: .root)
            }
          })
        isInside.wait()
      }
    }
    #expect(end == .unfinished)
    goesOn.signal()
    let (group, failure) = try #require(running.value)
    group.wait()
    #expect(failure() == .closed)
    try store.close()
    #expect(try SlabStore.open(path).node(.root).attributes.isEmpty)
  }

  @Test func aTransactionThatWaitsForWhatItStarted() throws {
    let store = try makeStore()
    try store.transaction { inner in
      let parts = ["raw", "other"].map { name in
        start { _ = try inner.append(try column(0..<9), to: name) }
      }
      for part in parts {
        part.group.wait()
        #expect(part.code() == nil)
      }
    }
    try store.close()
    #expect(try length("raw") == 9)
    #expect(try length("other") == 9)
  }

  // MARK: - Cancelling

  /// The one that waits ends although the one before it does not.
  @Test func aCancelledAppendWaitsNoLonger() throws {
    let store = try makeStore()
    let first = Gated(rows: 4, from: 0)
    let holder = start { _ = try store.append(first, to: "raw") }
    first.waitUntilAsked()
    let cancellation = Cancellation()
    let waiting = start {
      _ = try store.append(
        try column(0..<4), to: "raw", options: WriteOptions(cancellation: cancellation))
    }
    let last = start { _ = try store.append(try column(4..<6), to: "raw") }
    cancellation.cancel()
    waiting.group.wait()
    #expect(waiting.code() == .cancelled)
    first.open()
    holder.group.wait()
    last.group.wait()
    #expect(holder.code() == nil && last.code() == nil)
    try store.close()
    #expect(
      try SlabStore.open(path).dataset("raw").read(Int32.self, [0...]).elements
        == [0, 1, 2, 3, 4, 5])
    #expect(try SlabStore.verify(path).leftovers.isEmpty)
  }

  @Test func aCancelledTaskWaitsNoLonger() async throws {
    let store = try makeStore()
    let first = Gated(rows: 4, from: 0)
    let holder = start { _ = try store.append(first, to: "raw") }
    first.waitUntilAsked()
    let task = Task { try store.append(try column(0..<4), to: "raw") }
    task.cancel()
    let result = await task.result
    #expect(throws: HyperslabError.self) { try result.get() }
    if case .failure(let error as HyperslabError) = result { #expect(error.code == .cancelled) }
    first.open()
    await withCheckedContinuation { done in
      holder.group.notify(queue: .global()) { done.resume() }
    }
    try store.close()
    #expect(try length("raw") == 4)
  }

  /// In a transaction, too, where the two are of one change set.
  @Test func aCancelledAppendOfATransactionSpoilsIt() throws {
    let store = try makeStore()
    let first = Gated(rows: 4, from: 0)
    let end = code {
      try store.transaction { inner in
        let holder = start { _ = try inner.append(first, to: "raw") }
        first.waitUntilAsked()
        let cancellation = Cancellation()
        let waiting = start {
          _ = try inner.append(
            try column(0..<4), to: "raw", options: WriteOptions(cancellation: cancellation))
        }
        cancellation.cancel()
        waiting.group.wait()
        #expect(waiting.code() == .cancelled)
        first.open()
        holder.group.wait()
      }
    }
    #expect(end == .cancelled)
    try store.close()
    #expect(try length("raw") == 0)
  }
}
