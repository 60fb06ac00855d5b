/// Byte shuffle: the first bytes of all elements, then the second bytes, …
///
/// `out[j · m + i] = in[i · e + j]` for `m` whole elements of `e` bytes; bytes beyond them stay.
/// Source: Blosc, `shuffle.c`.
enum Shuffle {
  /// Shuffles `byteCount` bytes; the two pieces of memory do not overlap.
  static func apply(
    _ source: UnsafeRawPointer, _ target: UnsafeMutableRawPointer, byteCount: Int,
    elementByteCount: Int
  ) {
    let count = byteCount / elementByteCount
    switch elementByteCount {
    case 1: break
    case 2: split2(source, target, count)
    case 4: split4(source, target, count)
    case 8: split8(source, target, count)
    default:
      for byte in 0..<elementByteCount {
        strided(source + byte, elementByteCount, target + byte * count, 1, count)
      }
    }
    let done = elementByteCount == 1 ? 0 : count * elementByteCount
    (target + done).copyMemory(from: source + done, byteCount: byteCount - done)
  }

  /// Undoes ``apply(_:_:byteCount:elementByteCount:)``.
  static func undo(
    _ source: UnsafeRawPointer, _ target: UnsafeMutableRawPointer, byteCount: Int,
    elementByteCount: Int
  ) {
    let count = byteCount / elementByteCount
    switch elementByteCount {
    case 1: break
    case 2: join2(source, target, count)
    case 4: join4(source, target, count)
    case 8: join8(source, target, count)
    default:
      for byte in 0..<elementByteCount {
        strided(source + byte * count, 1, target + byte, elementByteCount, count)
      }
    }
    let done = elementByteCount == 1 ? 0 : count * elementByteCount
    (target + done).copyMemory(from: source + done, byteCount: byteCount - done)
  }

  private static func strided(
    _ source: UnsafeRawPointer, _ from: Int, _ target: UnsafeMutableRawPointer, _ to: Int,
    _ count: Int
  ) {
    for index in 0..<count {
      target.storeBytes(
        of: source.load(fromByteOffset: index * from, as: UInt8.self), toByteOffset: index * to,
        as: UInt8.self)
    }
  }

  // The loops below are plain so that the compiler vectorizes them; several planes a pass keep the
  // input in registers.

  private static func split2(
    _ source: UnsafeRawPointer, _ target: UnsafeMutableRawPointer, _ count: Int
  ) {
    for index in 0..<count {
      let value = source.loadUnaligned(fromByteOffset: 2 * index, as: UInt16.self)
      target.storeBytes(of: UInt8(truncatingIfNeeded: value), toByteOffset: index, as: UInt8.self)
      target.storeBytes(
        of: UInt8(truncatingIfNeeded: value >> 8), toByteOffset: count + index, as: UInt8.self)
    }
  }

  private static func split4(
    _ source: UnsafeRawPointer, _ target: UnsafeMutableRawPointer, _ count: Int
  ) {
    for index in 0..<count {
      let value = source.loadUnaligned(fromByteOffset: 4 * index, as: UInt32.self)
      for byte in 0..<4 {
        target.storeBytes(
          of: UInt8(truncatingIfNeeded: value >> UInt32(8 * byte)),
          toByteOffset: byte * count + index, as: UInt8.self)
      }
    }
  }

  private static func split8(
    _ source: UnsafeRawPointer, _ target: UnsafeMutableRawPointer, _ count: Int
  ) {
    for index in 0..<count {
      let value = source.loadUnaligned(fromByteOffset: 8 * index, as: UInt64.self)
      for byte in 0..<8 {
        target.storeBytes(
          of: UInt8(truncatingIfNeeded: value >> UInt64(8 * byte)),
          toByteOffset: byte * count + index, as: UInt8.self)
      }
    }
  }

  private static func join2(
    _ source: UnsafeRawPointer, _ target: UnsafeMutableRawPointer, _ count: Int
  ) {
    for index in 0..<count {
      let low = UInt16(source.load(fromByteOffset: index, as: UInt8.self))
      let high = UInt16(source.load(fromByteOffset: count + index, as: UInt8.self))
      target.storeBytes(of: low | high << 8, toByteOffset: 2 * index, as: UInt16.self)
    }
  }

  private static func join4(
    _ source: UnsafeRawPointer, _ target: UnsafeMutableRawPointer, _ count: Int
  ) {
    for index in 0..<count {
      var value: UInt32 = 0
      for byte in 0..<4 {
        value |=
          UInt32(source.load(fromByteOffset: byte * count + index, as: UInt8.self))
          << UInt32(8 * byte)
      }
      target.storeBytes(of: value, toByteOffset: 4 * index, as: UInt32.self)
    }
  }

  private static func join8(
    _ source: UnsafeRawPointer, _ target: UnsafeMutableRawPointer, _ count: Int
  ) {
    for index in 0..<count {
      var value: UInt64 = 0
      for byte in 0..<8 {
        value |=
          UInt64(source.load(fromByteOffset: byte * count + index, as: UInt8.self))
          << UInt64(8 * byte)
      }
      target.storeBytes(of: value, toByteOffset: 8 * index, as: UInt64.self)
    }
  }
}
