import Synchronization

/// A store in memory: for tests, small work, and as the model of how to write one.
public final class MemoryStore: ChunkedStore {
  private enum Node {
    case group(JSONObject)
    case dataset(MemoryDataset)
  }

  private let nodes = Mutex<[NodePath: Node]>([.root: .group([:])])

  /// An empty store.
  public init() {}

  /// Creates a group and those above it that are missing.
  public func createGroup(
    _ path: NodePath, attributes: JSONObject = [:]
  ) throws(HyperslabError) {
    try insert(.group(attributes), at: path)
  }

  /// Creates a data set, all chunks never written.
  public func createDataset(
    _ path: NodePath, _ description: DatasetDescription
  ) throws(HyperslabError) -> MemoryDataset {
    let dataset = try MemoryDataset(path: path, description: description)
    try insert(.dataset(dataset), at: path)
    return dataset
  }

  /// Opens a data set.
  public func dataset(_ path: NodePath) throws(HyperslabError) -> MemoryDataset {
    switch nodes.withLock({ $0[path] }) {
    case .dataset(let dataset): return dataset
    case .group: throw HyperslabError(.wrongKind, "a group, not a data set", at: "\(path)")
    case nil: throw HyperslabError(.notFound, "no such data set", at: "\(path)")
    }
  }

  /// Does nothing: memory is as permanent as it gets.
  public func commit() throws(HyperslabError) {}

  private func insert(_ node: Node, at path: NodePath) throws(HyperslabError) {
    let failure = nodes.withLock { nodes -> HyperslabError? in
      if nodes[path] != nil {
        return HyperslabError(.alreadyExists, "exists already", at: "\(path)")
      }
      for ancestor in path.ancestors {
        if case .dataset = nodes[ancestor] {
          return HyperslabError(.alreadyExists, "a data set stands in the way", at: "\(ancestor)")
        }
      }
      for ancestor in path.ancestors where nodes[ancestor] == nil { nodes[ancestor] = .group([:]) }
      nodes[path] = node
      return nil
    }
    if let failure { throw failure }
  }
}

/// A data set in a ``MemoryStore``: each chunk's valid part in C order.
public final class MemoryDataset: ChunkedDataset {
  /// Where it stands.
  public let path: NodePath
  /// What it is.
  public let description: DatasetDescription
  /// How it is divided.
  public let grid: ChunkGrid
  private let chunks = Mutex<[ChunkIndex: ElementBuffer?]>([:])

  init(path: NodePath, description: DatasetDescription) throws(HyperslabError) {
    self.path = path
    self.description = description
    grid = try description.validated()
  }

  /// What is known of a chunk.
  public func state(of chunk: ChunkIndex) throws(HyperslabError) -> ChunkState {
    switch chunks.withLock({ $0[chunk] }) {
    case nil: .neverWritten
    case .some(nil): .fill
    case .some(.some): .stored
    }
  }

  /// Keeps a copy of one chunk.
  public func writeChunk(
    _ chunk: ChunkIndex, from bytes: RawSpan, layout: StridedLayout
  ) throws(HyperslabError) {
    try checkChunk(chunk)
    let shape = grid.validShape(of: chunk)
    try checkMemory(layout, shape: shape, byteCount: bytes.byteCount)
    let size = description.dataType.byteCount
    let copy = ChunkCopy(
      chunkShape: shape, region: StridedSelection(Selection(all: shape)), layout: layout,
      elementByteCount: size)
    let buffer = ElementBuffer(byteCount: copy.elementCount * size)
    bytes.withUnsafeBytes { source in
      guard let base = source.baseAddress else { return }
      copy.gather(0..<copy.elementCount, from: base, into: buffer.pointer)
    }
    let isFill = description.fillValue.fills(
      UnsafeRawBufferPointer(start: buffer.pointer, count: buffer.byteCount))
    chunks.withLock { $0[chunk] = .some(isFill ? nil : buffer) }
  }

  /// Copies part of one chunk out.
  public func readChunk(
    _ chunk: ChunkIndex, region: StridedSelection, into bytes: inout MutableRawSpan,
    layout: StridedLayout
  ) throws(HyperslabError) {
    try checkChunk(chunk)
    try checkMemory(layout, shape: region.shape, byteCount: bytes.byteCount)
    let stored = chunks.withLock { $0[chunk] } ?? nil
    let shape = grid.validShape(of: chunk)
    let size = description.dataType.byteCount
    let copy = ChunkCopy(
      chunkShape: shape, region: region, layout: layout, elementByteCount: size)
    let buffer = stored ?? filled(copy.elementCount * size)
    bytes.withUnsafeMutableBytes { target in
      guard let base = target.baseAddress else { return }
      copy.scatter(0..<copy.elementCount, from: buffer.pointer, into: base)
    }
  }

  private func checkChunk(_ chunk: ChunkIndex) throws(HyperslabError) {
    guard grid.contains(chunk) else {
      throw HyperslabError(
        .outOfBounds, "no such chunk", at: "\(path)", chunk: chunk,
        expected: "coordinates below \(grid.gridShape)")
    }
  }

  private func filled(_ byteCount: Int) -> ElementBuffer {
    let buffer = ElementBuffer(byteCount: byteCount)
    description.fillValue.write(
      over: UnsafeMutableRawBufferPointer(start: buffer.pointer, count: byteCount))
    return buffer
  }
}
