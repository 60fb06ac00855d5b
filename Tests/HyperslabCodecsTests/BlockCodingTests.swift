import HyperslabCore
import HyperslabTestSupport
import Testing

@testable import HyperslabCodecs

@Suite struct BlockCodingTests {
  private func choice<Element: ArrayElement>(
    _ values: [Element], shape: Shape? = nil, chunk: Shape, block: Int? = nil, level: Int = 1
  ) throws -> BlockCoding {
    let fill = FillValue(zero: Element.dataType)
    let layout = try #require(
      StridedLayout.rowMajor(
        shape ?? [values.count], elementByteCount: Element.dataType.byteCount))
    return try values.withUnsafeBytes { bytes in
      try BlockCoding.choose(
        .memory(#require(bytes.baseAddress), layout), chunkShape: chunk, fill: fill, level: level,
        blockByteCount: block)
    }
  }

  @Test func theFilterFitsTheData() throws {
    var generator = SeededGenerator("choice")
    let noise = (0..<50_000).map { _ in UInt64.random(in: .min ... .max, using: &generator) }
    #expect(try choice(noise, chunk: [20_000]).filter == .none)
    let walk = (0..<100_000).reduce(into: [Int16(0)]) { walk, _ in
      walk.append(walk[walk.count - 1] &+ Int16.random(in: -3...3, using: &generator))
    }
    #expect(try choice(walk, chunk: [50_000]).filter != .none)
    let counter = (0..<100_000).map { Int64($0) }
    #expect(try choice(counter, chunk: [30_000]).filter != .none)
    // A sample of one element, and of less than a chunk.
    _ = try choice([Int32(5)], chunk: [1000])
    _ = try choice([UInt8](), chunk: [1000])
  }

  /// As at the corners of an image: chunks in step with the array's shape hold nothing.
  @Test func emptyChunksInStepDoNotDecide() throws {
    var generator = SeededGenerator("empty corners")
    let (chunks, length) = (100, 4000)
    var values = (0..<chunks * length).map { _ in
      Float(Int.random(in: 0...255, using: &generator))
    }
    for empty in [0, 33, 66, 99] {
      for index in empty * length..<(empty + 1) * length { values[index] = 0 }
    }
    #expect(try choice(values, chunk: [length]).filter != .none)
  }

  /// Of mostly nothing, what little there is decides, wherever in its chunk it lies.
  @Test func theLittleThereIsDecides() throws {
    var generator = SeededGenerator("little")
    let bits = (0..<150_000).map { _ in UInt8.random(in: 0...1, using: &generator) }
    for start in stride(from: 100_000, through: 1_700_000, by: 400_000) {
      var values = [UInt8](repeating: 0, count: 8_000_000)
      for chunk in 0..<4 {
        let low = chunk * 2_000_000 + start
        values.replaceSubrange(low..<low + bits.count, with: bits)
      }
      #expect(try choice(values, chunk: [2_000_000]).filter == .bitshuffle, "from \(start)")
    }
  }

  @Test func blocksAreLargeOnlyWhereThatSavesMuch() throws {
    var generator = SeededGenerator("block size")
    let noise = (0..<2_000_000).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
    #expect(try choice(noise, chunk: [1_000_000]).blockByteCount == 1 << 16)
    // What comes back every 24 KiB is new only once a block.
    let period = noise.prefix(24_000)
    let repeated = (0..<80).flatMap { _ in period }
    #expect(try choice(repeated, chunk: [960_000]).blockByteCount == 240_000)
    #expect(try choice(repeated, chunk: [480_001]) == .init(filter: .none, blockByteCount: 240_008))
    // Never against what was asked for, nor where chunks are no larger than the usual block.
    #expect(try choice(repeated, chunk: [960_000], block: 1 << 15).blockByteCount == 1 << 15)
    #expect(try choice(repeated, chunk: [60_000]).blockByteCount == 1 << 16)
  }

  /// Of the least part of a chunk that no block holds, so that a slice touches few.
  @Test func largeBlocksLieWholeInOnePositionOfOuterAxes() throws {
    var generator = SeededGenerator("blocks in positions")
    let period = (0..<6000).map { _ in Float.random(in: 0...1, using: &generator) }
    let volumes = (0..<100).flatMap { _ in period }
    #expect(volumes.count == 3 * 20 * 100 * 100)
    let chunks: [(Shape, Int)] = [
      ([3, 20, 100, 100], 200_000), ([2, 10, 100, 100], 200_000), ([3, 5, 100, 100], 200_000),
      ([3, 20, 100, 50], 200_000), ([1, 20, 70, 100], 186_688), ([3, 20, 10, 10], 1 << 16),
    ]
    for (chunk, block) in chunks {
      let coding = try choice(volumes, shape: [3, 20, 100, 100], chunk: chunk)
      #expect(coding.blockByteCount == block, "chunks of \(chunk)")
    }
  }

  /// Bit shuffle takes eight elements at a time: what is left over is a small block of its own.
  @Test func bitShuffleReachesChunksOfAnyLength() throws {
    var generator = SeededGenerator("digits")
    let digits = (0..<300_000).map { _ in Int32.random(in: 0...9, using: &generator) }
    for (length, block) in [
      (15_876, 63_488), (15_872, 1 << 16), (99_999, 57_120), (100_000, 1 << 16),
    ] {
      let coding = try choice(digits, chunk: [length])
      #expect(coding == BlockCoding(filter: .bitshuffle, blockByteCount: block), "\(length)")
      let format = try FrameFormat(
        elementByteCount: 4, filter: .bitshuffle, chunkByteCount: 4 * length,
        blockByteCount: coding.blockByteCount)
      let filters = (0..<format.blockCount).map { format.filter(ofBlock: $0) }
      #expect(filters.dropLast().allSatisfy { $0 == .bitshuffle })
      let rest = format.byteRange(ofBlock: format.blockCount - 1).count
      #expect(filters.last == .bitshuffle || rest < 4 * 8 * format.blockCount)
    }
    // The second chunk is all but padding, which must not tip the scale.
    #expect(try choice(digits, chunk: [299_999]).blockByteCount == 63_136)
    // Chosen by the caller, and where the blocks would be too small.
    func usual(_ filter: Filter?, _ byteCount: Int) -> Int {
      BlockCoding.usualBlockByteCount(filter, chunkShape: [byteCount / 4], elementByteCount: 4)
    }
    #expect(usual(.bitshuffle, 63_504) == 63_488)
    #expect(usual(.bitshuffle, 4100) == 4096)
    #expect(usual(.bitshuffle, 4092) == 1 << 16)
    #expect(usual(.bitshuffle, 4) == 1 << 16)
    // A small rest is let be: other blocks than 64 KiB compressed voltages 2 % less.
    #expect(usual(.bitshuffle, 143 << 16 | 4) == 1 << 16)
    #expect(usual(.shuffle, 63_504) == 1 << 16)
    #expect(usual(nil, 63_504) == 1 << 16)
    #expect(try choice(digits, chunk: [15_876], block: 8192).blockByteCount == 8192)
  }

  @Test func blocksOfTheFillValueAreRepeatedWhereThatSaves() throws {
    var generator = SeededGenerator("sparse")
    let noise = (0..<1_000_000).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
    let sparse = noise.indices.map { $0 / 50_000 % 10 == 7 ? noise[$0] >> 6 : 0 }
    for block in [nil, 1 << 14] {
      #expect(try choice(sparse, chunk: [500_000], block: block).repeatsFill)
      // Nothing to save: a chunk of two blocks of zeros is not stored at all.
      #expect(try !choice(sparse, chunk: [block ?? 1 << 16], block: block).repeatsFill)
      #expect(try !choice(noise, chunk: [500_000], block: block).repeatsFill)
    }
    // Chunks of zeros are not stored, whatever the others are.
    let zeroChunks = noise.indices.map { $0 / 500_000 == 0 ? 0 : noise[$0] & 1 }
    #expect(try !choice(zeroChunks, chunk: [500_000]).repeatsFill)
    let nothing = [UInt16](repeating: 0, count: 1_000_000)
    #expect(try choice(nothing, chunk: [250_000]) == .init(filter: .shuffle, blockByteCount: 65536))
    // Zeros are a small part of what is stored.
    let halfNoise = noise.indices.map { $0 / 100_000 % 2 == 0 ? noise[$0] : 0 }
    #expect(try !choice(halfNoise, chunk: [500_000]).repeatsFill)
  }

  @Test func highLevelsGoOnToAFewEqualBlocks() throws {
    var generator = SeededGenerator("block size, high levels")
    let noise = (0..<1_500_000).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
    #expect(try choice(noise, chunk: [1_000_000], level: 9).blockByteCount == 1 << 16)
    let period = noise.prefix(24_000)
    let repeated = (0..<260).flatMap { _ in period }
    for level in [3, 9] {
      // As few as fit 3 MiB, in multiples of eight elements.
      #expect(try choice(repeated, chunk: [960_000], level: level).blockByteCount == 960_000)
      #expect(try choice(repeated, chunk: [3 << 20], level: level).blockByteCount == 3 << 20)
      #expect(try choice(repeated, chunk: [3 << 20 | 1], level: level).blockByteCount == 1_572_872)
      #expect(try choice(repeated, chunk: [400_000], level: level).blockByteCount == 400_000)
      #expect(
        try choice(repeated, chunk: [960_000], block: 1 << 19, level: level).blockByteCount
          == 1 << 19)
    }
    #expect(try choice(repeated, chunk: [960_000], level: 2).blockByteCount == 240_000)
  }
}
