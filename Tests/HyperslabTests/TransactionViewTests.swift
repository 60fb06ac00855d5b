import Hyperslab
import SystemPackage
import Testing

/// Transactions that append, and so may go on with a later commit than they began with, beside changes that
/// other tasks make through the same handle.
@Suite struct TransactionViewTests {
  private let directory: TemporaryDirectory
  private let store: SlabStore

  init() throws {
    directory = try TemporaryDirectory()
    store = try SlabStore.create(at: directory.path.appending("s.slab"))
    for (name, values) in ["log": [0], "balance": [100], "inbox/a": [1, 2]] as [String: [Int32]] {
      try store.write(iterator(values), to: name)
    }
  }

  private func source(_ values: [Int32]) throws -> InMemorySource<Int32> {
    try InMemorySource(elements: values, shape: [values.count])
  }

  private func iterator(
    _ values: [Int32]
  ) throws -> GenericDataChunkIterator<InMemorySource<Int32>> {
    try GenericDataChunkIterator(source(values), chunkShape: [4], growingTo: [nil])
  }

  private func values(_ name: String, in store: SlabStore? = nil) throws -> [Int32] {
    try (store ?? self.store).dataset(name).read(Int32.self).elements
  }

  private func isConflict(_ body: () throws -> Void) throws -> Bool {
    do { try body() } catch let error as HyperslabError {
      guard error.code == .conflict else { throw error }
      return true
    }
    return false
  }

  /// What another task does after the transaction has looked, and before it appends.
  enum Change: CaseIterable {
    case append, write, replace, add, addGroup, remove, removeGroup, resize, setAttribute, none
  }

  private func make(_ change: Change) throws {
    switch change {
    case .append: try store.append(source([3]), to: "inbox/a")
    case .write:
      try store.transaction { store in
        let values = [Int32](repeating: 9, count: 2)
        try store.dataset("inbox/a").writeChunk(
          [0], from: values.span.bytes, layout: StridedLayout(shape: [2], byteStrides: [4]))
      }
    case .replace: try OverwritingStore(store).write(iterator([7, 8]), to: "inbox/a")
    case .add: try store.write(iterator([3, 4]), to: "inbox/b")
    case .addGroup: try store.transaction { try $0.createGroup(NodePath("inbox/g")) }
    case .remove: try store.transaction { try $0.remove(NodePath("inbox/a")) }
    case .removeGroup: try store.transaction { try $0.remove(NodePath("inbox")) }
    case .resize: try store.transaction { _ = try $0.dataset("inbox/a").resized(to: [1]) }
    case .setAttribute:
      try store.transaction { try $0.setAttribute("k", 1, of: NodePath("inbox/a")) }
    case .none: break
    }
  }

  /// What was read would be archived, and what came since removed with it.
  @Test(arguments: Change.allCases)
  func whatWasLookedAtMustStillBeSo(change: Change) throws {
    let isRefused = try isConflict {
      try store.transaction { store in
        let names = store.nodes().map(\.path).filter { $0.description.hasPrefix("inbox/") }
        let found = try names.flatMap { try store.dataset($0).read(Int32.self).elements }
        try make(change)
        _ = try store.append(source(found), to: "log")
        try store.remove(NodePath("inbox"))
      }
    }
    #expect(isRefused == (change != .none))
    #expect(try values("log") == (isRefused ? [0] : [0, 1, 2]))
    if case .add = change { #expect(try values("inbox/b") == [3, 4]) }
    try store.close()
  }

  /// Not those of others, which have nothing to do with it.
  @Test(arguments: Change.allCases)
  func whoOnlyAppendsFollows(change: Change) throws {
    try store.transaction { inner in
      _ = try inner.append(source([1]), to: "log")
      try make(change)
      _ = try inner.append(source([101]), to: "balance")
    }
    #expect(try values("log") == [0, 1] && values("balance") == [100, 101])
    try store.close()
  }

  @Test func aSumThatWasReadIsNotWrittenBackOverAnother() throws {
    func deposit(_ amount: Int32, _ between: () throws -> Void) throws {
      try store.transaction { store in
        let sum = try values("balance", in: store)[0]
        try between()
        _ = try store.append(source([amount]), to: "log")
        try OverwritingStore(store).write(iterator([sum + amount]), to: "balance")
      }
    }
    #expect(try isConflict { try deposit(5) { try deposit(7) {} } })
    #expect(try values("balance") == [107] && values("log") == [0, 7])
    try store.close()
  }

  /// One transaction sees one state, also where it appends in between.
  @Test func whatIsReadTwiceIsTheSame() throws {
    let isRefused = try isConflict {
      try store.transaction { inner in
        let before = try values("balance", in: inner)
        _ = try store.append(source([1]), to: "balance")
        #expect(try values("balance", in: inner) == before)
        _ = try inner.append(source([9]), to: "log")
        #expect(try values("balance", in: inner) == before)
      }
    }
    #expect(isRefused)
    try store.close()
  }

  /// Running numbers: the length that was read is the one that is appended to.
  @Test(arguments: [false, true])
  func aLengthThatWasReadHolds(readsValues: Bool) throws {
    let isRefused = try isConflict {
      try store.transaction { inner in
        let log = try inner.dataset("log")
        let count = readsValues ? try values("log", in: inner).count : log.description.shape[0]
        _ = try store.append(source([Int32(count)]), to: "log")
        _ = try inner.append(source([Int32(count)]), to: "log")
      }
    }
    #expect(isRefused)
    #expect(try values("log") == [0, 1])
    try store.close()
  }

  /// By whatever handle: what an append gives back says it, too.
  @Test(arguments: [false, true])
  func anAttributeThatWasSeenHolds(appends: Bool) throws {
    try store.transaction { try $0.setAttribute("n", 0, of: NodePath("log")) }
    let isRefused = try isConflict {
      try store.transaction { inner in
        let log =
          appends
          ? try inner.append(source([7]), to: "log")
          : try inner.committedDataset(NodePath("log"))
        let seen = try #require(log.description.attributes["n"]?.integer)
        try store.transaction { try $0.setAttribute("n", 50, of: NodePath("log")) }
        try inner.setAttribute("n", .integer(seen + 1), of: NodePath("log"))
      }
    }
    #expect(isRefused)
    #expect(try store.dataset("log").description.attributes["n"] == 50)
    try store.close()
  }

  @Test func aLengthOfTheCommittedDatasetHolds() throws {
    func number(_ between: () throws -> Void) throws {
      try store.transaction { inner in
        let count = try inner.committedDataset(NodePath("log")).grid.arrayShape[0]
        try between()
        _ = try inner.append(source([Int32(count)]), to: "log")
      }
    }
    #expect(try isConflict { try number { try number {} } })
    #expect(try values("log") == [0, 1])
    try store.close()
  }

  /// Two processes append to a chunk that is not full: one tries again, and gets on.
  @Test func appendsOfTwoHandlesTryAgain() throws {
    let other = try SlabStore.open(directory.path.appending("s.slab"), mode: .readWrite)
    var attempts = 0
    while try isConflict({
      try store.transaction { inner in
        attempts += 1
        if attempts == 1 { _ = try other.append(source([1]), to: "log") }
        _ = try inner.append(source([2]), to: "log")
      }
    }) { try #require(attempts < 3) }
    #expect(attempts == 2)
    #expect(try values("log") == [0, 1, 2])
    try other.close()
    try store.close()
  }

  /// Once a part of it has failed, each further one says so.
  @Test func whatIsSpoiledSaysWhy() throws {
    struct Failing: DataChunkSource {
      struct Failure: Error {}
      let shape: Shape = [9]
      let dataType = DataType.int32
      func read(_ selection: Selection, into output: inout OutputRawSpan) throws { throw Failure() }
    }
    var codes: [HyperslabError.Code?] = []
    func note(_ body: () throws -> Void) {
      do { try body() } catch { codes.append((error as? HyperslabError)?.code) }
    }
    let outcome = Result {
      try store.transaction { inner in
        for _ in 0..<2 { note { _ = try inner.append(Failing(), to: "log") } }
        note { _ = try inner.append(source([1]), to: "log") }
      }
    }
    #expect(throws: HyperslabError.self) { try outcome.get() }
    #expect(codes == [.sourceFailed, .sourceFailed, .sourceFailed])
    #expect(try values("log") == [0])
    try store.close()
  }
}
