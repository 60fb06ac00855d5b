import HyperslabCore
import HyperslabTestSupport
import Testing

@testable import HyperslabCodecs
@testable import HyperslabFormat

/// Rows that leave no gap between them, however they are cut into parts and wherever they begin.
@Suite struct RowStripTests {
  private static let strides = [2, 16, 32, 64, 96, 128, 130, 192, 256, 640, 1024, 4224]

  /// The ends of some parts of a row.
  private func cuts(_ stride: Int, by random: inout SeededGenerator) -> [Int] {
    let widest = Swift.min(stride, Int.random(in: 1...70, using: &random))
    var ends = [Int.random(in: 1...widest, using: &random)]
    while let end = ends.last, end < stride {
      ends.append(Swift.min(stride, end + Int.random(in: 1...widest, using: &random)))
    }
    return ends
  }

  @Test(arguments: strides, VectorWidth.all)
  func everyByteInItsPlace(stride: Int, width: Int) throws {
    var random = SeededGenerator("row strip", stride)
    let strip = RowStrip()
    for alignment in [0, 0, 64, 16, 1] {
      let rows = Int.random(in: 1...300, using: &random)
      let ends = cuts(stride, by: &random)
      // Of all parts alike, as of chunks of one shape, or not.
      let gap = Int.random(in: 0...40, using: &random)
      let areAlike = alignment != 64
      let lengths = zip(ends, [0] + ends).map { $0 - $1 }
      let longest = lengths.reduce(0) { Swift.max($0, $1) }
      let sourceStrides = lengths.map { (areAlike ? longest : $0) + gap }
      let source = ElementBuffer(byteCount: sourceStrides.reduce(0) { $0 + $1 * rows })
      for offset in 0..<source.byteCount {
        source.pointer.storeBytes(of: random.next(), toByteOffset: offset, as: UInt8.self)
      }
      let target = ElementBuffer(byteCount: alignment + stride * rows + 64)
      let all = UnsafeMutableRawBufferPointer(start: target.pointer, count: target.byteCount)
      all.initializeMemory(as: UInt8.self, repeating: 0xA5)
      var wanted = Array(all)
      var parts: [BlockRows] = []
      var from = UnsafeRawPointer(source.pointer)
      var start = 0
      for (length, sourceStride) in zip(lengths, sourceStrides) {
        parts.append(
          BlockRows(
            from: from, stride: sourceStride, to: target.pointer + alignment + start,
            targetStride: stride, count: length))
        for row in 0..<rows {
          for byte in 0..<length {
            wanted[alignment + row * stride + start + byte] = from.load(
              fromByteOffset: row * sourceStride + byte, as: UInt8.self)
          }
        }
        from += sourceStride * rows
        start += length
      }
      parts.withUnsafeBufferPointer {
        #expect(RowStrip.fits($0))
        strip.copyRows($0, rows: rows, width: width)
      }
      let isRight = Array(all) == wanted
      #expect(isRight, "\(rows) rows of \(lengths), \(alignment) bytes from a line")
    }
  }

  /// Rows that make whole lines, of parts that are not too narrow, need no memory in between.
  @Test(arguments: [16, 32, 64, 128, 384], [0, 64])
  func wholeLinesInRegisters(stride: Int, alignment: Int) {
    let rows = 8 * Swift.max(1, 128 / stride)
    let source = ElementBuffer(byteCount: rows * stride)
    let target = ElementBuffer(byteCount: alignment + rows * stride)
    let parts = (0..<stride / 16).map { part in
      BlockRows(
        from: source.pointer + 16 * part, stride: stride,
        to: target.pointer + alignment + 16 * part, targetStride: stride, count: 16)
    }
    let done = parts.withUnsafeBufferPointer {
      RowStrip.copyRowsInRegisters($0, rows: rows, width: VectorWidth.best)
    }
    #expect(done == (VectorWidth.best < 64 ? 0 : rows))
  }
}
