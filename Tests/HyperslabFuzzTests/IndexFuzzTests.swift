import HyperslabCodecs
import HyperslabCore
import HyperslabTestSupport
import SystemPackage
import Testing

@testable import HyperslabFormat

/// `slab.json`: whatever stands in it, an index or an error comes out.
@Suite struct IndexFuzzTests {
  /// Reads an index and uses it for everything that an index is used for.
  private static func feed(_ bytes: [UInt8], to store: SampleStore, deeply: Bool) throws {
    let index = try StoreIndex(bytes, place: "fuzz")
    for (path, record) in index.datasets {
      _ = try record.frameFormat(filter: record.filter ?? .none)
      _ = DatasetInfo(path: path, record: record).missingChunks
      for number in Set([0, record.grid.chunkCount / 2, record.grid.chunkCount - 1])
      where (0..<record.grid.chunkCount).contains(number) {
        let place = try record.grid.index(ofNumber: number)
        try demand(
          try record.grid.number(of: place) == number, "chunk \(number) is numbered otherwise")
        _ = record.grid.validShape(of: place)
      }
    }
    _ = ZarrMetadata.files(of: index)
    let again = try index.encoded()
    let second = try StoreIndex(again, place: "encoded again")
    try demand(try second.encoded() == again, "encoding again gives another text")
    if deeply { try use(bytes, of: store) }
  }

  /// Verifies and reads a whole store under this index.
  private static func use(_ bytes: [UInt8], of store: SampleStore) throws {
    var files = store.files
    files.contents[StoreLayout.index] = bytes
    var verifier = Verifier(files: files, node: .root, quick: false, threads: 1)
    try verifier.run()
    _ = verifier.finished
    let open = try SlabStore(path: "memory", files: files, mode: .readOnly, durability: .full)
    for node in open.nodes() {
      guard let dataset = try? open.dataset(node.path) else { continue }
      let grid = dataset.grid
      if grid.chunkCount > 0 {
        _ = try? dataset.state(of: try grid.index(ofNumber: grid.chunkCount - 1))
      }
      let corner = grid.arrayShape.map {
        AxisSlice.range(start: nil, stop: Swift.min(2, $0), step: 1)
      }
      if grid.rank <= 8 { _ = try? dataset.readBytes(corner, missing: .fill) }
      if let count = grid.arrayShape.elementCount, count < 1 << 13 {
        _ = try? dataset.readBytes(missing: .fill)
      }
    }
  }

  @Test func indexes() {
    Fuzzer(target: "index", defaultCount: 3000).run { generator, input in
      let store = SampleStore.all.randomElement(using: &generator) ?? SampleStore.all[0]
      let other = SampleStore.all.randomElement(using: &generator) ?? store
      let root = store.roots.randomElement(using: &generator) ?? store.roots[0]
      input = Resealing.document(root, other: other.roots[0].bytes, using: &generator)
      try Self.feed(input, to: store, deeply: generator.chance(1, in: 64))
    }
  }

  @Test func keptIndexes() throws {
    let inputs = try Corpus.inputs("index")
    #expect(!inputs.isEmpty)
    for (name, bytes) in inputs {
      for store in SampleStore.all {
        do { try Self.feed(bytes, to: store, deeply: true) } catch {
          #expect(error is HyperslabError, "\(name): \(error)")
        }
      }
    }
  }
}
