/// A copy between a chunk's own C-order element stream and a strided region of other memory,
/// resolved once a chunk and then run over any range of the stream.
///
/// Axes that lie without gaps on both sides are merged first, so that the common cases end as one
/// `memcpy` a row or a block.
package struct ChunkCopy: Sendable {
  struct Axis: Sendable {
    /// Length on the chunk's side.
    var extent: Int
    /// The region's positions on the chunk's side.
    var start: Int
    var count: Int
    var step: Int
    /// Bytes between neighbouring positions on the other side.
    var stride: Int
    /// Elements between neighbouring coordinates on the chunk's side.
    var chunkStride = 1
  }

  let axes: [Axis]
  let elementByteCount: Int
  let byteOffset: Int
  /// Elements of a whole chunk.
  package let elementCount: Int

  /// Plans a copy.
  ///
  /// - Parameters:
  ///   - chunkShape: The chunk's shape; its element count fits into `Int`.
  ///   - region: Positions inside the chunk.
  ///   - layout: Where the region's elements lie on the other side; of the region's shape.
  package init(
    chunkShape: Shape, region: StridedSelection, layout: StridedLayout, elementByteCount: Int
  ) {
    var merged: [Axis] = []
    for index in chunkShape.indices {
      let part = region.axes[index]
      // Nothing moves along an axis of one position, whatever its stride.
      if chunkShape[index] == 1 && part.count == 1 { continue }
      var axis = Axis(
        extent: chunkShape[index], start: part.start, count: part.count,
        step: part.count == 1 ? 1 : part.step, stride: layout.byteStrides[index])
      if let outer = merged.last, outer.step == 1, axis.step == 1, axis.start == 0,
        axis.count == axis.extent, outer.count == 1 || outer.stride == axis.stride * axis.count
      {
        axis = Axis(
          extent: outer.extent * axis.extent, start: outer.start * axis.extent,
          count: outer.count * axis.count, step: 1, stride: axis.stride)
        merged.removeLast()
      }
      merged.append(axis)
    }
    // The innermost kernel takes two axes.
    while merged.count < 2 {
      merged.insert(Axis(extent: 1, start: 0, count: 1, step: 1, stride: elementByteCount), at: 0)
    }
    var chunkStride = 1
    for index in merged.indices.reversed() {
      merged[index].chunkStride = chunkStride
      chunkStride *= merged[index].extent
    }
    axes = merged
    elementCount = chunkStride
    byteOffset = layout.byteOffset
    self.elementByteCount = elementByteCount
  }

  var isEmpty: Bool { axes.contains { $0.count == 0 } }

  /// Whether the region is the whole chunk.
  package var coversChunk: Bool {
    axes.allSatisfy { $0.count == $0.extent && $0.step == 1 }
  }

  /// Whether the region leaves out a part of every row, and rows are of 64 elements at most: in bit
  /// planes, of every eight bytes.
  package var padsShortRows: Bool {
    let inner = axes[axes.count - 1]
    return inner.count < inner.extent && inner.extent <= 64
  }

  /// The byte offset on the other side where the whole chunk lies as one piece, if it does.
  package var contiguousOffset: Int? {
    guard coversChunk, axes.count == 2, axes[0].extent == 1, axes[1].stride == elementByteCount
    else { return nil }
    return byteOffset
  }

  /// Bytes of the region.
  package var regionByteCount: Int { axes.reduce(elementByteCount) { $0 * $1.count } }

  /// Bytes of the longest row that lies without gaps on both sides.
  package var rowByteCount: Int {
    let inner = axes[axes.count - 1]
    return inner.step == 1 && inner.stride == elementByteCount
      ? inner.count * elementByteCount : elementByteCount
  }

  /// Bytes of what lies on the two innermost axes.
  package var planeByteCount: Int {
    axes.suffix(2).reduce(elementByteCount) { $0 * $1.count }
  }

  /// Bytes from one row to the next on the other side.
  package var rowByteStride: Int { axes[axes.count - 2].stride }

  /// Where on the other side the region's first element at or after a place in the stream roughly
  /// lies: exact on the outermost axis, for putting work in order.
  package func byteOffset(of element: Int) -> Int {
    var offset = byteOffset
    var rest = element
    for axis in axes {
      let coordinate = rest / axis.chunkStride
      rest -= coordinate * axis.chunkStride
      let position = Swift.min(
        Swift.max(0, (coordinate - axis.start) / axis.step), Swift.max(0, axis.count - 1))
      offset += position * axis.stride
    }
    return offset
  }

  /// The range of the chunk's stream that the region lies in; empty for an empty region.
  package var streamRange: Range<Int> {
    if isEmpty { return 0..<0 }
    var first = 0
    var last = 0
    for axis in axes {
      first += axis.start * axis.chunkStride
      last += (axis.start + (axis.count - 1) * axis.step) * axis.chunkStride
    }
    return first..<last + 1
  }

  /// Whether any position of the region lies in a range of the stream.
  package func touches(_ range: Range<Int>) -> Bool {
    !isEmpty && Self.touches(axes.span, range, 0, streamBase: 0)
  }

  // The closures below must not capture the copy itself; see `forEachPlane`.

  /// Copies from the other side into a block that holds stream elements `range`; elements outside
  /// the region are left alone.
  package func gather(
    _ range: Range<Int>, from base: UnsafeRawPointer, into block: UnsafeMutableRawPointer
  ) {
    forEachPlane(in: range) { [size = elementByteCount] plane in
      unsafe plane.copy(
        from: base + plane.byteOffset, plane.byteStrides, to: block + plane.element * size,
        plane.nearStrides(size), size)
    }
  }

  /// Copies a block that holds stream elements `range` out to the other side.
  package func scatter(
    _ range: Range<Int>, from block: UnsafeRawPointer, into base: UnsafeMutableRawPointer
  ) {
    forEachPlane(in: range) { [size = elementByteCount] plane in
      unsafe plane.scatter(
        rows: 0..<plane.counts.rows, from: block, into: base, elementByteCount: size)
    }
  }

  /// Copies the region's elements of a block that holds stream elements `range` into memory without
  /// gaps, in the stream's order; returns how many.
  package func compact(
    _ range: Range<Int>, from block: UnsafeRawPointer, into target: UnsafeMutableRawPointer
  ) -> Int {
    var count = 0
    forEachPlane(in: range) { [size = elementByteCount] plane in
      unsafe plane.copy(
        from: block + plane.element * size, plane.nearStrides(size), to: target + count * size,
        (plane.counts.columns * size, size), size)
      count += plane.counts.rows * plane.counts.columns
    }
    return count
  }
}

extension ChunkCopy {
  /// The same copy with a stream of the region's elements alone, without what surrounds them.
  package var regionOnly: ChunkCopy { ChunkCopy(regionOf: self) }

  private init(regionOf copy: ChunkCopy) {
    var axes = copy.axes
    var chunkStride = 1
    for index in axes.indices.reversed() {
      axes[index].extent = axes[index].count
      axes[index].start = 0
      axes[index].step = 1
      axes[index].chunkStride = chunkStride
      chunkStride *= axes[index].count
    }
    self.axes = axes
    elementCount = chunkStride
    elementByteCount = copy.elementByteCount
    byteOffset = copy.byteOffset
  }
}
