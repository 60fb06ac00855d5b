import Dispatch
import Hyperslab
import Synchronization
import SystemPackage
import Testing

/// Writes and appends beside what the store's own handle has done and not committed.
@Suite struct UncommittedTests: Sendable {
  private let directory: TemporaryDirectory
  private var path: FilePath { directory.path.appending("s.slab") }
  private let x: NodePath

  init() throws {
    directory = try TemporaryDirectory()
    x = try NodePath("x")
  }

  private func iterator(
    _ elements: [Int32]
  ) throws -> GenericDataChunkIterator<InMemorySource<Int32>> {
    try GenericDataChunkIterator(
      InMemorySource(elements: elements, shape: [elements.count]), bufferShape: [4],
      chunkShape: [4])
  }

  private var description: DatasetDescription {
    DatasetDescription(shape: [8], chunkShape: [4], dataType: .int32, maximumShape: [nil])
  }

  private func expect(
    _ code: HyperslabError.Code, says text: String, _ body: () throws -> Void
  ) {
    do {
      try body()
      Issue.record("no error")
    } catch {
      #expect((error as? HyperslabError)?.code == code, "\(error)")
      #expect("\(error)".contains(text), "\(error)")
      #expect((error as? HyperslabError)?.remedy?.isEmpty == false)
    }
  }

  /// They do not see it and would make another, of which only one could be committed.
  @Test(arguments: [true, false])
  func aDataSetCreatedAndNotCommitted(resume: Bool) throws {
    let store = try SlabStore.create(at: path)
    _ = try store.createDataset(x, description)
    expect(.conflict, says: "commit()") {
      try store.write(
        try iterator(Array(0..<8)), to: x, options: WriteOptions(resume: resume))
    }
    expect(.notFound, says: "created") {
      try store.append(InMemorySource(elements: [Int32(1)], shape: [1]), to: x)
    }
    // Nothing was done to it; after a commit the write goes on.
    try store.commit()
    let written = try store.write(
      try iterator(Array(0..<8)), to: x, options: WriteOptions(maximumShape: [nil], resume: true))
    #expect(try written.read(Int32.self).elements == Array(0..<8))
    try store.close()
    #expect(try SlabStore.verify(path).ok)
  }

  @Test func aDataSetRemovedOrResizedAndNotCommitted() throws {
    let store = try SlabStore.create(at: path)
    try store.write(
      try iterator(Array(0..<8)), to: x, options: WriteOptions(maximumShape: [nil]))
    _ = try store.resizeDataset(x, to: [6])
    expect(.conflict, says: "resized") {
      try store.append(InMemorySource(elements: [Int32(1)], shape: [1]), to: x)
    }
    try store.commit()
    try store.append(InMemorySource(elements: [Int32(9)], shape: [1]), to: x)
    #expect(try store.dataset(x).read(Int32.self).elements == [0, 1, 2, 3, 4, 5, 9])
    try store.remove(x)
    expect(.conflict, says: "removed") { try store.write(try iterator(Array(0..<8)), to: x) }
    try store.commit()
    try store.write(try iterator(Array(0..<8)), to: x)
    try store.close()
  }

  /// In one transaction a write sees what was made before it.
  @Test func aTransactionThatCreatesAndResumes() throws {
    let store = try SlabStore.create(at: path)
    try store.transaction { inner in
      var description = description
      description.maximumShape = [8]
      _ = try inner.createDataset(x, description)
      try inner.write(try iterator(Array(0..<8)), to: x, options: WriteOptions(resume: true))
    }
    try store.close()
    #expect(try SlabStore.open(path).dataset(x).read(Int32.self).elements == Array(0..<8))
  }

  /// Whoever comes second finds what the first made, compares, and writes what is missing.
  @Test func severalWritesThatResumeTheSame() throws {
    let store = try SlabStore.create(at: path)
    let elements = (0..<400).map { Int32($0) }
    let failures = Mutex<[String]>([])
    DispatchQueue.concurrentPerform(iterations: 4) { _ in
      do {
        let dataset = try store.write(
          try iterator(elements), to: x, options: WriteOptions(resume: true))
        #expect(try dataset.read(Int32.self).elements == elements)
      } catch { failures.withLock { $0.append("\(error)") } }
    }
    #expect(failures.withLock { $0 } == [])
    try store.close()
    #expect(try SlabStore.open(path).dataset(x).read(Int32.self).elements == elements)
    #expect(try SlabStore.verify(path).ok)
  }

  @Test func aWriteThatResumesOtherDataThanOneThatWasFirst() throws {
    let store = try SlabStore.create(at: path)
    let other = try SlabStore.open(path, mode: .readWrite)
    let cut = GatedSource(elements: (0..<8).map { Int32($0) }) {
      _ = try? other.write(try iterator(Array(8..<16)), to: x)
    }
    expect(.resumeMismatch, says: "other data") {
      try store.write(
        try GenericDataChunkIterator(cut, bufferShape: [4], chunkShape: [4]), to: x,
        options: WriteOptions(resume: true))
    }
    try store.close()
    try other.close()
    #expect(try SlabStore.open(path).dataset(x).read(Int32.self).elements == Array(8..<16))
  }

  /// Does something before it gives its first buffer.
  private struct GatedSource: ArrayDataChunkSource {
    typealias Element = Int32
    let elements: [Int32]
    let first: @Sendable () -> Void
    let once = Once()
    var shape: Shape { [elements.count] }

    final class Once: Sendable {
      let isDone = Atomic(false)
    }

    func data(_ selection: Selection) -> [Int32] {
      if !once.isDone.exchange(true, ordering: .acquiringAndReleasing) { first() }
      return Array(elements[selection.bounds[0]])
    }
  }
}
