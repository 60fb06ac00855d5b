import HyperslabCore

/// What of a stream the blocks in hand need: a few rows of chunks that lie side by side, read when
/// they are asked for.
package final class StreamWindow {
  /// An axis of what is counted: its length in a chunk, and what of that the array has.
  private struct Axis {
    let chunk: Int
    let valid: Int
  }

  private var memory = ElementBuffer(byteCount: 0)
  private var stream: ElementStream?
  private var elementByteCount = 1
  /// What whole rows of all the chunks are counted by, or a single chunk's elements.
  private var axes: [Axis] = []
  /// Elements of a chunk, and of the stream, that are counted as one.
  private var (chunkUnit, streamUnit) = (1, 1)
  /// Which of the stream's elements are there.
  private var resident = 0..<0

  package init() {}

  /// Begins with other chunks.
  ///
  /// - Returns: how each one's elements lie in the memory of the whole stream.
  /// - Throws: `overflow` for more elements than memory can hold.
  func begin(
    _ stream: ElementStream, chunkShape: Shape, _ format: FrameFormat
  ) throws(HyperslabError) -> [ChunkCopy] {
    let valid = stream.box.shape
    let size = format.elementByteCount
    guard let layout = StridedLayout.rowMajor(valid, elementByteCount: size) else {
      throw HyperslabError(
        .overflow, "chunks of shape \(valid) are larger than memory can be",
        remedy: "Choose smaller chunks")
    }
    self.stream = stream
    elementByteCount = size
    resident = 0..<0
    let length = chunkShape.last ?? 1
    let width = valid.last ?? 1
    axes = [Axis(chunk: 1, valid: 1)]
    axes += zip(chunkShape, valid).dropLast().map { Axis(chunk: $0, valid: $1) }
    if width <= length {
      axes.append(Axis(chunk: length, valid: width))
      (chunkUnit, streamUnit) = (1, 1)
    } else {
      (chunkUnit, streamUnit) = (length, width)
    }
    return stride(from: 0, to: width, by: length).map { start in
      var bounds = Selection(all: valid).bounds
      if !bounds.isEmpty { bounds[bounds.count - 1] = start..<Swift.min(start + length, width) }
      let part = Selection(bounds)
      return ChunkCopy(
        chunkShape: chunkShape, region: StridedSelection(Selection(all: part.shape)),
        layout: layout.part(part), elementByteCount: size)
    }
  }

  /// The start of the stream's memory, of which only that is there which a range of each chunk's own
  /// elements lies in.
  func base(for elements: Range<Int>) throws(HyperslabError) -> UnsafeRawPointer {
    let start = count(before: elements.lowerBound / chunkUnit) * streamUnit
    let end = count(before: elements.upperBound.dividedRoundingUp(by: chunkUnit)) * streamUnit
    try hold(start..<end)
    return unsafe UnsafeRawPointer(memory.pointer) - resident.lowerBound * elementByteCount
  }

  /// How many of what is counted comes before a place in a chunk and lies in the array.
  private func count(before place: Int) -> Int {
    var rest = place
    var count = 0
    var (chunkStride, validStride) = axes.reduce(into: (1, 1)) { strides, axis in
      strides = (strides.0 * axis.chunk, strides.1 * axis.valid)
    }
    for axis in axes {
      chunkStride /= axis.chunk
      validStride /= axis.valid
      let position = rest / chunkStride
      rest -= position * chunkStride
      count += Swift.min(position, axis.valid) * validStride
      if position >= axis.valid { break }
    }
    return count
  }

  /// Reads what is not there yet. The row that the last block ended in is kept.
  private func hold(_ wanted: Range<Int>) throws(HyperslabError) {
    guard let stream,
      wanted.lowerBound < resident.lowerBound || wanted.upperBound > resident.upperBound
    else { return }
    let kept = resident.contains(wanted.lowerBound) ? wanted.lowerBound..<resident.upperBound : nil
    let old = memory
    let byteCount = wanted.count * elementByteCount
    if old.byteCount < byteCount { memory = try ElementBuffer(allocating: byteCount) }
    let keptByteCount = (kept?.count ?? 0) * elementByteCount
    if let kept {
      let offset = (kept.lowerBound - resident.lowerBound) * elementByteCount
      unsafe memory.pointer.copyMemory(from: old.pointer + offset, byteCount: keptByteCount)
    }
    resident = 0..<0
    try unsafe stream.source.read(
      (kept?.upperBound ?? wanted.lowerBound)..<wanted.upperBound, of: stream.box,
      into: memory.pointer + keptByteCount)
    resident = wanted
  }
}
