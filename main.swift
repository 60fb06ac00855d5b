import Hyperslab
import Synchronization

struct Ramp: ArrayDataChunkSource {
  let shape: Shape = [12_000, 384]

  func data(_ selection: Selection) -> [Int16] {
    selection.bounds[0].flatMap { row in
      selection.bounds[1].map { column in Int16(truncatingIfNeeded: row &+ column) }
    }
  }
}

/// Keeps no values, only counts what is written.
final class CountingDataset: ChunkedDataset {
  let path: NodePath
  let description: DatasetDescription
  let grid: ChunkGrid

  init(_ path: NodePath, _ description: DatasetDescription) throws(HyperslabError) {
    self.path = path
    self.description = description
    grid = try description.validated()
  }

  func state(of chunk: ChunkIndex) throws(HyperslabError) -> ChunkState { .neverWritten }

  func writeChunk(
    _ chunk: ChunkIndex, from bytes: RawSpan, layout: StridedLayout
  ) throws(HyperslabError) {
    // `layout` says where the elements of `grid.validShape(of: chunk)` lie in `bytes`.
  }

  func readChunk(
    _ chunk: ChunkIndex, region: StridedSelection, into bytes: inout MutableRawSpan,
    layout: StridedLayout
  ) throws(HyperslabError) {
    // The fill value for a chunk that is not stored; else `region` of it, to where `layout` says.
  }
}

final class CountingStore: ChunkedStore {
  private let datasets = Mutex<[NodePath: CountingDataset]>([:])

  func createGroup(_ path: NodePath, attributes: JSONObject) throws(HyperslabError) {}

  func createDataset(
    _ path: NodePath, _ description: DatasetDescription
  ) throws(HyperslabError) -> CountingDataset {
    let dataset = try CountingDataset(path, description)
    let isFree = datasets.withLock { $0.updateValue(dataset, forKey: path) == nil }
    guard isFree else { throw HyperslabError(.alreadyExists, "exists already", at: "\(path)") }
    return dataset
  }

  func dataset(_ path: NodePath) throws(HyperslabError) -> CountingDataset {
    if let dataset = datasets.withLock({ $0[path] }) { return dataset }
    throw HyperslabError(.notFound, "no such data set", at: "\(path)")
  }

  func commit() throws(HyperslabError) {}
}
func docs() throws {
let iterator = try GenericDataChunkIterator(Ramp(), bufferGB: 0.002, chunkMB: 0.5)
print(iterator.chunkShape, iterator.bufferShape, iterator.bufferCount)

while let chunk = try iterator.next() {
  let elements = try chunk.elements(as: Int16.self)
  print(chunk.selection, elements.count)
}
let store = try SlabStore.create(at: "recording.slab")
try store.write(
  iterator, to: "ecephys/lfp",
  options: WriteOptions(dimensionNames: ["time", "channel"], unit: "uV"))
try store.close()
let lfp = try SlabStore.open("recording.slab").dataset(NodePath("ecephys/lfp"))

let window = try lfp.read(Int16.self, [0..<3_000, 12...])   // (3000, 372)
let channel = try lfp.read(Int16.self, [AxisSlice.all, 7])   // (12000)
let sample = try lfp.read(Int16.self, [100, 7])              // ()
print(window[0, 0], channel.elements.count, sample.elements)
let all = try lfp.read(Int16.self, missing: .fill)
}
func shapes() throws {

let plan = try BufferPlan(shape: [30_000_000, 384], dataType: .int16)
print(plan.chunkShape, plan.bufferShape, plan.count)   // (625000, 8) (6250000, 80) 25
plan.warnings.forEach { print($0) }
let wide = try BufferPlan(
  shape: [30_000_000, 384], dataType: .int16, chunkShape: [16_384, 64])
print(wide.bufferShape)   // (344064, 384)
}
func over(_ probe: Ramp) throws {

let store = try SlabStore.create(at: "recording.slab")
let iterator = try GenericDataChunkIterator(probe, bufferGB: 1)
try store.write(iterator, to: "ecephys/lfp")
try store.close()

let lfp = try SlabStore.open("recording.slab").dataset(NodePath("ecephys/lfp"))
let window = try lfp.read(Int16.self, [0..<30_000, 12...])
}
try docs()
try shapes()
let counting = CountingStore()
try counting.write(GenericDataChunkIterator(Ramp()), to: "x/y")
