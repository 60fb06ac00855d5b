package import HyperslabCore

/// What a coding is chosen by.
// Sendable although it may hold a pointer: the memory is only read, and lent for longer than it lives.
@safe package enum CodingSource: @unchecked Sendable {
  /// Elements in memory.
  case memory(UnsafeRawPointer, StridedLayout)
  /// Elements that are read where they are looked at.
  case stream(ElementStream)

  var shape: Shape {
    switch self {
    case .memory(_, let layout): layout.shape
    case .stream(let stream): stream.box.shape
    }
  }

  func part(_ region: Selection) -> CodingSource {
    switch self {
    case .memory(let base, let layout): unsafe .memory(base, layout.part(region))
    case .stream(let stream): .stream(stream.part(region))
    }
  }

  /// Makes the blocks of a chunk accessible, which this is.
  func open(
    _ chunkShape: Shape, _ format: FrameFormat
  ) throws(HyperslabError) -> (ChunkCopy, BlockSupply) {
    switch self {
    case .memory(let base, let layout):
      let copy = ChunkCopy(
        chunkShape: chunkShape, region: StridedSelection(Selection(all: layout.shape)),
        layout: layout, elementByteCount: format.elementByteCount)
      return unsafe (copy, .memory(base))
    case .stream(let stream):
      let window = StreamWindow()
      let copies = try window.begin(stream, chunkShape: chunkShape, format)
      return (copies[0], .window(window))
    }
  }
}
