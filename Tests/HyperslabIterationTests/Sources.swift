import HyperslabCore
import HyperslabIteration
import Synchronization

/// Numbers that are the same in every run with the same seed.
struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
    return z ^ z >> 31
  }
}

/// A source over bytes in C order that lends nothing, and can be made to misbehave.
struct BytesSource: DataChunkSource {
  enum Behaviour: Sendable { case good, short, long, twiceTheWidth, throwing, changesType }
  struct Failure: Error {}

  let shape: Shape
  let type: DataType
  let bytes: [UInt8]
  var behaviour = Behaviour.good
  /// The buffer from which on it misbehaves.
  var from = 0
  var fingerprint: String?
  var ledger = Ledger()

  init(shape: Shape, type: DataType, seed: UInt64 = 1) {
    self.shape = shape
    self.type = type
    var random = SplitMix(state: seed)
    let mask: UInt8 = type == .bool ? 1 : 255
    bytes = (0..<(shape.elementCount ?? 0) * type.byteCount).map { _ in
      UInt8(truncatingIfNeeded: random.next()) & mask
    }
  }

  init(shape: Shape, type: DataType, bytes: [UInt8]) {
    self.shape = shape
    self.type = type
    self.bytes = bytes
  }

  /// The part of the array that a box holds, as a source of its own.
  func part(_ box: Selection) throws -> BytesSource {
    let count = (box.shape.elementCount ?? 0) * type.byteCount
    let buffer = ElementBuffer(byteCount: max(count, 1))
    let found = try buffer.fill(upTo: count) { output in
      try bytes.withUnsafeBytes { memory in
        try output.appendElements(
          at: try layout.slice(box), of: memory.bytes, elementByteCount: type.byteCount)
      }
    }
    let part = buffer.withBytes { span in
      span.withUnsafeBytes { Array($0.prefix(found)) }
    }
    return BytesSource(shape: box.shape, type: type, bytes: part)
  }

  var dataType: DataType {
    behaviour == .changesType && ledger.readCount > from ? .complex128 : type
  }
  var layout: StridedLayout {
    .rowMajor(shape, elementByteCount: type.byteCount)
      ?? StridedLayout(shape: shape, byteStrides: [])
  }

  func read(_ selection: Selection, into buffer: inout OutputRawSpan) throws {
    let isBad = ledger.begin() >= from && behaviour != .good
    if isBad, behaviour == .throwing { throw Failure() }
    try bytes.withUnsafeBytes { memory in
      try buffer.appendElements(
        at: try layout.slice(selection), of: memory.bytes, elementByteCount: type.byteCount)
      if isBad, behaviour == .twiceTheWidth {
        try buffer.appendElements(
          at: try layout.slice(selection), of: memory.bytes, elementByteCount: type.byteCount)
      }
    }
    if isBad, behaviour == .short { _ = buffer.removeLast() }
    if isBad, behaviour == .long { buffer.append(0) }
  }
}

/// Counts buffers that were begun and buffers that were done with.
final class Ledger: Sendable {
  private struct State {
    var begun = 0
    var done = 0
    var highest = 0
  }
  private let state = Mutex(State())

  /// The number of buffers begun before.
  func begin() -> Int {
    state.withLock { state in
      state.begun += 1
      state.highest = max(state.highest, state.begun - state.done)
      return state.begun - 1
    }
  }
  func end() { state.withLock { $0.done += 1 } }
  var readCount: Int { state.withLock { $0.begun } }
  var highestInFlight: Int { state.withLock { $0.highest } }
}

/// The tutorial's way: arrays of values.
struct RampSource: ArrayDataChunkSource {
  let shape: Shape
  var declared: DataType = .int32
  var surplus = 0

  var dataType: DataType { declared }

  func data(_ selection: Selection) -> [Int32] {
    var values: [Int32] = [0]
    for (axis, range) in selection.bounds.enumerated() {
      values = values.flatMap { value in
        range.map { value * Int32(shape[axis]) + Int32($0) }
      }
    }
    if surplus > 0 { return values + Array(repeating: 0, count: surplus) }
    return Array(values.dropLast(-surplus))
  }
}

/// A memory store that tells a ledger of commits, and a hook of chunks.
struct WatchedStore: ChunkedStore {
  typealias Completion = @Sendable (Result<Void, HyperslabError>) -> Void

  let base = MemoryStore()
  var onCommit: @Sendable () throws(HyperslabError) -> Void = {}
  /// Takes over the commits that are begun, if it is there.
  var onBegin: (@Sendable (@escaping Completion) -> Void)?
  var onChunk: @Sendable (ChunkIndex) throws(HyperslabError) -> Void = { _ in }
  var onTogether: @Sendable ([ChunkIndex]) -> Void = { _ in }

  struct Dataset: ChunkedDataset {
    let base: MemoryDataset
    let onChunk: @Sendable (ChunkIndex) throws(HyperslabError) -> Void
    let onTogether: @Sendable ([ChunkIndex]) -> Void

    var path: NodePath { base.path }
    var description: DatasetDescription { base.description }
    var grid: ChunkGrid { base.grid }
    func state(of chunk: ChunkIndex) throws(HyperslabError) -> ChunkState {
      try base.state(of: chunk)
    }
    func writeChunk(
      _ chunk: ChunkIndex, from bytes: RawSpan, layout: StridedLayout
    ) throws(HyperslabError) {
      try onChunk(chunk)
      try base.writeChunk(chunk, from: bytes, layout: layout)
    }
    func writeChunks(_ parts: [PlacedChunk], from bytes: RawSpan) throws(HyperslabError) {
      onTogether(parts.map(\.chunk))
      for part in parts { try writeChunk(part.chunk, from: bytes, layout: part.layout) }
    }
    func readChunk(
      _ chunk: ChunkIndex, region: StridedSelection, into bytes: inout MutableRawSpan,
      layout: StridedLayout
    ) throws(HyperslabError) {
      try base.readChunk(chunk, region: region, into: &bytes, layout: layout)
    }
  }

  private func watched(_ base: MemoryDataset) -> Dataset {
    Dataset(base: base, onChunk: onChunk, onTogether: onTogether)
  }
  func createGroup(_ path: NodePath, attributes: JSONObject) throws(HyperslabError) {
    try base.createGroup(path, attributes: attributes)
  }
  func createDataset(
    _ path: NodePath, _ description: DatasetDescription
  ) throws(HyperslabError) -> Dataset {
    watched(try base.createDataset(path, description))
  }
  func dataset(_ path: NodePath) throws(HyperslabError) -> Dataset {
    watched(try base.dataset(path))
  }
  func commit() throws(HyperslabError) { try onCommit() }
  func beginCommit(completion: @escaping Completion) {
    if let onBegin { return onBegin(completion) }
    do throws(HyperslabError) { completion(.success(try onCommit())) } catch {
      completion(.failure(error))
    }
  }
  func resizeDataset(
    _ path: NodePath, to shape: Shape
  ) throws(HyperslabError) -> Dataset {
    watched(try base.resizeDataset(path, to: shape))
  }
}

/// The bytes of a chunk.
func contents(_ chunk: DataChunk) -> [UInt8] {
  chunk.withBytes { bytes in bytes.withUnsafeBytes { Array($0) } }
}
