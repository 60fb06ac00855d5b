import Hyperslab
import SystemPackage

/// What is measured: an array, and the store that it goes to or comes from.
struct Subject {
  static let path = "data"

  let file: NpyFile
  let store: FilePath
  let chunkShape: Shape?
  let compression: Compression
  let threads: Int?

  var shape: Shape { file.shape }
  var byteCount: Int { (shape.elementCount ?? 0) * file.dataType.byteCount }

  /// How the array is walked: as HDMF would, with its buffer of 1 GB.
  func iterator<Source>(_ source: Source) throws -> GenericDataChunkIterator<Source> {
    try GenericDataChunkIterator(source, chunkShape: chunkShape)
  }

  func settledChunkShape() throws -> Shape { try iterator(file).chunkShape }

  /// The array in memory of this process's own.
  func loaded() throws -> ElementBuffer {
    let memory = ElementBuffer(byteCount: byteCount)
    let count = try memory.fill(upTo: byteCount) { try file.read(Selection(all: shape), into: &$0) }
    precondition(count == byteCount, "a source that gave \(count) of \(byteCount) bytes")
    return memory
  }

  /// Writes a source to a new store, durably, and closes it.
  func write(_ source: some DataChunkSource) throws {
    let store = try SlabStore.create(at: store)
    let options = WriteOptions(compression: compression, threads: threads)
    try store.write(iterator(source), to: Self.path, options: options)
    try store.close()
  }

  func opened() throws -> SlabDataset { try SlabStore.open(store).dataset(Self.path) }

  /// Whether a result is the array's own elements, to the last bit.
  func agrees(_ bytes: UnsafeRawBufferPointer, with terms: [any AxisSelection]) throws -> Bool {
    let region = try ResolvedSlice(terms, in: shape).region
    let size = file.dataType.byteCount
    var file = file
    file.residentByteLimit = .max
    let box = region.boundingBox
    let isEqual = try file.withBytes(of: box) { memory, layout in
      var offset = layout.byteOffset
      for (axis, stride) in layout.byteStrides.enumerated() {
        offset += (region.axes[axis].start - box.bounds[axis].lowerBound) * stride
      }
      let strides = zip(region.axes, layout.byteStrides).map { $0.step * $1 }
      let copy = ChunkCopy(
        chunkShape: region.shape, region: StridedSelection(Selection(all: region.shape)),
        layout: StridedLayout(shape: region.shape, byteOffset: offset, byteStrides: strides),
        elementByteCount: size)
      guard copy.elementCount * size == bytes.count else { return false }
      return memory.withUnsafeBytes { Self.agrees(bytes, copy, size, from: $0) }
    }
    guard let isEqual else { throw SubjectError.notComparable }
    return isEqual
  }

  private static func agrees(
    _ bytes: UnsafeRawBufferPointer, _ copy: ChunkCopy, _ size: Int,
    from memory: UnsafeRawBufferPointer
  ) -> Bool {
    guard let found = bytes.baseAddress, let base = memory.baseAddress else { return true }
    if let offset = copy.contiguousOffset {
      return equalBytes(found, base + offset, bytes.count)
    }
    let step = 1 << 18
    let block = ElementBuffer(byteCount: step * size)
    var start = 0
    while start < copy.elementCount {
      let end = Swift.min(start + step, copy.elementCount)
      copy.gather(start..<end, from: base, into: block.pointer)
      if !equalBytes(found + start * size, block.pointer, (end - start) * size) { return false }
      start = end
    }
    return true
  }
}

enum SubjectError: Error {
  /// A .npy file of big-endian numbers, whose bytes are not those in memory.
  case notComparable
}
