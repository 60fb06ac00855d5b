import HyperslabCore
import Synchronization
import SystemPackage
import Testing

@testable import HyperslabFormat

/// Fresh chunks take their names by directories where they can, and never anything else with them.
@Suite struct PlacementTests {
  private let directory: TemporaryDirectory
  private var path: FilePath { directory.path.appending("x.slab") }
  private let x: NodePath

  init() throws {
    directory = try TemporaryDirectory()
    x = try NodePath("x")
    let store = try SlabStore.create(at: path)
    _ = try store.createDataset(
      x, DatasetDescription(shape: [8, 8], chunkShape: [2, 2], dataType: .int32))
    try store.close()
  }

  private func open() throws -> (SlabStore, FaultyFileSystem) { try openFaulty(path) }

  private func put(_ chunk: ChunkIndex, _ value: Int32, in store: SlabStore) throws {
    let layout = StridedLayout(shape: [2, 2], byteStrides: [8, 4])
    try [value, value, value, value].withUnsafeBytes {
      try store.dataset(x).writeChunk(chunk, from: $0.bytes, layout: layout)
    }
  }

  private func firsts() throws -> [[Int32?]] {
    let dataset = try SlabStore.open(path).dataset(x)
    return try (0..<4).map { row in
      try (0..<4).map { column in
        if try dataset.state(of: [row, column]) == .neverWritten { return nil }
        return try dataset.read(
          Int32.self, [2 * row..<2 * row + 1, 2 * column..<2 * column + 1]
        ).elements[0]
      }
    }
  }

  private func exists(_ name: String) -> Bool {
    (try? LocalFileSystem(root: path).status(StorePath(name)))
      .flatMap { $0 } != nil
  }

  /// The names below `x/c` that were given while `body` ran.
  private func renames(_ files: FaultyFileSystem, _ body: () throws -> Void) rethrows -> [String] {
    let names = Mutex<[String]>([])
    files.fail { operation, path, _ in
      if operation == .rename, path.components.starts(with: ["x", "c"]) {
        names.withLock { $0.append("\(path)") }
      }
      return false
    }
    try body()
    files.fail(nil)
    return names.withLock { $0 }
  }

  private func writer(of store: SlabStore) throws -> String {
    try #require(store.session).writer
  }

  @Test func directoriesThatAreNewMoveWhole() throws {
    let (store, files) = try open()
    for column in 0..<3 { try put([0, column], 1, in: store) }
    try put([1, 0], 2, in: store)
    #expect(try renames(files) { try store.commit() } == ["x/c"])
    // It finds out by trying what is there. What is overwritten goes alone, and after the commit.
    try put([0, 3], 3, in: store)
    try put([0, 0], 4, in: store)
    for column in 0..<2 { try put([2, column], 5, in: store) }
    let tried = ["x/c", "x/c/0", "x/c/0/3", "x/c/2", "x/c/0/0"]
    #expect(try renames(files) { try store.commit() } == tried)
    let left = try store.files.list(StoreLayout.staging(writer: writer(of: store)))
    #expect(left.map(\.name) == ["lock"])
    try store.close()
    let values = try firsts()
    #expect(values[0] == [4, 1, 1, 3] && values[1] == [2, nil, nil, nil])
    #expect(values[2] == [5, 5, nil, nil] && values[3] == [nil, nil, nil, nil])
    #expect(try SlabStore.verify(path).ok)
  }

  @Test func aFileThatNobodyListsStaysBehind() throws {
    let (store, files) = try open()
    try put([0, 0], 1, in: store)
    files.fail { operation, _, _ in operation == .synchronize || operation == .remove }
    expectError(.io) { try put([0, 1], 2, in: store) }
    files.fail(nil)
    try store.commit()
    #expect(exists("x/c/0/0") && !exists("x/c/0/1"))
    // The next batch has none.
    try put([1, 0], 3, in: store)
    #expect(try renames(files) { try store.commit() } == ["x/c", "x/c/1"])
    try store.close()
    #expect(try firsts()[0] == [1, nil, nil, nil])
    #expect(try SlabStore.verify(path).ok)
  }

  @Test func aChunkOfTheOldShapeStaysBehind() throws {
    let (store, files) = try open()
    try put([0, 0], 1, in: store)
    try put([0, 3], 2, in: store)
    files.fail { operation, _, _ in operation == .remove }
    _ = try store.resizeDataset(x, to: [8, 4])
    files.fail(nil)
    try store.commit()
    #expect(exists("x/c/0/0") && !exists("x/c/0/3"))
    try store.close()
    #expect(try SlabStore.verify(path).ok)
  }

  /// Runs `body`, and commits as on another thread when an operation on chunk 1 of a row comes.
  private func committing(
    _ store: SlabStore, _ files: FaultyFileSystem, at moment: FaultyFileSystem.Operation,
    _ body: () throws -> Void
  ) throws {
    let isDone = Atomic<Bool>(false)
    files.fail { operation, path, _ in
      let isNow =
        operation == moment && path.name == "1"
        && !isDone.exchange(true, ordering: .relaxed)
      if isNow { #expect(throws: Never.self) { try store.commit() } }
      return false
    }
    try body()
    files.fail(nil)
    let wasCommitted = isDone.load(ordering: .relaxed)
    #expect(wasCommitted)
  }

  /// A commit on another thread in the middle of chunks that are written together, one of them again.
  @Test(arguments: [FaultyFileSystem.Operation.create, .write, .synchronize])
  func chunksWrittenTogetherBelongToTheNextCommit(
    _ moment: FaultyFileSystem.Operation
  ) throws {
    let (store, files) = try open()
    try put([0, 0], 1, in: store)
    try put([0, 2], 1, in: store)
    let values = [Int32(2), 2, 2, 2, 3, 3, 3, 3]
    let parts = (0..<2).map { number in
      PlacedChunk(
        [0, number + 1],
        StridedLayout(shape: [2, 2], byteOffset: 16 * number, byteStrides: [8, 4]))
    }
    try committing(store, files, at: moment) {
      try values.withUnsafeBytes { try store.dataset(x).writeChunks(parts, from: $0.bytes) }
    }
    #expect(try firsts()[0] == [1, nil, 1, nil])
    try store.close()
    #expect(try firsts()[0] == [1, 2, 3, nil])
    #expect(try SlabStore.verify(path).ok)
  }

  /// A commit on another thread in the middle of a chunk.
  @Test(arguments: [FaultyFileSystem.Operation.create, .write, .synchronize])
  func aChunkThatIsBeingWrittenBelongsToTheNextCommit(
    _ moment: FaultyFileSystem.Operation
  ) throws {
    let (store, files) = try open()
    try put([0, 0], 1, in: store)
    try committing(store, files, at: moment) { try put([0, 1], 2, in: store) }
    #expect(try firsts()[0] == [1, nil, nil, nil])
    try store.commit()
    #expect(try firsts()[0] == [1, 2, nil, nil])
    try store.close()
    #expect(try SlabStore.verify(path).ok)
  }
}
