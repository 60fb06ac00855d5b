extension ChunkedDataset {
  /// Goes by the path.
  public func isSame(as other: Self) -> Bool { path == other.path }

  /// Does nothing.
  public func checkStored(in region: Selection) throws(HyperslabError) {}

  /// Does nothing.
  public func prepare(sample: RawSpan, layout: StridedLayout) throws(HyperslabError) {}

  /// Goes chunk by chunk, once all are found to be in order.
  public func writeChunks(_ parts: [PlacedChunk], from bytes: RawSpan) throws(HyperslabError) {
    try checkWrite(parts, byteCount: bytes.byteCount)
    for part in parts { try writeChunk(part.chunk, from: bytes, layout: part.layout) }
  }

  /// Goes chunk by chunk in C order.
  public func read(
    _ region: StridedSelection, into bytes: inout MutableRawSpan, layout: StridedLayout,
    missing: MissingChunks
  ) throws(HyperslabError) {
    try checkRead(region, byteCount: bytes.byteCount, layout: layout)
    if region.isEmpty { return }
    for chunk in grid.chunks(touching: region.boundingBox) {
      let part = ChunkPart(chunk, of: region, in: grid)
      if part.region.isEmpty { continue }
      if missing == .refuse, try state(of: chunk) == .neverWritten {
        throw neverWritten(chunk)
      }
      try readChunk(chunk, region: part.region, into: &bytes, layout: layout.part(part.target))
    }
  }

  /// The refusal to make up values that nobody wrote.
  package func neverWritten(_ chunk: ChunkIndex) -> HyperslabError {
    HyperslabError(
      .neverWritten, "never written, and the read does not ask for the fill value instead",
      at: "\(path)", chunk: chunk,
      remedy: "Write it (an interrupted import resumes), or read with missing: .fill")
  }

  /// Checks a read against the array and the memory it goes to.
  package func checkRead(
    _ region: StridedSelection, byteCount: Int, layout: StridedLayout
  ) throws(HyperslabError) {
    guard region.isInside(grid.arrayShape) else {
      throw HyperslabError(
        .outOfBounds, "the selection \(region) of an array of shape \(grid.arrayShape)",
        at: "\(path)", remedy: "Select what lies inside the shape")
    }
    try checkMemory(layout, shape: region.shape, byteCount: byteCount)
  }

  /// Checks chunks that are written together: each there, once, and its elements in the memory.
  package func checkWrite(_ parts: [PlacedChunk], byteCount: Int) throws(HyperslabError) {
    for part in parts {
      try checkChunk(part.chunk)
      try checkMemory(part.layout, shape: grid.validShape(of: part.chunk), byteCount: byteCount)
    }
    if parts.count < 2 { return }
    // One file would get the checksum of the other.
    var seen: Set<ChunkIndex> = []
    for part in parts where !seen.insert(part.chunk).inserted {
      throw HyperslabError(
        .invalidValue, "a chunk is written twice at once", at: "\(path)", chunk: part.chunk,
        remedy: "Name each chunk once")
    }
  }

  /// Checks that the grid has a chunk.
  package func checkChunk(_ chunk: ChunkIndex) throws(HyperslabError) {
    guard grid.contains(chunk) else {
      throw HyperslabError(
        .outOfBounds, "no such chunk", at: "\(path)", chunk: chunk,
        expected: "coordinates below \(grid.gridShape)")
    }
  }

  /// Checks a read of one chunk: the chunk, the region against its valid part, and the memory.
  package func checkChunkRead(
    _ chunk: ChunkIndex, region: StridedSelection, byteCount: Int, layout: StridedLayout
  ) throws(HyperslabError) {
    try checkChunk(chunk)
    let shape = grid.validShape(of: chunk)
    guard region.isInside(shape) else {
      throw HyperslabError(
        .outOfBounds, "the selection \(region) of a chunk whose valid shape is \(shape)",
        at: "\(path)", chunk: chunk, remedy: "Select what lies inside the chunk's valid shape")
    }
    try checkMemory(layout, shape: region.shape, byteCount: byteCount)
  }

  /// Checks that a layout has a shape and stays inside its memory.
  package func checkMemory(
    _ layout: StridedLayout, shape: Shape, byteCount: Int
  ) throws(HyperslabError) {
    guard layout.shape == shape,
      let range = layout.byteRange(elementByteCount: description.dataType.byteCount),
      layout.byteStrides.count == shape.rank, range.isEmpty || range.lowerBound >= 0,
      range.isEmpty || range.upperBound <= byteCount
    else {
      throw HyperslabError(
        .sizeMismatch, "memory for elements of shape \(shape)", at: "\(path)",
        expected: "a layout of that shape inside the memory",
        found: "a layout of \(layout.shape) over \(byteCount) bytes")
    }
  }
}

/// The part of a region that lies in one chunk.
package struct ChunkPart {
  /// The positions, in the chunk's own coordinates.
  package let region: StridedSelection
  /// The same positions as a box of the region's positions: where they go in the result.
  package let target: Selection

  /// Cuts a region at a chunk's borders.
  package init(_ chunk: ChunkIndex, of region: StridedSelection, in grid: ChunkGrid) {
    var axes: [StridedSelection.Axis] = []
    var target: [Range<Int>] = []
    let box = grid.selection(of: chunk)
    for (axis, range) in zip(region.axes, box.bounds) {
      var (skipped, part) = axis.clipped(to: range)
      part.start -= range.lowerBound
      axes.append(part)
      target.append(skipped..<skipped + part.count)
    }
    self.region = StridedSelection(axes)
    self.target = Selection(target)
  }
}
