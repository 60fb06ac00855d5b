/// Differences along one axis of a chunk, before bit shuffle (Spec, "Filters").
///
/// A block of `n` elements is cut into columns: element `i` is in column `i mod s`, `s` being the
/// axis's stride in elements. Column after column, each element less the one before it in its column
/// is put out, the first one as it is, all modulo 2 to the element's bits. So what changes slowly
/// along the axis becomes runs of small numbers, and what does not change at all becomes zeros.
enum Delta {
  /// Takes the differences of `byteCount` bytes; the two pieces of memory do not overlap.
  ///
  /// - Parameter stride: Elements from one to the next along the axis, at least 1.
  static func apply(
    _ source: UnsafeRawPointer, _ target: UnsafeMutableRawPointer, byteCount: Int,
    elementByteCount: Int, stride: Int
  ) {
    switch elementByteCount {
    case 1: split(UInt8.self, source, target, Columns(byteCount, stride))
    case 2: split(UInt16.self, source, target, Columns(byteCount / 2, stride))
    case 4: split(UInt32.self, source, target, Columns(byteCount / 4, stride))
    case 8: split(UInt64.self, source, target, Columns(byteCount / 8, stride))
    default: target.copyMemory(from: source, byteCount: byteCount)
    }
  }

  /// Undoes ``apply(_:_:byteCount:elementByteCount:stride:)``.
  static func undo(
    _ source: UnsafeRawPointer, _ target: UnsafeMutableRawPointer, byteCount: Int,
    elementByteCount: Int, stride: Int
  ) {
    switch elementByteCount {
    case 1: join(UInt8.self, source, target, Columns(byteCount, stride))
    case 2: join(UInt16.self, source, target, Columns(byteCount / 2, stride))
    case 4: join(UInt32.self, source, target, Columns(byteCount / 4, stride))
    case 8: join(UInt64.self, source, target, Columns(byteCount / 8, stride))
    default: target.copyMemory(from: source, byteCount: byteCount)
    }
  }

  /// How a block's elements fall into columns.
  private struct Columns {
    let count: Int
    let stride: Int
    /// Whole rows of `stride` elements; the last row may be cut short.
    let rows: Int
    let rest: Int

    init(_ count: Int, _ stride: Int) {
      self.count = count
      self.stride = stride
      (rows, rest) = count.quotientAndRemainder(dividingBy: stride)
    }

    /// Where a column begins in the output.
    func start(_ column: Int) -> Int { column * rows + Swift.min(column, rest) }
    func length(_ column: Int) -> Int { rows + (column < rest ? 1 : 0) }
  }

  /// Rows that are walked column by column while they stay in the first-level cache.
  private static let rowsATile = 128

  private static func split<T: FixedWidthInteger & UnsignedInteger>(
    _ type: T.Type, _ source: UnsafeRawPointer, _ target: UnsafeMutableRawPointer,
    _ columns: Columns
  ) {
    let size = MemoryLayout<T>.size
    let stride = columns.stride
    // The first row has nothing before it; with columns of one element that is all.
    for column in 0..<Swift.min(stride, columns.count) {
      target.storeBytes(
        of: source.loadUnaligned(fromByteOffset: column * size, as: T.self),
        toByteOffset: columns.start(column) * size, as: T.self)
    }
    if stride == 1, columns.count > 1 {
      difference(type, source, target, 1, 1..<columns.count)
      return
    }
    forEachTile(columns, lineCount: 64 / size) { column, rows in
      difference(
        type, source + column * size, target + columns.start(column) * size, stride, rows)
    }
  }

  private static func join<T: FixedWidthInteger & UnsignedInteger>(
    _ type: T.Type, _ source: UnsafeRawPointer, _ target: UnsafeMutableRawPointer,
    _ columns: Columns
  ) {
    let size = MemoryLayout<T>.size
    let stride = columns.stride
    for column in 0..<Swift.min(stride, columns.count) {
      target.storeBytes(
        of: source.loadUnaligned(fromByteOffset: columns.start(column) * size, as: T.self),
        toByteOffset: column * size, as: T.self)
    }
    forEachTile(columns, lineCount: 64 / size) { column, rows in
      sum(type, source + columns.start(column) * size, target + column * size, stride, rows)
    }
  }

  /// Every column's rows but the first, a cache line of columns and a tile of rows at a time.
  @inline(__always)
  private static func forEachTile(
    _ columns: Columns, lineCount: Int, _ body: (_ column: Int, _ rows: Range<Int>) -> Void
  ) {
    guard columns.count > columns.stride else { return }
    var first = 0
    while first < columns.stride {
      let end = Swift.min(first + lineCount, columns.stride)
      var row = 1
      while row <= columns.rows {
        for column in first..<end {
          let last = Swift.min(row + rowsATile, columns.length(column))
          if row < last { body(column, row..<last) }
        }
        row += rowsATile
      }
      first = end
    }
  }

  /// `target[row] = source[row · stride] − source[(row − 1) · stride]`
  @inline(__always)
  private static func difference<T: FixedWidthInteger & UnsignedInteger>(
    _ type: T.Type, _ source: UnsafeRawPointer, _ target: UnsafeMutableRawPointer, _ stride: Int,
    _ rows: Range<Int>
  ) {
    let size = MemoryLayout<T>.size
    for row in rows {
      let offset = row * stride * size
      let value = source.loadUnaligned(fromByteOffset: offset, as: T.self)
      let before = source.loadUnaligned(fromByteOffset: offset - stride * size, as: T.self)
      target.storeBytes(of: value &- before, toByteOffset: row * size, as: T.self)
    }
  }

  /// `target[row · stride] = target[(row − 1) · stride] + source[row]`
  @inline(__always)
  private static func sum<T: FixedWidthInteger & UnsignedInteger>(
    _ type: T.Type, _ source: UnsafeRawPointer, _ target: UnsafeMutableRawPointer, _ stride: Int,
    _ rows: Range<Int>
  ) {
    let size = MemoryLayout<T>.size
    var value = target.loadUnaligned(
      fromByteOffset: (rows.lowerBound - 1) * stride * size, as: T.self)
    for row in rows {
      value &+= source.loadUnaligned(fromByteOffset: row * size, as: T.self)
      target.storeBytes(of: value, toByteOffset: row * stride * size, as: T.self)
    }
  }
}
