/// Differences along one axis of a chunk, before bit shuffle (Spec, "Filters").
///
/// A block of `n` elements is cut into columns: element `i` is in column `i mod s`, `s` being the
/// axis's stride in elements. Column after column, each element less the one before it in its column
/// is put out, the first one as it is, all modulo 2 to the element's bits. So what changes slowly
/// along the axis becomes runs of small numbers, and what does not change at all becomes zeros.
///
/// Columns and rows change places, so the work is done in square tiles: as many rows of as many
/// columns as a vector has lanes. Rows are read and written in order.
enum Delta {
  /// Takes the differences of `byteCount` bytes; the two pieces of memory do not overlap.
  ///
  /// - Parameter stride: Elements from one to the next along the axis, at least 1.
  static func apply(
    _ source: UnsafeRawPointer, _ target: UnsafeMutableRawPointer, byteCount: Int,
    elementByteCount: Int, stride: Int
  ) {
    switch elementByteCount {
    case 1: unsafe split(SIMD16<UInt8>.self, source, target, Columns(byteCount, stride))
    case 2: unsafe split(SIMD8<UInt16>.self, source, target, Columns(byteCount / 2, stride))
    case 4: unsafe split(SIMD4<UInt32>.self, source, target, Columns(byteCount / 4, stride))
    case 8: unsafe split(SIMD2<UInt64>.self, source, target, Columns(byteCount / 8, stride))
    default: unsafe target.copyMemory(from: source, byteCount: byteCount)
    }
  }

  /// Undoes ``apply(_:_:byteCount:elementByteCount:stride:)``.
  static func undo(
    _ source: UnsafeRawPointer, _ target: UnsafeMutableRawPointer, byteCount: Int,
    elementByteCount: Int, stride: Int
  ) {
    switch elementByteCount {
    case 1: unsafe join(SIMD16<UInt8>.self, source, target, Columns(byteCount, stride))
    case 2: unsafe join(SIMD8<UInt16>.self, source, target, Columns(byteCount / 2, stride))
    case 4: unsafe join(SIMD4<UInt32>.self, source, target, Columns(byteCount / 4, stride))
    case 8: unsafe join(SIMD2<UInt64>.self, source, target, Columns(byteCount / 8, stride))
    default: unsafe target.copyMemory(from: source, byteCount: byteCount)
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

    /// Rows from the first that can be done in tiles: a whole number of tiles, none of whose vectors
    /// passes the end, also where a vector is wider than a row.
    func tiledRows(lanes: Int) -> Int {
      let width = Swift.max(stride, lanes)
      guard count >= width else { return 0 }
      return Swift.min(rows, (count - width) / stride + 1) / lanes * lanes
    }
  }

  private static func split<V: DeltaVector>(
    _ type: V.Type, _ source: UnsafeRawPointer, _ target: UnsafeMutableRawPointer,
    _ columns: Columns
  ) {
    let size = MemoryLayout<V.Scalar>.size
    let lanes = V.scalarCount
    let stride = columns.stride
    if stride == 1 {
      // With the stride known, the compiler makes vectors of it.
      unsafe difference(V.Scalar.self, source, target, 1, 0, columns.count)
      return
    }
    let tiled = columns.tiledRows(lanes: lanes)
    if tiled > 0 {
      unsafe withUnsafeTemporaryAllocation(of: V.self, capacity: 2 * lanes) { memory in
        guard let tile = memory.baseAddress else { return }
        var first = 0
        while first < stride {
          // The last tiles overlap those before, or have columns to spare, which are left out.
          let column = Swift.max(0, Swift.min(first, stride - lanes))
          var before = V.zero
          var row = 0
          while row < tiled {
            for lane in 0..<lanes {
              let offset = ((row + lane) * stride + column) * size
              let values = unsafe source.loadUnaligned(fromByteOffset: offset, as: V.self)
              unsafe tile[lane] = V.difference(values, before)
              before = values
            }
            let result = unsafe transpose(tile)
            for lane in 0..<Swift.min(lanes, stride) {
              unsafe target.storeBytes(
                of: result[lane], toByteOffset: (columns.start(column + lane) + row) * size,
                as: V.self)
            }
            row += lanes
          }
          first += lanes
        }
      }
    }
    for column in 0..<Swift.min(stride, columns.count) {
      unsafe difference(
        V.Scalar.self, source + column * size, target + columns.start(column) * size, stride,
        tiled, columns.length(column))
    }
  }

  private static func join<V: DeltaVector>(
    _ type: V.Type, _ source: UnsafeRawPointer, _ target: UnsafeMutableRawPointer,
    _ columns: Columns
  ) {
    let size = MemoryLayout<V.Scalar>.size
    let lanes = V.scalarCount
    let stride = columns.stride
    if stride == 1 {
      unsafe accumulate(type, source, target, columns.count)
      return
    }
    let tiled = columns.tiledRows(lanes: lanes)
    if tiled > 0 {
      unsafe withUnsafeTemporaryAllocation(of: V.self, capacity: 2 * lanes) { memory in
        guard let tile = memory.baseAddress else { return }
        var first = 0
        while first < stride {
          let column = Swift.max(0, Swift.min(first, stride - lanes))
          var sums = V.zero
          var row = 0
          while row < tiled {
            for lane in 0..<lanes {
              // What a narrow row's vector has to spare is written over by the rows after it.
              let offset = (columns.start(column + lane) + row) * size
              unsafe tile[lane] =
                unsafe lane < stride
                ? source.loadUnaligned(fromByteOffset: offset, as: V.self) : V.zero
            }
            let result = unsafe transpose(tile)
            for lane in 0..<lanes {
              sums = unsafe V.sum(sums, result[lane])
              unsafe target.storeBytes(
                of: sums, toByteOffset: ((row + lane) * stride + column) * size, as: V.self)
            }
            row += lanes
          }
          first += lanes
        }
      }
    }
    for column in 0..<Swift.min(stride, columns.count) {
      unsafe sum(
        V.Scalar.self, source + columns.start(column) * size, target + column * size, stride,
        tiled, columns.length(column))
    }
  }

  /// Exchanges the rows and columns of a tile in the first half of its memory; the result is in
  /// either half. Interleaving the first half of the rows with the second, as often as it takes for
  /// every lane to become a row, does that.
  @inline(__always)
  private static func transpose<V: DeltaVector>(_ tile: UnsafeMutablePointer<V>)
    -> UnsafeMutablePointer<V>
  {
    let lanes = V.scalarCount
    var from = unsafe tile
    var to = unsafe tile + lanes
    var rounds = lanes
    while rounds > 1 {
      for pair in 0..<lanes / 2 {
        let (low, high) = unsafe V.interleaved(from[pair], from[pair + lanes / 2])
        unsafe to[2 * pair] = low
        unsafe to[2 * pair + 1] = high
      }
      unsafe swap(&from, &to)
      rounds /= 2
    }
    return unsafe from
  }

  /// `target[row] = source[row · stride] − source[(row − 1) · stride]` from one row on.
  @inline(__always)
  private static func difference<T: FixedWidthInteger & UnsignedInteger>(
    _ type: T.Type, _ source: UnsafeRawPointer, _ target: UnsafeMutableRawPointer, _ stride: Int,
    _ start: Int, _ end: Int
  ) {
    let size = MemoryLayout<T>.size
    var start = start
    if start == 0, end > 0 {
      unsafe target.storeBytes(of: source.loadUnaligned(as: T.self), as: T.self)
      start = 1
    }
    guard start < end else { return }
    for row in start..<end {
      let offset = row * stride * size
      let value = unsafe source.loadUnaligned(fromByteOffset: offset, as: T.self)
      let before = unsafe source.loadUnaligned(fromByteOffset: offset - stride * size, as: T.self)
      unsafe target.storeBytes(of: value &- before, toByteOffset: row * size, as: T.self)
    }
  }

  /// `target[row · stride] = target[(row − 1) · stride] + source[row]` from one row on.
  @inline(__always)
  private static func sum<T: FixedWidthInteger & UnsignedInteger>(
    _ type: T.Type, _ source: UnsafeRawPointer, _ target: UnsafeMutableRawPointer, _ stride: Int,
    _ start: Int, _ end: Int
  ) {
    guard start < end else { return }
    let size = MemoryLayout<T>.size
    var value: T = 0
    if start > 0 {
      value = unsafe target.loadUnaligned(fromByteOffset: (start - 1) * stride * size, as: T.self)
    }
    for row in start..<end {
      unsafe value &+= source.loadUnaligned(fromByteOffset: row * size, as: T.self)
      unsafe target.storeBytes(of: value, toByteOffset: row * stride * size, as: T.self)
    }
  }

  /// Sums along one column of all elements, a vector a step.
  @inline(__always)
  private static func accumulate<V: DeltaVector>(
    _ type: V.Type, _ source: UnsafeRawPointer, _ target: UnsafeMutableRawPointer, _ count: Int
  ) {
    let size = MemoryLayout<V.Scalar>.size
    var carry = V.zero
    var done = 0
    while done + V.scalarCount <= count {
      let values = unsafe source.loadUnaligned(fromByteOffset: done * size, as: V.self).runningSums
      let sums = V.sum(values, carry)
      unsafe target.storeBytes(of: sums, toByteOffset: done * size, as: V.self)
      carry = V(repeating: sums[V.scalarCount - 1])
      done += V.scalarCount
    }
    unsafe sum(V.Scalar.self, source, target, 1, done, count)
  }
}
