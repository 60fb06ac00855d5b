import HyperslabCore

/// Lends one buffer of a source after the other, from the source's own memory or from copies.
struct BufferFeed<Source: DataChunkSource> {
  let reader: SourceReader<Source>
  /// How many buffers may be in memory; nil where the source lends its own.
  let depth: Int?
  /// The chunks that buffers are made of, and where in the data set the source's first element goes.
  let chunkShape: Shape
  var origin: [Int]?
  /// Above how many bytes a buffer is read in pieces.
  let pieceByteCount: Int
  /// From how many bytes on a run of a file is read by itself.
  let leastRunByteCount: Int
  let checkCancelled: () throws(HyperslabError) -> Void

  /// Runs `use` on each buffer, and `finish` when the buffer is out of hand again: only then is it
  /// known that the source stayed the same meanwhile. It is told whether the next buffer is there
  /// already; for another the source may take as long as it likes.
  func forEach<Buffers: RandomAccessCollection<Selection>>(
    _ buffers: Buffers,
    use: (Selection, RawSpan, StridedLayout) throws(HyperslabError) -> Void,
    finish: (_ isNextReady: Bool) throws(HyperslabError) -> Void = { _ throws(HyperslabError) in }
  ) throws(HyperslabError) where Buffers.Index == Int {
    if let depth {
      try copies(of: buffers, depth: depth, use: use, finish: finish)
    } else {
      try lent(buffers, use: use, finish: finish)
    }
  }

  /// The source of streams of boxes of a shape, where that is the fastest way.
  func streamSource(ofBoxes shape: Shape) -> (any StreamSource)? {
    (reader.source as? any FileOrderSource)?
      .streamSource(ofBoxes: shape, leastRunByteCount: leastRunByteCount)
  }

  /// Runs `use` on a stream of each buffer; as ``forEach(_:use:finish:)``.
  func forEachStream(
    of source: any StreamSource, _ buffers: some Collection<Selection>,
    use: (ElementStream) throws(HyperslabError) -> Void,
    finish: (_ isNextReady: Bool) throws(HyperslabError) -> Void
  ) throws(HyperslabError) {
    var rest = buffers[...]
    while let selection = rest.popFirst() {
      try checkCancelled()
      try use(ElementStream(source, selection))
      try finish(!rest.isEmpty)
    }
  }

  private func pieces(depth: Int) -> BufferPieces {
    BufferPieces(
      of: reader.source, chunkShape: chunkShape, origin: origin, dataType: reader.dataType,
      depth: depth, wantedByteCount: pieceByteCount)
  }

  /// The part of a buffer that is used first.
  func sample(of buffer: Selection) -> Selection {
    depth.flatMap { pieces(depth: $0).pieces(of: buffer).first } ?? buffer
  }

  private func lent(
    _ buffers: some Collection<Selection>,
    use: (Selection, RawSpan, StridedLayout) throws(HyperslabError) -> Void,
    finish: (_ isNextReady: Bool) throws(HyperslabError) -> Void
  ) throws(HyperslabError) {
    var rest = buffers[...]
    while let selection = rest.popFirst() {
      try checkCancelled()
      let isLent = try reader.lend(selection) { bytes, layout throws(HyperslabError) in
        try use(selection, bytes, layout)
      }
      guard isLent else {
        throw HyperslabError(
          .sourceFailed, "the source lends some of its memory, but not the selection \(selection)",
          remedy: "A source lends every selection or none")
      }
      try finish(!rest.isEmpty)
    }
  }

  private func copies<Buffers: RandomAccessCollection<Selection>>(
    of buffers: Buffers, depth: Int,
    use: (Selection, RawSpan, StridedLayout) throws(HyperslabError) -> Void,
    finish: (_ isNextReady: Bool) throws(HyperslabError) -> Void
  ) throws(HyperslabError) where Buffers.Index == Int {
    let pieces = pieces(depth: depth)
    let queue = BufferReader(
      reader, buffers.lazy.flatMap { pieces.pieces(of: $0) }, depth: pieces.depth(buffers.first))
    // Nobody may use the source after the write has returned.
    defer { queue.finish() }
    try checkCancelled()
    for buffer in buffers {
      for _ in pieces.pieces(of: buffer) {
        guard let (selection, memory) = try queue.next() else { return }
        try self.use(memory, selection, use)
        queue.recycle(memory)
        try checkCancelled()
      }
      try finish(queue.isReady)
      try checkCancelled()
    }
  }

  private func use(
    _ memory: any BufferMemory, _ selection: Selection,
    _ use: (Selection, RawSpan, StridedLayout) throws(HyperslabError) -> Void
  ) throws(HyperslabError) {
    let plain = StridedLayout.rowMajor(
      selection.shape, elementByteCount: reader.dataType.byteCount)
    guard let layout = memory.layout ?? plain else {
      throw HyperslabError(
        .overflow, "a buffer of shape \(selection.shape) is larger than memory can be",
        remedy: "Choose a smaller buffer")
    }
    try memory.withBytes { bytes throws(HyperslabError) in try use(selection, bytes, layout) }
  }
}
