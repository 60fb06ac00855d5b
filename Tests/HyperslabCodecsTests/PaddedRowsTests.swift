import HyperslabCore
import HyperslabTestSupport
import Testing

@testable import HyperslabCodecs

/// Chunks whose short rows are padded: few sequences for little more room.
@Suite struct PaddedRowsTests {
  private static let chunkShape: Shape = [3272, 10]

  /// The sequences of an LZ4 block.
  private func sequenceCount(_ block: some Collection<UInt8>) -> Int {
    var rest = block[...]
    func length(_ short: UInt8) -> Int {
      var sum = Int(short)
      if short < 15 { return sum }
      while let byte = rest.popFirst() {
        sum += Int(byte)
        if byte < 255 { break }
      }
      return sum
    }
    var count = 0
    while let token = rest.popFirst() {
      count += 1
      rest = rest.dropFirst(length(token >> 4))
      if rest.isEmpty { break }
      rest = rest.dropFirst(2)
      _ = length(token & 15)
    }
    return count
  }

  private struct Outcome {
    let sequenceCount: Int
    let byteCount: Int
    let unpacked: [UInt8]
  }

  /// Encodes what lies in the first columns of a chunk of one block, where the array ends after them.
  private func outcome(
    _ elements: [Int16], columns: Int, _ filter: Filter, level: Int
  ) throws -> Outcome {
    let chunkByteCount = Self.chunkShape[0] * Self.chunkShape[1] * 2
    let format = try FrameFormat(
      elementByteCount: 2, filter: filter, chunkByteCount: chunkByteCount, blockByteCount: 1 << 16)
    let encoder = try FrameEncoder(format: format, level: level, fill: FillValue(zero: .int16))
    let shape: Shape = [Self.chunkShape[0], columns]
    let copy = ChunkCopy(
      chunkShape: Self.chunkShape, region: StridedSelection(Selection(all: shape)),
      layout: try #require(StridedLayout.rowMajor(shape, elementByteCount: 2)), elementByteCount: 2)
    let file = try elements.withUnsafeBytes { try encoder.encode(copy, from: $0).file }
    let payload = file[format.prefixByteCount + 4..<file.count - 4]
    var unpacked = [UInt8](repeating: 0, count: chunkByteCount)
    let isWhole = Array(payload).withUnsafeBytes { source in
      unpacked.withUnsafeMutableBytes { decompressLZ4(source, into: $0) }
    }
    #expect(isWhole)
    return Outcome(
      sequenceCount: sequenceCount(payload), byteCount: file.count, unpacked: unpacked)
  }

  /// The array's end among a chunk's columns, against an array that goes on with zeros.
  @Test func paddingDoesNotCutBitsOfNoiseUp() throws {
    var generator = SeededGenerator("padded rows")
    let noise = (0..<Self.chunkShape[0] * 4).map { _ in
      Int16.random(in: -200...200, using: &generator)
    }
    let zeros = Array(repeating: Int16(0), count: 6)
    let whole = (0..<Self.chunkShape[0]).flatMap { noise[$0 * 4..<$0 * 4 + 4] + zeros }
    for (filter, level) in [(Filter.bitshuffle, 1), (.bitshuffle, 9), (.shuffle, 1)] {
      let padded = try outcome(noise, columns: 4, filter, level: level)
      let full = try outcome(whole, columns: 10, filter, level: level)
      #expect(padded.unpacked == full.unpacked)
      if filter == .bitshuffle, level == 1 {
        #expect(padded.sequenceCount * 4 < full.sequenceCount * 3)
        #expect(padded.byteCount * 7 < full.byteCount * 8)
      } else {
        #expect(padded.sequenceCount == full.sequenceCount)
      }
    }
  }
}
