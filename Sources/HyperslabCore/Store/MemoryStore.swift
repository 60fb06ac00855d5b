import Synchronization

/// A store in memory: for tests, small work, and as the model of how to write one.
public final class MemoryStore: ChunkedStore {
  private enum Node {
    case group(JSONObject)
    case dataset(MemoryDataset)
  }

  private struct Tree {
    var nodes: [NodePath: Node] = [.root: .group([:])]
    var names = NodeNames()

    init() { names.add(.root) }
  }

  private let tree = Mutex(Tree())

  /// An empty store.
  public init() {}

  /// Creates a group and those above it that are missing.
  public func createGroup(
    _ path: NodePath, attributes: JSONObject = [:]
  ) throws(HyperslabError) {
    try check(attributes, of: path)
    try insert(.group(attributes), at: path)
  }

  /// Creates a data set, all chunks never written.
  public func createDataset(
    _ path: NodePath, _ description: DatasetDescription
  ) throws(HyperslabError) -> MemoryDataset {
    try NodeNames.checkDataset(path, at: "the store in memory")
    let dataset = try MemoryDataset(path: path, description: description)
    try check(description.attributes, of: path)
    try insert(.dataset(dataset), at: path)
    return dataset
  }

  /// Opens a data set.
  public func dataset(_ path: NodePath) throws(HyperslabError) -> MemoryDataset {
    switch tree.withLock({ $0.nodes[path] }) {
    case .dataset(let dataset): return dataset
    case .group:
      throw HyperslabError(
        .wrongKind, "a group, not a data set", at: "\(path)", remedy: "Name a data set in it")
    case nil:
      throw HyperslabError(
        .notFound, "no such data set", at: "\(path)", remedy: "Create it first")
    }
  }

  /// Does nothing: memory is as permanent as it gets.
  public func commit() throws(HyperslabError) {}

  /// Puts the data set in another shape in its place; handles opened before keep the old one.
  public func resizeDataset(
    _ path: NodePath, to shape: Shape
  ) throws(HyperslabError) -> MemoryDataset {
    let resized = try dataset(path).resized(to: shape)
    tree.withLock { $0.nodes[path] = .dataset(resized) }
    return resized
  }

  private func check(_ attributes: JSONObject, of path: NodePath) throws(HyperslabError) {
    do { try StoreLimits.checkAttributes(attributes) } catch {
      throw error.located(at: "\(path)")
    }
  }

  private func insert(_ node: Node, at path: NodePath) throws(HyperslabError) {
    try tree.withLock { (tree) throws(HyperslabError) in
      let nodes = tree.nodes
      try tree.names.insert(path, at: "\(path)") { path in
        switch nodes[path] {
        case .group: .group
        case .dataset: .dataset
        case nil: nil
        }
      }
      for ancestor in path.ancestors where nodes[ancestor] == nil {
        tree.nodes[ancestor] = .group([:])
      }
      tree.nodes[path] = node
    }
  }
}

/// A data set in a ``MemoryStore``: each chunk's valid part in C order.
public final class MemoryDataset: ChunkedDataset, FillingDataset {
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
    do { grid = try description.validated() } catch { throw error.located(at: "\(path)") }
  }

  /// Checks what is shown; there is nothing to choose.
  public func prepare(sample: RawSpan, layout: StridedLayout) throws(HyperslabError) {
    try checkMemory(layout, shape: layout.shape, byteCount: sample.byteCount)
  }

  /// What is known of a chunk.
  public func state(of chunk: ChunkIndex) throws(HyperslabError) -> ChunkState {
    try checkChunk(chunk)
    return switch chunks.withLock({ $0[chunk] }) {
    case nil: .neverWritten
    case .some(nil): .fill
    case .some(.some): .stored
    }
  }

  /// Goes through what was written, whatever the grid has room for.
  public func forEachWrittenChunk(
    _ body: (ChunkIndex, ChunkState) throws(HyperslabError) -> Void
  ) throws(HyperslabError) {
    let written = chunks.withLock { $0.map { (chunk: $0.key, isFill: $0.value == nil) } }
    for (chunk, isFill) in written.sorted(by: {
      $0.chunk.coordinates.lexicographicallyPrecedes($1.chunk.coordinates)
    }) {
      try body(chunk, isFill ? .fill : .stored)
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
    let buffer = try ElementBuffer(allocating: copy.elementCount * size)
    unsafe bytes.withUnsafeBytes { source in
      guard let base = source.baseAddress else { return }
      unsafe copy.gather(0..<copy.elementCount, from: base, into: buffer.pointer)
    }
    let isFill = unsafe description.fillValue.fills(
      UnsafeRawBufferPointer(start: buffer.pointer, count: buffer.byteCount))
    chunks.withLock { $0[chunk] = .some(isFill ? nil : buffer) }
  }

  /// Copies part of one chunk out.
  public func readChunk(
    _ chunk: ChunkIndex, region: StridedSelection, into bytes: inout MutableRawSpan,
    layout: StridedLayout
  ) throws(HyperslabError) {
    try checkChunkRead(chunk, region: region, byteCount: bytes.byteCount, layout: layout)
    if region.isEmpty { return }
    let stored = chunks.withLock { $0[chunk] } ?? nil
    let shape = grid.validShape(of: chunk)
    let size = description.dataType.byteCount
    let copy = ChunkCopy(
      chunkShape: shape, region: region, layout: layout, elementByteCount: size)
    let buffer = if let stored { stored } else { try filled(copy.elementCount * size) }
    unsafe bytes.withUnsafeMutableBytes { target in
      guard let base = target.baseAddress else { return }
      unsafe copy.scatter(0..<copy.elementCount, from: buffer.pointer, into: base)
    }
  }

  /// The data set in another shape, with the elements that both have.
  func resized(to shape: Shape) throws(HyperslabError) -> MemoryDataset {
    guard shape.rank == grid.rank,
      zip(shape, description.maximumShape).allSatisfy({ $0 >= 0 && $0 <= $1 ?? Int.max })
    else {
      throw HyperslabError(
        .invalidShape, "resizing \(grid.arrayShape) to \(shape)", at: "\(path)",
        expected:
          "at most \(description.maximumShape.map { $0.map(String.init) ?? "any length" })")
    }
    var description = description
    description.shape = shape
    let result = try MemoryDataset(path: path, description: description)
    for (chunk, buffer) in chunks.withLock({ $0 }) where result.grid.contains(chunk) {
      let part =
        if let buffer { try recut(buffer, of: chunk, for: result.grid) } else {
          nil as ElementBuffer?
        }
      result.chunks.withLock { $0[chunk] = .some(part) }
    }
    return result
  }

  /// A chunk's valid part as it is in another grid, filled up where that is larger.
  private func recut(
    _ buffer: ElementBuffer, of chunk: ChunkIndex, for other: ChunkGrid
  ) throws(HyperslabError) -> ElementBuffer {
    let size = description.dataType.byteCount
    let (old, new) = (grid.validShape(of: chunk), other.validShape(of: chunk))
    guard old != new, let layout = StridedLayout.rowMajor(new, elementByteCount: size) else {
      return buffer
    }
    let common = Selection(zip(old, new).map { 0..<Swift.min($0, $1) })
    let result = try filled(size * (new.elementCount ?? 0))
    let copy = ChunkCopy(
      chunkShape: old, region: StridedSelection(common), layout: layout.part(common),
      elementByteCount: size)
    unsafe copy.scatter(0..<copy.elementCount, from: buffer.pointer, into: result.pointer)
    return result
  }

  private func filled(_ byteCount: Int) throws(HyperslabError) -> ElementBuffer {
    let buffer = try ElementBuffer(allocating: byteCount)
    unsafe description.fillValue.write(
      over: UnsafeMutableRawBufferPointer(start: buffer.pointer, count: byteCount))
    return buffer
  }
}
