import HyperslabCore
import HyperslabIteration
import Testing

@Suite("Appending")
struct AppendTests {
  @Test(arguments: 1...4)
  func appendsAddUpToTheWhole(rank: Int) throws {
    for seed in 0..<40 {
      let job = ResumeTests.Case(rank: rank, seed: UInt64(rank * 500 + seed))
      var random = SplitMix(state: UInt64(seed))
      let axis = Int.random(in: 0..<rank, using: &random)
      let whole = job.source
      let store = MemoryStore()
      var box = Selection(all: whole.shape).bounds
      box[axis] = 0..<0
      var maximum: [Int?] = whole.shape.map { $0 }
      if seed % 2 == 0 { maximum[axis] = nil }
      _ = try store.createDataset(
        "x",
        DatasetDescription(
          shape: Selection(box).shape, chunkShape: job.chunk, dataType: whole.type,
          maximumShape: maximum))
      var length = 0
      while length < whole.shape[axis] {
        let next = Int.random(in: length...whole.shape[axis], using: &random)
        box[axis] = length..<next
        // One buffer at a time must fit, and a small one makes several steps.
        let chunkBytes = (job.chunk.elementCount ?? 0) * whole.type.byteCount
        let dataset = try store.append(
          try whole.part(Selection(box)), to: "x", axis: axis,
          options: WriteOptions(memoryByteCount: chunkBytes))
        length = next
        box[axis] = 0..<length
        let expected = try whole.part(Selection(box))
        #expect(dataset.grid.arrayShape == expected.shape)
        #expect(try dataset.readBytes().bytes == expected.bytes, "rank \(rank), seed \(seed)")
      }
    }
  }

  @Test func whatDoesNotFitIsRefused() throws {
    let store = MemoryStore()
    _ = try store.createDataset(
      "x",
      DatasetDescription(
        shape: [3, 4], chunkShape: [2, 2], dataType: .int16, maximumShape: [6, 4]))
    _ = try store.createDataset(
      "scalar", DatasetDescription(shape: [], chunkShape: [], dataType: .int16))
    let cases: [(Shape, DataType, String, Int, HyperslabError.Code)] = [
      ([2, 5], .int16, "x", 0, .invalidShape), ([8], .int16, "x", 0, .invalidShape),
      ([2, 4], .int32, "x", 0, .typeMismatch), ([4, 4], .int16, "x", 0, .invalidShape),
      ([3, 1], .int16, "x", 1, .invalidShape), ([2, 4], .int16, "x", 2, .invalidShape),
      ([2, 4], .int16, "x", -1, .invalidShape), ([], .int16, "scalar", 0, .invalidShape),
      ([2, 4], .int16, "none", 0, .notFound),
      // The last row of chunks was never written.
      ([2, 4], .int16, "x", 0, .neverWritten),
    ]
    for (shape, type, path, axis, code) in cases {
      let refusal = #expect(throws: HyperslabError.self) {
        try store.append(BytesSource(shape: shape, type: type), to: path, axis: axis)
      }
      #expect(refusal?.code == code, "\(shape) \(type) \(axis)")
    }
    #expect(try store.dataset("x").grid.arrayShape == [3, 4])
    #expect(throws: HyperslabError.self) {
      try store.append(
        BytesSource(shape: [2, 4], type: .int16), to: "x", options: WriteOptions(resume: true))
    }
  }

  @Test func storesThatKeepTheirShapeSaySo() throws {
    struct Plain: ChunkedStore {
      let base = MemoryStore()
      func createGroup(_ path: NodePath, attributes: JSONObject) throws(HyperslabError) {
        try base.createGroup(path, attributes: attributes)
      }
      func createDataset(
        _ path: NodePath, _ description: DatasetDescription
      ) throws(HyperslabError) -> MemoryDataset { try base.createDataset(path, description) }
      func dataset(_ path: NodePath) throws(HyperslabError) -> MemoryDataset {
        try base.dataset(path)
      }
      func commit() throws(HyperslabError) {}
    }
    let store = Plain()
    _ = try store.createDataset(
      "x",
      DatasetDescription(shape: [2], chunkShape: [2], dataType: .int8, maximumShape: [nil]))
    let refusal = #expect(throws: HyperslabError.self) {
      try store.append(BytesSource(shape: [2], type: .int8), to: "x")
    }
    #expect(refusal?.code == .unsupported)
  }

  @Test func aFailureTellsHowMuchArrived() throws {
    let store = MemoryStore()
    _ = try store.createDataset(
      "x",
      DatasetDescription(shape: [0], chunkShape: [2], dataType: .int16, maximumShape: [nil]))
    var source = BytesSource(shape: [10], type: .int16)
    source.behaviour = .throwing
    source.from = 2
    let refusal = #expect(throws: HyperslabError.self) {
      try store.append(source, to: "x", options: WriteOptions(memoryByteCount: 4))
    }
    #expect(refusal?.code == .sourceFailed)
    #expect(refusal?.remedy?.hasPrefix("4 of 10 along axis 0 were appended and stay") ?? false)
  }

  /// A store of somebody who has not read what is asked of one.
  private struct Careless: ChunkedStore {
    struct Dataset: ChunkedDataset {
      let base: MemoryDataset
      var path: NodePath { base.path }
      var description: DatasetDescription { base.description }
      var grid: ChunkGrid { base.grid }
      func state(of chunk: ChunkIndex) throws(HyperslabError) -> ChunkState {
        try base.state(of: chunk)
      }
      func writeChunk(
        _ chunk: ChunkIndex, from bytes: RawSpan, layout: StridedLayout
      ) throws(HyperslabError) { try base.writeChunk(chunk, from: bytes, layout: layout) }
      func readChunk(
        _ chunk: ChunkIndex, region: StridedSelection, into bytes: inout MutableRawSpan,
        layout: StridedLayout
      ) {}
    }

    let base = MemoryStore()
    var resizes = true
    func createGroup(_ path: NodePath, attributes: JSONObject) throws(HyperslabError) {
      try base.createGroup(path, attributes: attributes)
    }
    func createDataset(
      _ path: NodePath, _ description: DatasetDescription
    ) throws(HyperslabError) -> Dataset {
      Dataset(base: try base.createDataset(path, description))
    }
    func dataset(_ path: NodePath) throws(HyperslabError) -> Dataset {
      Dataset(base: try base.dataset(path))
    }
    func commit() throws(HyperslabError) {}
    func resizeDataset(_ path: NodePath, to shape: Shape) throws(HyperslabError) -> Dataset {
      Dataset(base: resizes ? try base.resizeDataset(path, to: shape) : try base.dataset(path))
    }
  }

  private func careless(resizes: Bool) throws -> Careless {
    let store = Careless(resizes: resizes)
    let dataset = try store.createDataset(
      "x",
      DatasetDescription(shape: [3], chunkShape: [8], dataType: .int8, maximumShape: [nil]))
    let values: [Int8] = [1, 2, 3]
    let layout = StridedLayout(shape: [3], byteStrides: [1])
    try values.withUnsafeBytes { try dataset.writeChunk([0], from: $0.bytes, layout: layout) }
    return store
  }

  /// What a store leaves unfilled is nothing that was in memory before.
  @Test func chunksThatAStoreDoesNotReadAreZeros() throws {
    let store = try careless(resizes: true)
    // Memory that was used before.
    for _ in 0..<100 {
      _ = try careless(resizes: true).append(BytesSource(shape: [5], type: .int8), to: "x")
    }
    try store.append(BytesSource(shape: [1], type: .int8), to: "x")
    let values = try store.base.dataset("x").read(Int8.self).elements
    #expect(values.prefix(3).allSatisfy { $0 == 0 }, "\(values)")
  }

  @Test func aStoreThatDoesNotResizeIsNotTrusted() throws {
    let store = try careless(resizes: false)
    let refusal = #expect(throws: HyperslabError.self) {
      try store.append(BytesSource(shape: [1], type: .int8), to: "x")
    }
    #expect(refusal?.code == .unsupported)
  }
}
