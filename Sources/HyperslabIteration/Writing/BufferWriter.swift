import HyperslabCore

/// Writes one buffer after the other into a data set, the chunks of a buffer in parallel.
struct BufferWriter<Dataset: ChunkedDataset>: Sendable {
  let dataset: Dataset
  let threads: Int
  let cancellation: Cancellation?
  let meter: ProgressMeter

  /// Memory of one thread for chunks that a buffer covers only partly.
  private final class Scratch {
    var buffer: ElementBuffer?

    func memory(byteCount: Int) throws(HyperslabError) -> ElementBuffer {
      if let buffer, buffer.byteCount >= byteCount { return buffer }
      let fresh = try ElementBuffer(allocating: byteCount)
      buffer = fresh
      return fresh
    }
  }

  /// Writes every chunk that the selection touches straight from the buffer's memory.
  ///
  /// - Parameters:
  ///   - selection: What of the array the buffer holds.
  ///   - bytes: The buffer.
  ///   - layout: Where the selection's elements lie in it.
  ///   - onlyMissing: Whether chunks that were written before are left alone.
  func write(
    _ selection: Selection, from bytes: RawSpan, layout: StridedLayout, onlyMissing: Bool = false
  ) throws(HyperslabError) {
    let groups = ChunkGroups(
      dataset.grid.chunks(touching: selection), rowByteCount: rowByteCount(in: layout),
      threads: threads)
    try SharedMemory.withShared(bytes) { memory throws(HyperslabError) in
      try parallelLoop(
        count: groups.count, threads: threads, makeWorker: { Scratch() },
        body: { (scratch, number) throws(HyperslabError) in
          try checkCancelled(cancellation, at: dataset.path)
          let chunks = onlyMissing ? try missing(in: groups[number]) : Array(groups[number])
          try write(chunks, selection, memory: memory, layout: layout, scratch: scratch)
        })
    }
  }

  func missing(in chunks: Slice<ChunkRange>) throws(HyperslabError) -> [ChunkIndex] {
    var missing: [ChunkIndex] = []
    for chunk in chunks where try dataset.state(of: chunk) == .neverWritten {
      missing.append(chunk)
    }
    return missing
  }

  private func write(
    _ chunks: [ChunkIndex], _ selection: Selection, memory: SharedMemory, layout: StridedLayout,
    scratch: Scratch
  ) throws(HyperslabError) {
    var whole: [PlacedChunk] = []
    for chunk in chunks {
      let box = dataset.grid.selection(of: chunk)
      let part = box.intersection(selection)
      let partLayout = layout.part(part.relative(to: selection.origin))
      if part == box {
        whole.append(PlacedChunk(chunk, partLayout))
      } else {
        try checkCancelled(cancellation, at: dataset.path)
        try merge(part, into: chunk, box, memory: memory, layout: partLayout, scratch: scratch)
        meter.add(written: byteCount(of: part))
      }
    }
    if whole.isEmpty { return }
    try memory.withBytes { bytes throws(HyperslabError) in
      try dataset.writeChunks(whole, from: bytes)
    }
    meter.add(written: whole.reduce(0) { $0 + byteCount(of: $1.layout.shape) })
  }

  /// Bytes that a chunk's row takes in a buffer; more than matter where rows do not lie in one piece,
  /// or where fetching them is nothing beside compressing.
  private func rowByteCount(in layout: StridedLayout) -> Int {
    let size = dataset.description.dataType.byteCount
    guard let length = dataset.grid.chunkShape.last, layout.byteStrides.last == size,
      !dataset.description.compression.isHigh
    else { return .max }
    return Checked.multiply(length, size) ?? .max
  }

  func byteCount(of box: Selection) -> Int { byteCount(of: box.shape) }

  private func byteCount(of shape: Shape) -> Int {
    shape.elementCount.flatMap { Checked.multiply($0, dataset.description.dataType.byteCount) } ?? 0
  }

  /// Replaces part of a chunk. Buffers are written one after the other and a buffer names each
  /// chunk once, so nobody else has the chunk in hand.
  private func merge(
    _ part: Selection, into chunk: ChunkIndex, _ box: Selection, memory: SharedMemory,
    layout: StridedLayout, scratch: Scratch
  ) throws(HyperslabError) {
    let size = dataset.description.dataType.byteCount
    let shape = box.shape
    guard let byteCount = Checked.product(shape.axes + [size]),
      let whole = StridedLayout.rowMajor(shape, elementByteCount: size)
    else {
      throw HyperslabError(
        .overflow, "a chunk of shape \(shape) is larger than memory can be", at: "\(dataset.path)",
        chunk: chunk, remedy: "Choose smaller chunks")
    }
    let target = try scratch.memory(byteCount: byteCount)
    unsafe dataset.clearUnlessFilled(
      UnsafeMutableRawBufferPointer(start: target.pointer, count: byteCount))
    try target.withMutableBytes { bytes throws(HyperslabError) in
      try dataset.readChunk(
        chunk, region: StridedSelection(Selection(all: shape)), into: &bytes, layout: whole)
    }
    let copy = ChunkCopy(
      chunkShape: shape, region: StridedSelection(part.relative(to: box.origin)), layout: layout,
      elementByteCount: size)
    if let start = unsafe memory.start {
      unsafe copy.gather(0..<copy.elementCount, from: start, into: target.pointer)
    }
    try target.withBytes { bytes throws(HyperslabError) in
      try dataset.writeChunk(chunk, from: bytes, layout: whole)
    }
  }
}
