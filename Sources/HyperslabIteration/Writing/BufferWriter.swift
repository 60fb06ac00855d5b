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

    func memory(byteCount: Int) -> ElementBuffer {
      if let buffer, buffer.byteCount >= byteCount { return buffer }
      let fresh = ElementBuffer(byteCount: byteCount)
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
    let chunks = dataset.grid.chunks(touching: selection)
    try SharedMemory.withShared(bytes) { memory throws(HyperslabError) in
      try parallelLoop(
        count: chunks.count, threads: threads, makeWorker: { Scratch() },
        body: { (scratch, number) throws(HyperslabError) in
          try checkCancelled(cancellation, at: dataset.path)
          let chunk = chunks[number]
          if onlyMissing, try dataset.state(of: chunk) != .neverWritten { return }
          try write(
            chunk, selection, memory: memory, layout: layout, scratch: scratch)
        })
    }
  }

  private func write(
    _ chunk: ChunkIndex, _ selection: Selection, memory: SharedMemory, layout: StridedLayout,
    scratch: Scratch
  ) throws(HyperslabError) {
    let box = dataset.grid.selection(of: chunk)
    let part = box.intersection(selection)
    let partLayout = layout.slice(part.relative(to: selection.origin))
    if part == box {
      try memory.withBytes { bytes throws(HyperslabError) in
        try dataset.writeChunk(chunk, from: bytes, layout: partLayout)
      }
    } else {
      try merge(part, into: chunk, box, memory: memory, layout: partLayout, scratch: scratch)
    }
    if let count = Checked.product(part.shape.axes + [dataset.description.dataType.byteCount]) {
      meter.add(written: count)
    }
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
    let target = scratch.memory(byteCount: byteCount)
    try target.withMutableBytes { bytes throws(HyperslabError) in
      try dataset.readChunk(
        chunk, region: StridedSelection(Selection(all: shape)), into: &bytes, layout: whole)
    }
    let copy = ChunkCopy(
      chunkShape: shape, region: StridedSelection(part.relative(to: box.origin)), layout: layout,
      elementByteCount: size)
    if let start = memory.start {
      copy.gather(0..<copy.elementCount, from: start, into: target.pointer)
    }
    try target.withBytes { bytes throws(HyperslabError) in
      try dataset.writeChunk(chunk, from: bytes, layout: whole)
    }
  }
}
