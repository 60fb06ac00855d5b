import Foundation
import Hyperslab
import HyperslabCore
import HyperslabTestSupport
import Testing

@testable import HyperslabFormat

/// Small stores that ask for much: reading them takes no more than their bytes are worth.
@Suite struct HostileFuzzTests {
  /// At length only: a debug build takes long for each.
  @Test(.enabled(if: ProcessInfo.processInfo.environment["HYPERSLAB_FUZZ"] != nil))
  func stores() {
    Fuzzer(target: "hostile", defaultCount: 400).run { generator, input in
      let store = HostileStore(using: &generator)
      let files = store.files
      input = files.contents[StoreLayout.index] ?? []
      let open = try SlabStore(path: "memory", files: files, mode: .readOnly, durability: .full)
      for node in open.nodes() {
        guard let dataset = try? open.dataset(node.path) else { continue }
        _ = try? ChunkMap(dataset)
        _ = try? dataset.readBytes(
          dataset.grid.arrayShape.map {
            AxisSlice.range(start: 0, stop: Swift.min(1, $0), step: 1)
          }, missing: .fill)
      }
      let index = open.snapshot.index
      let confirmed = try index.confirmingPending(files, open.cache)
      let pending = confirmed.datasets.reduce(0) { $0 + ($1.record.pending?.chunkCount ?? 0) }
      let rows = files.contents.values.reduce(0) { $0 + $1.count } / 6
      try demand(
        pending <= rows + 4096, "\(pending) chunks pending of \(rows) rows")
      let again = try index.encoded()
      try demand(try StoreIndex(again, place: "again").encoded() == again, "another text")
      var verifier = Verifier(files: files, node: .root, quick: false, threads: 1)
      try verifier.run()
    }
  }
}
