import Hyperslab
import Synchronization
import SystemPackage
import Testing

/// Writes whose buffers cover chunks only partly: those of ``WriteOptions/chunkShape``.
@Suite struct HalfChunkTests {
  private let directory: TemporaryDirectory
  private let path: FilePath

  init() throws {
    directory = try TemporaryDirectory()
    path = directory.path.appending("s.slab")
  }

  /// Values 1 to 32; fails at one of its reads.
  private final class Failing: ArrayDataChunkSource {
    struct Failure: Error {}
    let shape: Shape = [8, 4]
    private let rest: Atomic<Int>

    init(after reads: Int = .max) { rest = Atomic(reads) }

    func data(_ selection: Selection) throws -> [Int32] {
      if rest.subtract(1, ordering: .relaxed).newValue < 0 { throw Failure() }
      let first = selection.bounds[0].lowerBound * 4
      return (first..<first + (selection.shape.elementCount ?? 0)).map { Int32($0 + 1) }
    }
  }

  private func iterator(_ source: Failing) throws -> GenericDataChunkIterator<Failing> {
    try GenericDataChunkIterator(source, bufferShape: [2, 4], chunkShape: [2, 4])
  }

  /// A chunk that is half there would read as if it were whole.
  @Test(arguments: [CommitPolicy.everyBuffer, .interval(seconds: 0), .atEnd])
  func oneThatStopsLeavesNoneHalf(policy: CommitPolicy) throws {
    let store = try SlabStore.create(at: path)
    for reads in 1..<4 {
      var options = WriteOptions(chunkShape: [8, 4], commit: policy)
      let error = #expect(throws: HyperslabError.self) {
        try store.write(iterator(Failing(after: reads)), to: "x", options: options)
      }
      #expect(error?.code == .sourceFailed)
      #expect(try !store.contains(NodePath("x")))
      options.resume = true
      try store.write(iterator(Failing()), to: "x", options: options)
      #expect(try store.dataset("x").read(Int32.self).elements == Array(1...32))
      try store.remove(try NodePath("x"))
      try store.commit()
    }
    try store.close()
  }
}
