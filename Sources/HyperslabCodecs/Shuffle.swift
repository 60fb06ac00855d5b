import CPlatform
package import HyperslabCore

/// Byte shuffle: the first bytes of all elements, then the second bytes, …
///
/// `plane[j][i] = in[i · e + j]` for elements of `e` bytes. Source: Blosc, `shuffle.c`.
package enum Shuffle {
  /// Shorter rows are joined element by element.
  static let leastRowCount = 16

  /// Splits elements into byte planes, plane `j` at `target + j · plane`; no memory overlaps.
  package static func split(
    _ source: UnsafeRawPointer, _ target: UnsafeMutableRawPointer, plane: Int, count: Int,
    elementByteCount: Int, width: Int = VectorWidth.best
  ) {
    if unsafe hyperslab_split(width, source, target, plane, count, elementByteCount) != 0 { return }
    switch elementByteCount {
    case 1: unsafe target.copyMemory(from: source, byteCount: count)
    case 2: unsafe split(UInt16.self, source, target, plane, count)
    case 4: unsafe split(UInt32.self, source, target, plane, count)
    case 8: unsafe split(UInt64.self, source, target, plane, count)
    default:
      for byte in 0..<elementByteCount {
        unsafe strided(source + byte, elementByteCount, target + byte * plane, 1, count)
      }
    }
  }

  /// Joins byte planes, plane `j` at `source + j · plane`, into elements; no memory overlaps.
  package static func join(
    _ source: UnsafeRawPointer, plane: Int, _ target: UnsafeMutableRawPointer, count: Int,
    elementByteCount: Int, width: Int = VectorWidth.best
  ) {
    let row = unsafe BlockRows(
      from: source, plane: plane, stride: 0, to: target, targetStride: 0, count: count)
    unsafe joinRows(of: row, rows: 1, elementByteCount: elementByteCount, width: width)
  }

  /// The same for rows of elements.
  static func joinRows(
    of part: BlockRows, rows: Int, elementByteCount: Int, width: Int = VectorWidth.best
  ) {
    unsafe withUnsafePointer(to: part) {
      unsafe joinRows(
        UnsafeBufferPointer(start: $0, count: 1), rows: rows, elementByteCount: elementByteCount,
        width: width)
    }
  }

  /// The same for several parts: the first row of each, then the second of each, as many as `rows`.
  package static func joinRows(
    _ parts: UnsafeBufferPointer<BlockRows>, rows: Int, elementByteCount: Int,
    width: Int = VectorWidth.best
  ) {
    if unsafe hyperslab_join(width, parts.baseAddress, parts.count, rows, elementByteCount) != 0 {
      return
    }
    for index in parts.indices {
      let part = unsafe parts[index]
      guard let from = unsafe part.from, let to = unsafe part.to else { continue }
      for row in 0..<rows {
        unsafe joinPortably(
          UnsafeRawPointer(from + row * part.from_stride), part.plane,
          UnsafeMutableRawPointer(to + row * part.to_stride), part.count, elementByteCount)
      }
    }
  }

  private static func joinPortably(
    _ source: UnsafeRawPointer, _ plane: Int, _ target: UnsafeMutableRawPointer, _ count: Int,
    _ elementByteCount: Int
  ) {
    switch elementByteCount {
    case 1: unsafe target.copyMemory(from: source, byteCount: count)
    case 2: unsafe join(UInt16.self, source, plane, target, count)
    case 4: unsafe join(UInt32.self, source, plane, target, count)
    case 8: unsafe join(UInt64.self, source, plane, target, count)
    default:
      for byte in 0..<elementByteCount {
        unsafe strided(source + byte * plane, 1, target + byte, elementByteCount, count)
      }
    }
  }

  // The loops below are plain, and the element's size a constant in each, so that the compiler
  // vectorizes them; all planes in one pass keep the input in registers.

  @inline(__always)
  private static func split<Bits: FixedWidthInteger>(
    _ type: Bits.Type, _ source: UnsafeRawPointer, _ target: UnsafeMutableRawPointer, _ plane: Int,
    _ count: Int
  ) {
    let size = MemoryLayout<Bits>.size
    for index in 0..<count {
      let value = unsafe source.loadUnaligned(fromByteOffset: size * index, as: Bits.self)
      for byte in 0..<size {
        unsafe target.storeBytes(
          of: UInt8(truncatingIfNeeded: value &>> Bits(truncatingIfNeeded: 8 * byte)),
          toByteOffset: byte * plane + index, as: UInt8.self)
      }
    }
  }

  @inline(__always)
  private static func join<Bits: FixedWidthInteger>(
    _ type: Bits.Type, _ source: UnsafeRawPointer, _ plane: Int, _ target: UnsafeMutableRawPointer,
    _ count: Int
  ) {
    let size = MemoryLayout<Bits>.size
    for index in 0..<count {
      var value: Bits = 0
      for byte in 0..<size {
        let part = unsafe source.load(fromByteOffset: byte * plane + index, as: UInt8.self)
        value |= Bits(truncatingIfNeeded: part) &<< Bits(truncatingIfNeeded: 8 * byte)
      }
      unsafe target.storeBytes(of: value, toByteOffset: size * index, as: Bits.self)
    }
  }

  private static func strided(
    _ source: UnsafeRawPointer, _ from: Int, _ target: UnsafeMutableRawPointer, _ to: Int,
    _ count: Int
  ) {
    for index in 0..<count {
      unsafe target.storeBytes(
        of: source.load(fromByteOffset: index * from, as: UInt8.self), toByteOffset: index * to,
        as: UInt8.self)
    }
  }
}
