import Dispatch
import Hyperslab
import Synchronization
import SystemPackage
import Testing

/// Writes, appends, direct calls and transactions of one store, from many tasks: each is published whole,
/// by itself, or not at all.
@Suite struct TransactionTests: Sendable {
  let directory: TemporaryDirectory
  var path: FilePath { directory.path.appending("x.slab") }

  init() throws { directory = try TemporaryDirectory() }

  func column(_ values: some Sequence<Int32>) throws -> InMemorySource<Int32> {
    let values = Array(values)
    return try InMemorySource(elements: values, shape: [values.count])
  }

  /// Makes an empty data set that may grow.
  func create(_ store: SlabStore, _ name: String, chunk: Int) throws {
    _ = try store.createDataset(
      name,
      DatasetDescription(
        shape: [0], chunkShape: [chunk], dataType: .int32, maximumShape: [nil]))
    try store.commit()
  }

  func values(_ name: String) throws -> [Int32] {
    try SlabStore.open(path).dataset(name).read(Int32.self, [0...]).elements
  }

  /// Runs work on threads of their own, and says what failed.
  func concurrently(_ count: Int, _ body: @escaping @Sendable (Int) throws -> Void) -> [String] {
    let failures = Mutex<[String]>([])
    let group = DispatchGroup()
    for number in 0..<count {
      DispatchQueue(label: "task \(number)").async(group: group) {
        do { try body(number) } catch { failures.withLock { $0.append("\(number): \(error)") } }
      }
    }
    group.wait()
    return failures.withLock { $0 }
  }

  /// Whole and part chunks: blocks as long as a chunk, and others.
  @Test(arguments: [10, 7, 23])
  func everyAcknowledgedAppendIsThereOnce(block: Int) throws {
    let store = try SlabStore.create(at: path)
    try create(store, "raw", chunk: 10)
    let failures = concurrently(4) { task in
      for number in 0..<12 {
        let first = Int32((task * 12 + number) * 1000)
        try store.append(try column(first..<first + Int32(block)), to: "raw")
      }
    }
    #expect(failures == [])
    try store.close()
    let found = try values("raw")
    #expect(found.count == 48 * block)
    var firsts: Set<Int32> = []
    for start in stride(from: 0, to: found.count, by: block) {
      let piece = found[start..<Swift.min(start + block, found.count)]
      #expect(Array(piece) == (0..<Int32(piece.count)).map { piece.first.unsafelyUnwrapped + $0 })
      firsts.insert(piece.first.unsafelyUnwrapped)
    }
    #expect(firsts == Set((0..<48).map { Int32($0 * 1000) }))
    #expect(try SlabStore.verify(path).ok)
  }

  @Test func appendsOfSeveralStoresTryAgain() throws {
    let first = try SlabStore.create(at: path)
    try create(first, "raw", chunk: 10)
    try first.close()
    let failures = concurrently(3) { task in
      let store = try SlabStore.open(path, mode: .readWrite)
      for number in 0..<8 {
        let first = Int32((task * 8 + number) * 1000)
        try store.append(try column(first..<first + 7), to: "raw")
      }
      try store.close()
    }
    #expect(failures == [])
    let found = try values("raw")
    #expect(found.count == 24 * 7)
    #expect(
      Set(stride(from: 0, to: found.count, by: 7).map { found[$0] })
        == Set((0..<24).map { Int32($0 * 1000) }))
    #expect(try SlabStore.verify(path).ok)
  }

  /// A timer that commits publishes what was done by direct calls, and nothing half.
  @Test func aCommitPublishesNobodyElsesWork() throws {
    let store = try SlabStore.create(at: path)
    try create(store, "raw", chunk: 10)
    let isOver = Atomic<Bool>(false)
    let timer = DispatchGroup()
    DispatchQueue(label: "timer").async(group: timer) {
      while !isOver.load(ordering: .relaxed) {
        #expect(throws: Never.self) { try store.commit() }
        let seen = try? SlabStore.open(path).dataset("raw").read(Int32.self, [0...])
        #expect(seen.map { $0.elements.count % 25 == 0 } ?? false)
      }
    }
    for number in 0..<20 {
      try store.append(
        try column(Int32(number * 25)..<Int32(number * 25 + 25)), to: "raw",
        options: WriteOptions(commit: .atEnd))
    }
    isOver.store(true, ordering: .relaxed)
    timer.wait()
    try store.close()
    #expect(try values("raw") == Array(0..<500))
  }

  /// Gives its first rows and fails after them.
  struct Failing: ArrayDataChunkSource {
    typealias Element = Int32
    let shape: Shape = [20]
    func data(_ selection: Selection) throws -> [Int32] {
      guard selection.bounds[0].lowerBound < 10 else {
        throw HyperslabError(.sourceFailed, "no more")
      }
      return Array(repeating: 1, count: selection.bounds[0].count)
    }
  }

  @Test func aWriteThatFailedWasNeverBegun() throws {
    let store = try SlabStore.create(at: path)
    let failing = try GenericDataChunkIterator(Failing(), bufferShape: [10], chunkShape: [10])
    #expect(throws: HyperslabError.self) {
      try store.write(failing, to: "g/x", options: WriteOptions(commit: .atEnd))
    }
    #expect(!store.contains(try NodePath("g/x")))
    try store.createGroup("other")
    try store.commit()
    #expect(try !SlabStore.open(path).contains(NodePath("g")))
    let good = try GenericDataChunkIterator(
      try column(0..<20), bufferShape: [10], chunkShape: [10])
    try store.write(good, to: "g/x")
    try store.close()
    #expect(try values("g/x") == Array(0..<20))
    let report = try SlabStore.verify(path)
    #expect(report.ok && report.leftovers.isEmpty)
  }

  @Test func whatAFailedWriteCommittedStays() throws {
    let store = try SlabStore.create(at: path)
    let failing = try GenericDataChunkIterator(Failing(), bufferShape: [10], chunkShape: [10])
    #expect(throws: HyperslabError.self) { try store.write(failing, to: "x") }
    try store.close()
    let dataset = try SlabStore.open(path).dataset("x")
    #expect(dataset.info.storedChunks == 1 && dataset.grid.arrayShape == [20])
    #expect(try SlabStore.verify(path).ok)
  }

  /// The host program's queues may be full of our callers.
  @Test func aHundredWritesOnTheGlobalQueueEnd() throws {
    let store = try SlabStore.create(at: path)
    let failures = Mutex<[String]>([])
    let group = DispatchGroup()
    for number in 0..<100 {
      DispatchQueue.global().async(group: group) {
        do {
          let iterator = try GenericDataChunkIterator(
            try column(0..<Int32(number + 1)), bufferShape: [number + 1], chunkShape: [number + 1])
          try store.write(iterator, to: "d\(number)")
        } catch { failures.withLock { $0.append("\(error)") } }
      }
    }
    group.wait()
    #expect(failures.withLock { $0 } == [])
    try store.close()
    for number in 0..<100 { #expect(try values("d\(number)") == Array(0..<Int32(number + 1))) }
  }

  /// Engines repeat tasks: the same part twice at once, in one store and in two.
  @Test(arguments: [true, false])
  func thePartTwiceAtOnce(inOneStore: Bool) throws {
    let all = (0..<40).map { Int32($0) }
    try SlabStore.create(at: path).close()
    let shared = inOneStore ? try SlabStore.open(path, mode: .readWrite) : nil
    let failures = concurrently(4) { task in
      let store = try shared ?? SlabStore.open(path, mode: .readWrite)
      let iterator = try GenericDataChunkIterator(
        try column(all), bufferShape: [10], chunkShape: [5])
      try store.write(
        iterator, to: "x", options: WriteOptions(part: try WritePart(task / 2, of: 2)))
      if !inOneStore { try store.close() }
    }
    #expect(failures == [])
    try shared?.close()
    #expect(try values("x") == all)
    let report = try SlabStore.verify(path)
    #expect(report.ok && report.leftovers.isEmpty, "\(report)")
  }

  // MARK: - Transactions

  @Test func aTransactionIsOneCommit() throws {
    let store = try SlabStore.create(at: path)
    try create(store, "a", chunk: 10)
    try create(store, "b", chunk: 10)
    let before = store.commitNumber
    try store.transaction { store in
      try store.append(try column(0..<25), to: "a")
      #expect(try values("a") == [])
      #expect(try store.dataset("a").read(Int32.self, [0...]).elements == Array(0..<25))
      try store.append(try column(25..<35), to: "a")
      try store.append(try column(0..<5), to: "b")
      try store.setAttribute("n", 25, of: NodePath("a"))
      try store.createGroup("g")
    }
    #expect(store.commitNumber == before + 1)
    #expect(try values("a") == Array(0..<35))
    #expect(try values("b") == Array(0..<5))
    try store.close()
    #expect(try SlabStore.open(path).node(NodePath("a")).attributes == ["n": 25])
    #expect(try SlabStore.verify(path).ok)
  }

  struct Refusal: Error {}

  @Test func aTransactionThatThrowsLeavesNothing() throws {
    let store = try SlabStore.create(at: path)
    try create(store, "a", chunk: 10)
    #expect(throws: Refusal.self) {
      try store.transaction { store in
        try store.append(try column(0..<25), to: "a")
        try store.createGroup("g")
        throw Refusal()
      }
    }
    try store.append(try column(7..<9), to: "a")
    try store.close()
    #expect(try values("a") == [7, 8])
    #expect(try !SlabStore.open(path).contains(NodePath("g")))
    #expect(try SlabStore.verify(path).leftovers.isEmpty)
  }

  @Test func aPartThatFailedSpoilsTheWhole() throws {
    let store = try SlabStore.create(at: path)
    try create(store, "a", chunk: 10)
    let failing = try GenericDataChunkIterator(Failing(), bufferShape: [10], chunkShape: [10])
    let error = #expect(throws: HyperslabError.self) {
      try store.transaction { store in
        try store.append(try column(0..<5), to: "a")
        _ = try? store.write(failing, to: "x")
      }
    }
    #expect(error?.code == .sourceFailed)
    try store.close()
    #expect(try values("a") == [])
    #expect(try !SlabStore.open(path).contains(NodePath("x")))
  }

  @Test func transactionsThatAppendInAnyOrderEnd() throws {
    let store = try SlabStore.create(at: path)
    try create(store, "a", chunk: 10)
    try create(store, "b", chunk: 10)
    let done = Atomic<Int>(0)
    let failures = concurrently(4) { task in
      for _ in 0..<5 {
        do {
          try store.transaction { store in
            for name in task % 2 == 0 ? ["a", "b"] : ["b", "a"] {
              try store.append(try column(0..<3), to: name)
            }
          }
          done.wrappingAdd(1, ordering: .relaxed)
        } catch let error as HyperslabError where error.code == .conflict {}
      }
    }
    #expect(failures == [])
    try store.close()
    let count = done.load(ordering: .relaxed)
    #expect(count >= 10)
    #expect(try values("a").count == 3 * count && values("b").count == 3 * count)
  }

  @Test func handlesOfATransactionThatIsOverAreRefused() throws {
    let store = try SlabStore.create(at: path)
    try create(store, "a", chunk: 10)
    let kept = try store.transaction { store in store }
    let error = #expect(throws: HyperslabError.self) { try kept.createGroup("late") }
    #expect(error?.code == .closed)
    try store.createGroup("in time")
    try store.close()
  }

  @Test func closingEndsWhatGoesOn() throws {
    let store = try SlabStore.create(at: path)
    try create(store, "a", chunk: 10)
    let acknowledged = Mutex<[Int32]>([])
    let group = DispatchGroup()
    for task in 0..<3 {
      DispatchQueue(label: "\(task)").async(group: group) {
        for number in 0..<1000 {
          let value = Int32(task * 1000 + number)
          do {
            try store.append(try column([value]), to: "a")
            acknowledged.withLock { $0.append(value) }
          } catch {
            #expect((error as? HyperslabError)?.code == .closed, "\(error)")
            return
          }
        }
      }
    }
    while acknowledged.withLock({ $0.count }) < 5 {}
    try store.close()
    group.wait()
    #expect(try values("a").sorted() == acknowledged.withLock { $0 }.sorted())
    let report = try SlabStore.verify(path)
    #expect(report.ok && report.leftovers.isEmpty, "\(report)")
    #expect(try SlabStore.open(path).state == "complete")
  }
}
