import CPlatform

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Copies `counts.0 × counts.1` elements between two strided planes.
func copyPlane(
  from source: UnsafeRawPointer, _ sourceStrides: (Int, Int),
  to target: UnsafeMutableRawPointer, _ targetStrides: (Int, Int), _ counts: (Int, Int),
  _ elementByteCount: Int
) {
  if sourceStrides.1 == elementByteCount && targetStrides.1 == elementByteCount {
    unsafe copyRows(
      from: source, sourceStrides.0, to: target, targetStrides.0, counts.0,
      counts.1 * elementByteCount)
    return
  }
  for row in 0..<counts.0 {
    let from = unsafe source + row * sourceStrides.0
    let to = unsafe target + row * targetStrides.0
    switch elementByteCount {
    case 1: unsafe copyElements(UInt8.self, from, sourceStrides.1, to, targetStrides.1, counts.1)
    case 2: unsafe copyElements(UInt16.self, from, sourceStrides.1, to, targetStrides.1, counts.1)
    case 4: unsafe copyElements(UInt32.self, from, sourceStrides.1, to, targetStrides.1, counts.1)
    case 8: unsafe copyElements(UInt64.self, from, sourceStrides.1, to, targetStrides.1, counts.1)
    default:
      unsafe copyElements(SIMD2<UInt64>.self, from, sourceStrides.1, to, targetStrides.1, counts.1)
    }
  }
}

@inline(__always)
private func copyElements<T: BitwiseCopyable>(
  _ type: T.Type, _ source: UnsafeRawPointer, _ sourceStride: Int,
  _ target: UnsafeMutableRawPointer, _ targetStride: Int, _ count: Int
) {
  var from = unsafe source
  var to = unsafe target
  for _ in 0..<count {
    unsafe (to).storeBytes(of: from.loadUnaligned(as: T.self), as: T.self)
    unsafe from += sourceStride
    unsafe to += targetStride
  }
}

/// Copies rows of bytes: the first of each part, then the second of each, as many as `rows`, so that parts
/// whose rows lie side by side are written in the order of memory. Very short rows go several at a time.
package func copyRows(_ parts: UnsafeBufferPointer<BlockRows>, rows: Int) {
  let longest = unsafe parts.reduce(1) { unsafe Swift.max($0, $1.count) }
  let turn = longest < CacheLine.byteCount ? rowsInTurn(byteCount: longest * parts.count) : 1
  for start in stride(from: 0, to: rows, by: turn) {
    for index in parts.indices {
      let part = unsafe parts[index]
      unsafe copyRows(
        from: UnsafeRawPointer(part.from) + start * part.from_stride, part.from_stride,
        to: UnsafeMutableRawPointer(part.to) + start * part.to_stride, part.to_stride,
        Swift.min(turn, rows - start), part.count)
    }
  }
}

/// How many rows of so many bytes, those of all parts together, are copied in a turn of the parts, so that
/// they stay in the nearest cache.
package func rowsInTurn(byteCount: Int) -> Int { Swift.max(1, (1 << 15) / byteCount) }

/// The processor foresees a row's next bytes, but not the next row: it is told of those this far ahead.
private let rowsAhead = 6
/// Longer rows it has foreseen for the most part.
private let longestForetoldByteCount = 4096

/// Copies `rows` runs of `byteCount` bytes. Short rows avoid the call into `memcpy`, which costs
/// more than they do: two overlapping words cover any length between one and two words.
@inline(never)
private func copyRows(
  from source: UnsafeRawPointer, _ sourceStride: Int, to target: UnsafeMutableRawPointer,
  _ targetStride: Int, _ rows: Int, _ byteCount: Int
) {
  switch byteCount {
  case 4..<8:
    unsafe copyPairs(UInt32.self, source, sourceStride, target, targetStride, rows, byteCount)
  case 8..<16:
    unsafe copyPairs(UInt64.self, source, sourceStride, target, targetStride, rows, byteCount)
  case 16...32:
    unsafe copyPairs(
      SIMD16<UInt8>.self, source, sourceStride, target, targetStride, rows, byteCount)
  case 33...64:
    unsafe copyPairs(
      SIMD32<UInt8>.self, source, sourceStride, target, targetStride, rows, byteCount)
  case 2: unsafe copyElements(UInt16.self, source, sourceStride, target, targetStride, rows)
  case 1: unsafe copyElements(UInt8.self, source, sourceStride, target, targetStride, rows)
  default:
    let ahead = byteCount <= longestForetoldByteCount ? byteCount : 0
    for row in 0..<rows {
      unsafe hyperslab_prefetch(source + (row + rowsAhead) * sourceStride, ahead)
      unsafe memcpy(target + row * targetStride, source + row * sourceStride, byteCount)
    }
  }
}

@inline(__always)
private func copyPairs<T: BitwiseCopyable>(
  _ type: T.Type, _ source: UnsafeRawPointer, _ sourceStride: Int,
  _ target: UnsafeMutableRawPointer, _ targetStride: Int, _ rows: Int, _ byteCount: Int
) {
  let tail = byteCount - MemoryLayout<T>.size
  var from = unsafe source
  var to = unsafe target
  for _ in 0..<rows {
    let head = unsafe from.loadUnaligned(as: T.self)
    let rest = unsafe from.loadUnaligned(fromByteOffset: tail, as: T.self)
    unsafe to.storeBytes(of: head, as: T.self)
    unsafe to.storeBytes(of: rest, toByteOffset: tail, as: T.self)
    unsafe from += sourceStride
    unsafe to += targetStride
  }
}
