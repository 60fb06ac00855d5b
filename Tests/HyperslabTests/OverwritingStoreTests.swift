import Hyperslab
import SystemPackage
import Testing

/// A data set that is replaced keeps its old values until all of the new ones are there.
@Suite struct OverwritingStoreTests {
  private let directory: TemporaryDirectory
  private let path: FilePath

  init() throws {
    directory = try TemporaryDirectory()
    path = directory.path.appending("s.slab")
  }

  /// Rows of one value each, which fail at a row.
  private struct FailingSource: DataChunkSource {
    struct Failure: Error {}
    let shape: Shape = [12, 4]
    let dataType = DataType.int32
    let failing: Int

    func read(_ selection: Selection, into buffer: inout OutputRawSpan) throws {
      if selection.bounds[0].contains(failing) { throw Failure() }
      for _ in 0..<selection.shape.reduce(1, *) { buffer.append(5 as Int32, as: Int32.self) }
    }
  }

  private func iterator<Source: DataChunkSource>(
    _ source: Source
  ) throws -> GenericDataChunkIterator<Source> {
    try GenericDataChunkIterator(source, bufferShape: [4, 4], chunkShape: [4, 4])
  }

  @Test(arguments: [CommitPolicy.everyBuffer, .atEnd], [0, 5, 11])
  func aFailedWriteLeavesTheOldValues(commit: CommitPolicy, failing: Int) throws {
    let store = try SlabStore.create(at: path)
    let old = (0..<48).map { Int32($0 + 1) }
    try store.write(try iterator(try InMemorySource(elements: old, shape: [12, 4])), to: "a")
    var options = WriteOptions()
    options.commit = commit
    #expect(throws: (any Error).self) {
      try OverwritingStore(store).write(
        try iterator(FailingSource(failing: failing)), to: "a", options: options)
    }
    #expect(try SlabStore.open(path).dataset("a").read(Int32.self).elements == old)
    let new = (0..<48).map { Int32(-$0) }
    try OverwritingStore(store).write(
      try iterator(try InMemorySource(elements: new, shape: [12, 4])), to: "a", options: options)
    #expect(try store.dataset("a").read(Int32.self).elements == new)
    try store.close()
    #expect(try SlabStore.open(path).dataset("a").read(Int32.self).elements == new)
    let report = try SlabStore.verify(path)
    #expect(report.ok && report.leftovers.isEmpty, "\(report)")
  }
}
