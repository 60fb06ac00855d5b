extension ChunkCopy {
  /// Rows of elements that lie alike on both sides.
  package struct Plane {
    /// Where the first element is on the chunk's side, counted from the start of the range.
    package var element: Int
    /// Where it is on the other side.
    package var byteOffset: Int
    /// How many rows of how many elements; none is 0.
    package var counts: (rows: Int, columns: Int)
    /// Elements from one row, and from one column, to the next on the chunk's side.
    package var elementStrides: (rows: Int, columns: Int)
    /// Bytes from one row, and from one column, to the next on the other side.
    package var byteStrides: (rows: Int, columns: Int)

    /// Whether each row lies without gaps on both sides.
    package func hasWholeRows(elementByteCount: Int) -> Bool {
      counts.columns == 1
        || elementStrides.columns == 1 && byteStrides.columns == elementByteCount
    }

    /// Copies some of the rows of a block out to the other side.
    package func scatter(
      rows: Range<Int>, from block: UnsafeRawPointer, into base: UnsafeMutableRawPointer,
      elementByteCount: Int
    ) {
      var part = self
      part.counts.rows = rows.count
      part.element += rows.lowerBound * elementStrides.rows
      part.byteOffset += rows.lowerBound * byteStrides.rows
      unsafe part.copy(
        from: block + part.element * elementByteCount, part.nearStrides(elementByteCount),
        to: base + part.byteOffset, byteStrides, elementByteCount)
    }

    /// Bytes from one row, and from one column, to the next on the chunk's side.
    func nearStrides(_ elementByteCount: Int) -> (Int, Int) {
      (elementStrides.rows * elementByteCount, elementStrides.columns * elementByteCount)
    }

    func copy(
      from source: UnsafeRawPointer, _ sourceStrides: (Int, Int),
      to target: UnsafeMutableRawPointer, _ targetStrides: (Int, Int), _ elementByteCount: Int
    ) {
      unsafe copyPlane(
        from: source, sourceStrides, to: target, targetStrides, (counts.rows, counts.columns),
        elementByteCount)
    }
  }

  /// The region's elements in a range of the stream, plane by plane in the stream's order.
  ///
  /// It walks over a span of the axes, and `body` should not capture the copy either: counting references
  /// to it waits for all stores before, and those of short rows wait for memory.
  package func forEachPlane(in range: Range<Int>, _ body: (Plane) -> Void) {
    if !isEmpty { Self.walk(axes.span, range, 0, 0, byteOffset, body) }
  }

  private static func walk(
    _ axes: Span<Axis>, _ range: Range<Int>, _ depth: Int, _ streamBase: Int, _ offset: Int,
    _ body: (Plane) -> Void
  ) {
    let axis = axes[depth]
    let positions = axis.positions(in: range, streamBase: streamBase)
    if positions.isEmpty { return }
    if depth < axes.count - 2 {
      for position in positions {
        walk(
          axes, range, depth + 1, axis.streamBase(position, streamBase),
          offset + position * axis.stride, body)
      }
      return
    }
    let inner = axes[depth + 1]
    func rows(_ positions: Range<Int>, _ columns: Range<Int>) {
      if positions.isEmpty || columns.isEmpty { return }
      let element =
        axis.streamBase(positions.lowerBound, streamBase)
        + inner.start + columns.lowerBound * inner.step
      body(
        Plane(
          element: element - range.lowerBound,
          byteOffset: offset + positions.lowerBound * axis.stride
            + columns.lowerBound * inner.stride,
          counts: (positions.count, columns.count),
          elementStrides: (axis.step * axis.chunkStride, inner.step),
          byteStrides: (axis.stride, inner.stride)))
    }
    if axis.isWhole(in: range, streamBase: streamBase) {
      return rows(positions, 0..<inner.count)
    }
    // The range can cut into the first and the last row only.
    func columns(_ position: Int) -> Range<Int> {
      inner.positions(in: range, streamBase: axis.streamBase(position, streamBase))
    }
    let first = positions.lowerBound
    let last = positions.upperBound - 1
    rows(first..<first + 1, columns(first))
    if last > first {
      rows(first + 1..<last, 0..<inner.count)
      rows(last..<last + 1, columns(last))
    }
  }

  static func touches(
    _ axes: Span<Axis>, _ range: Range<Int>, _ depth: Int, streamBase: Int
  ) -> Bool {
    let axis = axes[depth]
    let positions = axis.positions(in: range, streamBase: streamBase)
    if positions.isEmpty || depth == axes.count - 1 { return !positions.isEmpty }
    // Only the first and last can be cut by the range; one between lies in it whole.
    if positions.count > 2 { return true }
    for position in positions
    where touches(axes, range, depth + 1, streamBase: axis.streamBase(position, streamBase)) {
      return true
    }
    return false
  }
}

extension ChunkCopy.Axis {
  /// Where in the stream what belongs to one of its positions begins.
  fileprivate func streamBase(_ position: Int, _ outer: Int) -> Int {
    outer + (start + position * step) * chunkStride
  }

  /// Whether all that belongs to its positions lies in a range.
  fileprivate func isWhole(in range: Range<Int>, streamBase: Int) -> Bool {
    range.lowerBound <= streamBase && streamBase + extent * chunkStride <= range.upperBound
  }

  /// Which positions have stream elements in a range.
  fileprivate func positions(in range: Range<Int>, streamBase: Int) -> Range<Int> {
    if isWhole(in: range, streamBase: streamBase) { return 0..<count }
    let low = range.lowerBound <= streamBase ? 0 : (range.lowerBound - streamBase) / chunkStride
    let high =
      range.upperBound <= streamBase
      ? 0 : (range.upperBound - streamBase).dividedRoundingUp(by: chunkStride)
    let part = StridedSelection.Axis(start: start, count: count, step: step)
      .clipped(to: low..<Swift.max(low, high))
    return part.skipped..<part.skipped + part.axis.count
  }
}
