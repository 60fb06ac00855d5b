import Foundation
import Hyperslab
import Synchronization
import SystemPackage
import Testing

/// Writes to slab stores that break off and go on in another session, as after a crash: what the
/// first session had not committed is lost, and nobody closes its store.
@Suite struct ResumeTests {
  private let directory: TemporaryDirectory
  /// Every call of a write breaks once with HYPERSLAB_TORTURE=1, else every fifth.
  private let step =
    ProcessInfo.processInfo.environment["HYPERSLAB_TORTURE"] == nil ? 5 : 1
  private var path: FilePath { directory.path.appending("r.slab") }

  init() throws { directory = try TemporaryDirectory() }

  /// A store that fails at one of its calls, and at all after it.
  struct FaultyStore: ChunkedStore {
    let base: SlabStore
    let faults: Faults

    final class Faults: Sendable {
      private let count: Mutex<Int>
      init(after count: Int) { self.count = Mutex(count) }

      func step() throws(HyperslabError) {
        let rest = count.withLock { count in
          count -= 1
          return count
        }
        if rest < 0 { throw HyperslabError(.noSpace, "the disk is full") }
      }
    }

    struct Dataset: ChunkedDataset {
      let base: SlabDataset
      let faults: Faults
      var path: NodePath { base.path }
      var description: DatasetDescription { base.description }
      var grid: ChunkGrid { base.grid }
      func prepare(sample: RawSpan, layout: StridedLayout) throws(HyperslabError) {
        try base.prepare(sample: sample, layout: layout)
      }
      func state(of chunk: ChunkIndex) throws(HyperslabError) -> ChunkState {
        try base.state(of: chunk)
      }
      func writeChunk(
        _ chunk: ChunkIndex, from bytes: RawSpan, layout: StridedLayout
      ) throws(HyperslabError) {
        try faults.step()
        try base.writeChunk(chunk, from: bytes, layout: layout)
      }
      func readChunk(
        _ chunk: ChunkIndex, region: StridedSelection, into bytes: inout MutableRawSpan,
        layout: StridedLayout
      ) throws(HyperslabError) {
        try base.readChunk(chunk, region: region, into: &bytes, layout: layout)
      }
    }

    func createGroup(_ path: NodePath, attributes: JSONObject) throws(HyperslabError) {
      try base.createGroup(path, attributes: attributes)
    }
    func createDataset(
      _ path: NodePath, _ description: DatasetDescription
    ) throws(HyperslabError) -> Dataset {
      Dataset(base: try base.createDataset(path, description), faults: faults)
    }
    func dataset(_ path: NodePath) throws(HyperslabError) -> Dataset {
      Dataset(base: try base.dataset(path), faults: faults)
    }
    func resizeDataset(
      _ path: NodePath, to shape: Shape
    ) throws(HyperslabError) -> Dataset {
      Dataset(base: try base.resizeDataset(path, to: shape), faults: faults)
    }
    func commit() throws(HyperslabError) {
      try faults.step()
      try base.commit()
    }
    func reload() throws(HyperslabError) { try base.reload() }
    var isShareable: Bool { base.isShareable }
  }

  private func source(_ rows: Int, from first: Int = 0) throws -> InMemorySource<Int32> {
    try InMemorySource(
      elements: (first * 6..<(first + rows) * 6).map { Int32($0 * 31 % 1009) }, shape: [rows, 6])
  }

  private func iterator(
    _ rows: Int
  ) throws -> GenericDataChunkIterator<InMemorySource<Int32>> {
    try GenericDataChunkIterator(
      try source(rows), bufferShape: [min(rows, 6), 4], chunkShape: [3, 2])
  }

  private let options = WriteOptions(maximumShape: [nil, 6], threads: 1)

  private func resuming(_ options: WriteOptions) -> WriteOptions {
    var options = options
    options.resume = true
    return options
  }

  /// Runs `body` on a store that fails after so many calls; says whether it did.
  private func breaks(
    after count: Int, _ body: (FaultyStore) throws -> Void
  ) throws -> Bool {
    let store = FaultyStore(
      base: try SlabStore.open(path, mode: .readWrite), faults: .init(after: count))
    do {
      try body(store)
      return false
    } catch let error as HyperslabError {
      #expect(error.code == .noSpace)
      return true
    }
  }

  private func expect(_ rows: Int) throws {
    let store = try SlabStore.open(path)
    let array = try store.dataset("g/x").read(Int32.self)
    #expect(array.shape == [rows, 6])
    #expect(array.elements == (try source(rows)).elements)
    #expect(try SlabStore.verify(path).problems.isEmpty)
  }

  @Test func anImportGoesOnWhereverItBroke() throws {
    var count = 0
    while true {
      _ = try SlabStore.create(at: path, overwrite: count > 0)
      let broke = try breaks(after: count) {
        try $0.write(try iterator(10), to: "g/x", options: options)
      }
      let store = try SlabStore.open(path, mode: .readWrite)
      try store.write(try iterator(10), to: "g/x", options: resuming(options))
      try store.close()
      try expect(10)
      if !broke { break }
      count += step
    }
    // 12 chunks and 4 commits.
    #expect((16..<16 + step).contains(count))
  }

  @Test func aGrownSourceIsFollowedWhereverItBroke() throws {
    // In the middle of the chunks that the old end cut.
    var count = step == 1 ? 0 : 3
    while true {
      let first = try SlabStore.create(at: path, overwrite: count > 0)
      try first.write(try iterator(7), to: "g/x", options: options)
      try first.close()
      let broke = try breaks(after: count) {
        try $0.write(try iterator(14), to: "g/x", options: resuming(options))
      }
      let store = try SlabStore.open(path, mode: .readWrite)
      let rows = try store.dataset("g/x").grid.arrayShape[0]
      #expect(rows == 7 || rows == 14)
      // A longer source still, so that the edge is cut twice.
      try store.write(try iterator(17), to: "g/x", options: resuming(options))
      try store.close()
      try expect(17)
      if !broke { break }
      count += step
    }
    #expect(count > 10)
  }

  @Test(arguments: [CommitPolicy.everyBuffer, .interval(seconds: 0), .atEnd])
  func aKilledAppendLeavesAPrefix(policy: CommitPolicy) throws {
    var count = 0
    var lengths: Set<Int> = []
    while true {
      let first = try SlabStore.create(at: path, overwrite: count > 0)
      try first.write(try iterator(4), to: "g/x", options: options)
      try first.close()
      let broke = try breaks(after: count) {
        try $0.append(
          try source(16, from: 4), to: "g/x",
          options: WriteOptions(commit: policy, threads: 1, memoryByteCount: 150))
      }
      var rows = try SlabStore.open(path).dataset("g/x").grid.arrayShape[0]
      lengths.insert(rows)
      try expect(rows)
      let store = try SlabStore.open(path, mode: .readWrite)
      try store.append(try source(20 - rows, from: rows), to: "g/x")
      rows = 20
      try store.close()
      try expect(rows)
      if !broke { break }
      count += step
    }
    #expect(lengths.isSubset(of: policy == .atEnd ? [4, 20] : [4, 9, 15, 20]))
    #expect(step > 1 || policy == .atEnd || lengths.count == 4)
  }

  @Test func anyAxisCanBeAppendedTo() throws {
    let store = try SlabStore.create(at: path)
    _ = try store.createDataset(
      "g/x",
      DatasetDescription(
        shape: [20, 0], chunkShape: [8, 4], dataType: .int32, maximumShape: [20, nil]))
    // What is not committed is not there for anybody else, an append among them.
    let early = #expect(throws: HyperslabError.self) {
      try store.append(
        try InMemorySource(elements: [Int32](repeating: 0, count: 20), shape: [20, 1]), to: "g/x",
        axis: 1)
    }
    #expect(early?.code == .notFound && early?.remedy?.contains("commit()") == true)
    try store.commit()
    let whole = try source(20)
    for columns in [0..<1, 1..<3, 3..<6] {
      let elements = (0..<20).flatMap { row in columns.map { whole.elements[row * 6 + $0] } }
      try store.append(
        try InMemorySource(elements: elements, shape: [20, columns.count]), to: "g/x", axis: 1,
        options: WriteOptions(memoryByteCount: 256))
    }
    try store.close()
    try expect(20)
  }

  @Test func nothingIsCommittedWhereNothingIsMissing() throws {
    let first = try SlabStore.create(at: path)
    try first.write(try iterator(7), to: "g/x", options: options)
    try first.close()
    let before = try directory.bytes(of: "r.slab/slab.json")
    let store = try SlabStore.open(path, mode: .readWrite)
    try store.write(try iterator(7), to: "g/x", options: resuming(options))
    try store.close()
    #expect(try directory.bytes(of: "r.slab/slab.json") == before)
  }

  @Test func whoeverCreatesSecondJoinsTheFirst() throws {
    _ = try SlabStore.create(at: path)
    // Both sessions start from the empty store.
    let stores = try (0..<3).map { _ in try SlabStore.open(path, mode: .readWrite) }
    try stores[2].createGroup("mine", attributes: ["kept": true])
    for (index, store) in stores.enumerated() {
      var options = options
      options.part = try WritePart(index, of: 3)
      try store.write(try iterator(20), to: "g/x", options: options)
    }
    for store in stores { try store.close() }
    try expect(20)
    #expect(try SlabStore.open(path).node(NodePath("mine")).attributes == ["kept": true])
  }

  @Test func partsNeedDurableCommits() throws {
    let store = try SlabStore.create(at: path, durability: .fast)
    var options = options
    options.part = try WritePart(0, of: 2)
    let refusal = #expect(throws: HyperslabError.self) {
      try store.write(try iterator(7), to: "g/x", options: options)
    }
    #expect(refusal?.code == .invalidValue)
    #expect(!store.contains(try NodePath("g/x")))
  }

  @Test func reloadingForgetsWhatWasNotCommitted() throws {
    let store = try SlabStore.create(at: path)
    try store.write(try iterator(7), to: "g/x", options: options)
    let dataset = try store.dataset("g/x")
    let other = try SlabStore.open(path, mode: .readWrite)
    try other.append(try source(2, from: 7), to: "g/x")
    try other.close()
    try store.createGroup("h")
    let elements = [Int32](repeating: 5, count: 6)
    try elements.withUnsafeBytes { memory in
      try dataset.writeChunk(
        [0, 0], from: memory.bytes, layout: StridedLayout(shape: [3, 2], byteStrides: [8, 4]))
    }
    try store.reload()
    #expect(!store.contains(try NodePath("h")))
    let refusal = #expect(throws: HyperslabError.self) {
      try elements.withUnsafeBytes { memory in
        try dataset.writeChunk(
          [0, 0], from: memory.bytes, layout: StridedLayout(shape: [3, 2], byteStrides: [8, 4]))
      }
    }
    #expect(refusal?.code == .snapshotChanged)
    try store.append(try source(3, from: 9), to: "g/x")
    try store.close()
    try expect(12)
  }
}
