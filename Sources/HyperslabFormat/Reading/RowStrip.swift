import CPlatform
import HyperslabCodecs
import HyperslabCore

/// Sends rows of several blocks that leave no gap between them to their places past the cache, in whole
/// lines: put together in registers, or first in memory in the nearest cache.
///
/// Lines that are not in the cache are fetched before part of them is written, and push out the blocks that
/// the next rows are taken from.
final class RowStrip {
  private static let byteCount = 1 << 14

  private let memory = ElementBuffer(byteCount: byteCount)

  /// Whether rows of bytes of these parts, in this order, leave no gap between them.
  static func fits(_ parts: UnsafeBufferPointer<BlockRows>) -> Bool {
    guard let first = unsafe parts.first, var end = unsafe first.to,
      unsafe first.to_stride <= byteCount
    else {
      return false
    }
    let start = unsafe end
    for index in parts.indices {
      let part = unsafe parts[index]
      guard unsafe part.to == end, unsafe part.to_stride == first.to_stride else { return false }
      unsafe end += part.count
    }
    return unsafe end - start == first.to_stride
  }

  /// Copies rows of bytes of parts that ``fits(_:)`` is true of to their places.
  func copyRows(
    _ parts: UnsafeBufferPointer<BlockRows>, rows: Int, width: Int = VectorWidth.best
  ) {
    let done = unsafe Self.copyRowsInRegisters(parts, rows: rows, width: width)
    if done < rows { unsafe copyByWayOfStrip(parts, rows: done..<rows) }
    hyperslab_end_streaming()
  }

  /// The same as far as lines can be put together in registers; others see them later.
  ///
  /// - Returns: How many of the rows that were.
  static func copyRowsInRegisters(
    _ parts: UnsafeBufferPointer<BlockRows>, rows: Int, width: Int
  ) -> Int {
    unsafe hyperslab_stream_rows(width, parts.baseAddress, parts.count, rows)
  }

  private func copyByWayOfStrip(_ parts: UnsafeBufferPointer<BlockRows>, rows: Range<Int>) {
    guard let target = unsafe parts[0].to else { return }
    let stride = unsafe parts[0].to_stride
    let turn = Self.byteCount / stride
    let strip = unsafe memory.pointer.assumingMemoryBound(to: UInt8.self)
    var parts = unsafe Array(parts)
    for index in unsafe parts.indices {
      unsafe parts[index].from += rows.lowerBound * parts[index].from_stride
      unsafe parts[index].to = parts[index].to.map { unsafe strip + ($0 - target) }
    }
    for start in Swift.stride(from: rows.lowerBound, to: rows.upperBound, by: turn) {
      let count = Swift.min(turn, rows.upperBound - start)
      unsafe parts.withUnsafeBufferPointer { unsafe HyperslabCore.copyRows($0, rows: count) }
      unsafe hyperslab_stream(strip, target + start * stride, count * stride)
      for index in unsafe parts.indices {
        unsafe parts[index].from += count * parts[index].from_stride
      }
    }
  }
}
