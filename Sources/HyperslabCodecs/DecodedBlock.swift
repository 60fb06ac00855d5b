package import HyperslabCore

/// A block decoded as far as is worth it before its elements go to their places. It lies in memory that
/// stays longer than it is in use: whoever makes one sees to that.
@safe package struct DecodedBlock {
  let base: UnsafeRawPointer
  /// Bytes from one byte plane to the next; nil where they were joined to elements.
  let plane: Int?
  /// Which element of the block stands at ``base``.
  let first: Int
  let elementByteCount: Int

  /// Whether its rows are still to be joined.
  package var isInPlanes: Bool { plane != nil }

  /// Some rows of elements that lie alike here and in memory, each without gaps.
  package func rows(
    _ rows: ChunkCopy.Plane, from row: Int, into memory: UnsafeMutableRawPointer
  ) -> BlockRows {
    let element = rows.element - first + row * rows.elementStrides.rows
    let target = unsafe memory + rows.byteOffset + row * rows.byteStrides.rows
    if let plane {
      return unsafe BlockRows(
        from: base + element, plane: plane, stride: rows.elementStrides.rows, to: target,
        targetStride: rows.byteStrides.rows, count: rows.counts.columns)
    }
    return unsafe BlockRows(
      from: base + element * elementByteCount, stride: rows.elementStrides.rows * elementByteCount,
      to: target, targetStride: rows.byteStrides.rows,
      count: rows.counts.columns * elementByteCount)
  }

  /// Copies rows whose elements are joined, and may have gaps between.
  package func scatter(
    _ rows: ChunkCopy.Plane, _ range: Range<Int>, into memory: UnsafeMutableRawPointer
  ) {
    unsafe rows.scatter(rows: range, from: base, into: memory, elementByteCount: elementByteCount)
  }
}
