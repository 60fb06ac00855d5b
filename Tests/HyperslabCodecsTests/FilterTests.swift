import HyperslabCore
import HyperslabTestSupport
import Testing

@testable import HyperslabCodecs

/// The filters against their definitions, element by element and bit by bit.
@Suite struct FilterTests {
  static let sizes = [1, 2, 4, 8, 16]
  static let counts = Array(0...70) + Array(4087...4105)

  /// `out[j · m + i] = in[i · e + j]`.
  private func shuffled(_ bytes: [UInt8], _ size: Int) -> [UInt8] {
    let count = bytes.count / size
    var result = bytes
    for element in 0..<count {
      for byte in 0..<size { result[byte * count + element] = bytes[element * size + byte] }
    }
    return result
  }

  /// Bit `b` of byte `j` of element `i` becomes bit `i mod 8` of byte `i div 8` of plane `8j + b`.
  private func bitshuffled(_ bytes: [UInt8], _ size: Int) -> [UInt8] {
    let count = bytes.count / size
    var result = [UInt8](repeating: 0, count: bytes.count)
    for element in 0..<count {
      for plane in 0..<8 * size {
        let bit = bytes[element * size + plane / 8] >> (plane % 8) & 1
        result[plane * (count / 8) + element / 8] |= bit << (element % 8)
      }
    }
    return result
  }

  private typealias Pass = (UnsafeRawPointer, UnsafeMutableRawPointer, Int) -> Void

  /// Runs a filter between two pieces of memory that end where they must not be passed.
  private func run(_ bytes: [UInt8], _ pass: Pass) -> [UInt8] {
    let guardByte: UInt8 = 0xA5
    var target = [UInt8](repeating: guardByte, count: bytes.count + 32)
    let source = bytes + [0]
    source.withUnsafeBytes { from in
      target.withUnsafeMutableBytes { to in
        if let from = from.baseAddress, let to = to.baseAddress { pass(from, to, bytes.count) }
      }
    }
    #expect(target.suffix(32).allSatisfy { $0 == guardByte })
    return Array(target.prefix(bytes.count))
  }

  @Test(arguments: sizes, VectorWidth.all)
  func shuffleIsItsDefinition(size: Int, width: Int) {
    var generator = SeededGenerator("shuffle", size)
    for count in Self.counts {
      let bytes = (0..<count * size).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
      let there = run(bytes) {
        Shuffle.split(
          $0, $1, plane: count, count: $2 / size, elementByteCount: size, width: width)
      }
      #expect(there == shuffled(bytes, size), "\(count) elements")
      let back = run(there) {
        Shuffle.join(
          $0, plane: count, $1, count: $2 / size, elementByteCount: size, width: width)
      }
      #expect(back == bytes, "\(count) elements")
      // A part of the elements.
      let part = count / 3..<count - count / 4
      let expected = Array(bytes[part.lowerBound * size..<part.upperBound * size])
      let some = run(expected) { _, target, _ in
        there.withUnsafeBytes {
          guard let planes = $0.baseAddress else { return }
          Shuffle.join(
            planes + part.lowerBound, plane: count, target, count: part.count,
            elementByteCount: size, width: width)
        }
      }
      #expect(some == expected, "\(part) of \(count) elements")
    }
  }

  /// Rows of every length between two groups, of two parts in turn, each to its place, and nothing
  /// between them touched.
  @Test(arguments: sizes, VectorWidth.all)
  func rowsAreJoinedInPlace(size: Int, width: Int) {
    var generator = SeededGenerator("rows", size)
    for columns in 1...140 {
      let rows = 3
      let (gap, tail) = (5, 7)
      let elements = rows * (columns + gap)
      let bytes = (0..<elements * size).map { _ in
        UInt8.random(in: .min ... .max, using: &generator)
      }
      let planes = shuffled(bytes, size)
      let stride = columns * size + tail
      // The second part: fewer columns, from the gaps' side, to memory behind the first.
      let fewer = Swift.max(1, columns - columns / 3)
      var target = [UInt8](repeating: 0xA5, count: 2 * rows * stride)
      var wanted = target
      for row in 0..<rows {
        let start = row * (columns + gap) * size
        wanted.replaceSubrange(
          row * stride..<row * stride + columns * size, with: bytes[start..<start + columns * size])
        wanted.replaceSubrange(
          (rows + row) * stride..<(rows + row) * stride + fewer * size,
          with: bytes[start + gap * size..<start + (gap + fewer) * size])
      }
      planes.withUnsafeBytes { from in
        target.withUnsafeMutableBytes { to in
          guard let from = from.baseAddress, let to = to.baseAddress else { return }
          let parts = [
            BlockRows(
              from: from, plane: elements, stride: columns + gap, to: to, targetStride: stride,
              count: columns),
            BlockRows(
              from: from + gap, plane: elements, stride: columns + gap, to: to + rows * stride,
              targetStride: stride, count: fewer),
          ]
          parts.withUnsafeBufferPointer {
            Shuffle.joinRows($0, rows: rows, elementByteCount: size, width: width)
          }
        }
      }
      #expect(target == wanted, "rows of \(columns)")
    }
  }

  /// Of random elements, and of small numbers, whose upper byte planes are all zeros.
  @Test(arguments: sizes, VectorWidth.all)
  func bitshuffleIsItsDefinition(size: Int, width: Int) {
    var generator = SeededGenerator("bitshuffle", size)
    for (count, significant) in Self.counts.flatMap({ [($0, size), ($0, 1)] }) {
      let byteCount = count * size
      #expect(
        Bitshuffle.applies(byteCount: byteCount, elementByteCount: size) == (count % 8 == 0))
      if count % 8 != 0 { continue }
      let bytes = (0..<byteCount).map { offset in
        offset % size < significant ? UInt8.random(in: .min ... .max, using: &generator) : 0
      }
      let scratch = ElementBuffer(byteCount: byteCount)
      let there = run(bytes) {
        Bitshuffle.split(
          $0, $1, scratch: scratch.pointer, count: $2 / size, elementByteCount: size, width: width)
      }
      #expect(there == bitshuffled(bytes, size), "\(count) elements")
      for part in [0..<count, count / 16 * 8..<count, 0..<count / 24 * 8] {
        let planes = run(Array(bytes.prefix(part.count * size))) { _, target, _ in
          there.withUnsafeBytes {
            guard let source = $0.baseAddress else { return }
            Bitshuffle.join(
              BitPlanes(source, elementCount: count, elementByteCount: size), part, target,
              elementByteCount: size, width: width)
          }
        }
        let expected = Array(bytes[part.lowerBound * size..<part.upperBound * size])
        #expect(planes == shuffled(expected, size), "\(part) of \(count) elements")
        let elements = run(expected) { _, target, _ in
          there.withUnsafeBytes {
            guard let source = $0.baseAddress else { return }
            Bitshuffle.joinElements(
              BitPlanes(source, elementCount: count, elementByteCount: size), part, target,
              scratch: scratch.pointer, elementByteCount: size, width: width)
          }
        }
        #expect(elements == expected, "\(part) of \(count) elements")
      }
    }
  }

  /// Column after column, each element less the one before it in its column; written as the Spec does.
  private func differences<T: FixedWidthInteger>(_ values: [T], stride: Int) -> [T] {
    var result: [T] = []
    for column in 0..<min(stride, values.count) {
      var before: T = 0
      for position in Swift.stride(from: column, to: values.count, by: stride) {
        result.append(values[position] &- before)
        before = values[position]
      }
    }
    return result
  }

  private func checkDelta<T: FixedWidthInteger & UnsignedInteger>(_ type: T.Type) {
    var generator = SeededGenerator("delta", T.bitWidth)
    let size = T.bitWidth / 8
    let strides = Array(1...33) + [63, 64, 65, 100, 127, 128, 129, 1000, 4099, 4100, 4101, .max]
    for count in [0, 1, 2, 7, 8, 9, 63, 64, 65, 255, 257, 1000, 4096, 4100, 4101] {
      for stride in strides where count < 300 || stride % 3 < 2 {
        let values: [T] = (0..<count).map { _ in
          generator.chance(1, in: 4)
            ? [T.min, T.max, T.max / 2, T.max / 2 + 1].randomElement(using: &generator) ?? 0
            : T.random(in: .min ... .max, using: &generator)
        }
        let bytes = values.withUnsafeBytes { Array($0) }
        let there = run(bytes) {
          Delta.apply($0, $1, byteCount: $2, elementByteCount: size, stride: stride)
        }
        let wanted = differences(values, stride: stride).withUnsafeBytes { Array($0) }
        #expect(there == wanted, "\(count) elements, stride \(stride)")
        let back = run(there) {
          Delta.undo($0, $1, byteCount: $2, elementByteCount: size, stride: stride)
        }
        #expect(back == bytes, "\(count) elements, stride \(stride)")
      }
    }
  }

  @Test func deltaIsItsDefinition() {
    checkDelta(UInt8.self)
    checkDelta(UInt16.self)
    checkDelta(UInt32.self)
    checkDelta(UInt64.self)
  }
}
