import HyperslabCore
import HyperslabTestSupport
import Testing

@testable import HyperslabCodecs

/// Frames: chunks go in, come out, and nothing else passes for one.
@Suite struct FrameTests {
  /// One random chunk of an array's edge or middle.
  private struct Sample {
    let format: FrameFormat
    let fill: FillValue
    let chunkShape: Shape
    let validShape: Shape
    let level: Int
    /// The padded chunk, C order.
    let padded: [UInt8]
    let elements: [UInt8]

    init(
      _ type: DataType, _ filter: Filter, level: Int, using generator: inout SeededGenerator
    ) throws {
      let size = type.byteCount
      let rank = Int.random(in: 0...3, using: &generator)
      let most = [0: 1, 1: 9000, 2: 90, 3: 20][rank] ?? 1
      chunkShape = Shape((0..<rank).map { _ in Int.random(in: 1...most, using: &generator) })
      let isEdge = generator.chance(1, in: 2)
      validShape = Shape(
        chunkShape.map { isEdge ? Int.random(in: 1...$0, using: &generator) : $0 })
      fill = try FillValue(
        bytes: ElementPattern.bytes(count: 1, of: type, using: &generator), dataType: type)
      let count = try #require(validShape.elementCount)
      elements = ElementPattern.bytes(count: count, of: type, using: &generator)
      self.level = level
      let chunkCount = try #require(chunkShape.elementCount)
      format = try FrameFormat(
        elementByteCount: size, filter: filter, chunkByteCount: chunkCount * size,
        blockByteCount: [4096, 5000, 65536].randomElement(using: &generator) ?? 4096,
        repeatsFill: generator.chance(1, in: 2))
      let pattern = fill.bytes
      var padded = Array((0..<chunkCount).map { _ in pattern }.joined())
      for number in 0..<count {
        var rest = number
        var position = 0
        var stride = 1
        for axis in (0..<rank).reversed() {
          position += rest % validShape[axis] * stride
          rest /= validShape[axis]
          stride *= chunkShape[axis]
        }
        for byte in 0..<size { padded[position * size + byte] = elements[number * size + byte] }
      }
      self.padded = padded
    }

    func copy(_ region: Selection, layout: StridedLayout) -> ChunkCopy {
      ChunkCopy(
        chunkShape: chunkShape, region: StridedSelection(region), layout: layout,
        elementByteCount: format.elementByteCount)
    }

    func encoded(with encoder: FrameEncoder? = nil) throws -> (chunk: EncodedChunk, file: [UInt8]) {
      let encoder = try encoder ?? FrameEncoder(format: format, level: level, fill: fill)
      let layout = try #require(
        StridedLayout.rowMajor(validShape, elementByteCount: format.elementByteCount))
      return try elements.withUnsafeBytes { memory in
        try encoder.encode(copy(Selection(all: validShape), layout: layout), from: memory)
      }
    }
  }

  /// Reads a region of a chunk file, checking everything.
  func decode(
    _ file: [UInt8], _ format: FrameFormat, _ copy: ChunkCopy, into target: inout [UInt8],
    whole: Bool
  ) throws {
    try file.withUnsafeBytes { bytes in
      let head = UnsafeRawBufferPointer(rebasing: bytes.prefix(format.prefixByteCount))
      let prefix = try FramePrefix(head, format: format, fileByteCount: bytes.count)
      let decoder = try FrameDecoder(format: format)
      try target.withUnsafeMutableBytes { memory in
        guard let base = memory.baseAddress else { return }
        for block in 0..<format.blockCount {
          let range = format.byteRange(ofBlock: block)
          let size = format.elementByteCount
          guard whole || copy.touches(range.lowerBound / size..<range.upperBound / size) else {
            continue
          }
          let stored = UnsafeRawBufferPointer(rebasing: bytes[prefix.storedRange(ofBlock: block)])
          try decoder.decode(block: block, stored: stored, prefix: prefix, copy: copy, into: base)
        }
      }
      if whole {
        let trailer = bytes.loadUnaligned(fromByteOffset: bytes.count - 4, as: UInt32.self)
        guard trailer == prefix.trailer else { throw HyperslabError(.checksum, "trailer") }
      }
    }
  }

  @Test(arguments: DataType.allCases, Filter.allCases)
  func roundTrips(type: DataType, filter: Filter) throws {
    var generator = SeededGenerator("frame \(type) \(filter)")
    for trial in 0..<24 {
      let sample = try Sample(type, filter, level: 1 + trial % 12, using: &generator)
      let (chunk, file) = try sample.encoded()
      let format = sample.format
      #expect(
        chunk.isFill
          == (sample.padded
            == Array(
              sample.padded.indices.map {
                sample.fill.bytes[$0 % type.byteCount]
              })))
      // Nothing is written of a chunk that is all fill.
      #expect(file.isEmpty == chunk.isFill)
      if chunk.isFill { continue }
      #expect(file.count <= format.maximumFileByteCount)
      #expect(file.count >= format.minimumFileByteCount)
      // All of it, padding included.
      let size = type.byteCount
      let whole = try #require(StridedLayout.rowMajor(sample.chunkShape, elementByteCount: size))
      var found = [UInt8](repeating: 0x5A, count: sample.padded.count)
      try decode(
        file, format, sample.copy(Selection(all: sample.chunkShape), layout: whole), into: &found,
        whole: true)
      #expect(found == sample.padded, "trial \(trial) \(sample.chunkShape) \(sample.validShape)")
      // A random box of it, from the blocks that it touches alone.
      let box = Selection(
        sample.chunkShape.map { length in
          let low = Int.random(in: 0..<length, using: &generator)
          return low..<Int.random(in: low + 1...length, using: &generator)
        })
      let layout = try #require(StridedLayout.rowMajor(box.shape, elementByteCount: size))
      var part = [UInt8](repeating: 0, count: try #require(box.shape.elementCount) * size)
      try decode(file, format, sample.copy(box, layout: layout), into: &part, whole: false)
      var wanted = part
      let gather = sample.copy(box, layout: layout)
      sample.padded.withUnsafeBytes { from in
        wanted.withUnsafeMutableBytes { to in
          guard let from = from.baseAddress, let to = to.baseAddress else { return }
          gather.scatter(0..<sample.padded.count / size, from: from, into: to)
        }
      }
      #expect(part == wanted, "trial \(trial) \(box) of \(sample.chunkShape)")
      var statistics = ElementStatistics()
      sample.elements.withUnsafeBytes { statistics.add($0, dataType: type) }
      #expect(chunk.statistics == statistics)
    }
  }

  @Test func anEncoderIsUsedAgain() throws {
    var generator = SeededGenerator("again")
    let first = try Sample(.float32, .bitshuffle, level: 1, using: &generator)
    let encoder = try FrameEncoder(format: first.format, level: 1, fill: first.fill)
    let alone = try first.encoded(with: encoder).file
    for _ in 0..<3 { #expect(try first.encoded(with: encoder).file == alone) }
    #expect(try first.encoded().file == alone)
  }

  /// Blocks of nothing but zeros, or but the fill value, between others.
  @Test(arguments: Filter.allCases, [DataType.uint8, .int16, .float32, .complex128])
  func blocksOfOneValue(filter: Filter, type: DataType) throws {
    var generator = SeededGenerator("one value \(filter) \(type)")
    let size = type.byteCount
    let columns = 4096 / size
    let rows = 7
    let chunk: Shape = [rows, columns]
    for fill in [
      FillValue(zero: type),
      try FillValue(
        bytes: ElementPattern.bytes(count: 1, of: type, using: &generator), dataType: type),
    ] {
      for delta in filter == .bitshuffle && type == .int16 ? [nil, 1, columns] : [nil] {
        func format(repeatsFill: Bool) throws -> FrameFormat {
          try FrameFormat(
            elementByteCount: size, filter: filter, deltaStride: delta,
            chunkByteCount: rows * columns * size, blockByteCount: 4096, repeatsFill: repeatsFill)
        }
        var bytes = ElementPattern.bytes(count: rows * columns, of: type, using: &generator)
        let zero = [UInt8](repeating: 0, count: size)
        for (row, value) in [(1, fill.bytes), (2, zero), (5, fill.bytes)] {
          let block = Array((0..<columns).map { _ in value }.joined())
          bytes.replaceSubrange(row * 4096..<(row + 1) * 4096, with: block)
        }
        func copy(_ region: Selection) throws -> ChunkCopy {
          ChunkCopy(
            chunkShape: chunk, region: StridedSelection(region),
            layout: try #require(StridedLayout.rowMajor(region.shape, elementByteCount: size)),
            elementByteCount: size)
        }
        let all = try copy(Selection(all: chunk))
        var sizes: [Int] = []
        for repeatsFill in [false, true] {
          let format = try format(repeatsFill: repeatsFill)
          let encoder = try FrameEncoder(format: format, level: 1, fill: fill)
          let file = try bytes.withUnsafeBytes { try encoder.encode(all, from: $0).file }
          sizes.append(file.count)
          let label = "\(fill) \(String(describing: delta)) \(repeatsFill)"
          var found = [UInt8](repeating: 0x5A, count: bytes.count)
          try decode(file, format, all, into: &found, whole: true)
          #expect(found == bytes, "\(label)")
          for width in [3, columns / 2, columns - 1] {
            let box = Selection([0..<rows, 1..<1 + width])
            var part = [UInt8](repeating: 0x5A, count: rows * width * size)
            try decode(file, format, copy(box), into: &part, whole: false)
            var wanted: [UInt8] = []
            for row in 0..<rows {
              let start = row * 4096 + size
              wanted += bytes[start..<start + width * size]
            }
            #expect(part == wanted, "\(width) of \(label)")
          }
        }
        #expect(sizes[1] < sizes[0])
      }
    }
  }

  @Test func blocksThatDoNotShrinkAreRaw() throws {
    var generator = SeededGenerator("raw")
    let count = 10_000
    let format = try FrameFormat(
      elementByteCount: 1, filter: .none, chunkByteCount: count, blockByteCount: 4096)
    let bytes = (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
    for level in [1, 9, 12] {
      let encoder = try FrameEncoder(format: format, level: level, fill: FillValue(zero: .uint8))
      let copy = ChunkCopy(
        chunkShape: [count], region: StridedSelection(Selection(all: [count])),
        layout: StridedLayout(shape: [count], byteStrides: [1]), elementByteCount: 1)
      let file = try bytes.withUnsafeBytes {
        try encoder.encode(copy, from: $0).file
      }
      #expect(file.count == format.maximumFileByteCount)
      var found = [UInt8](repeating: 0, count: count)
      try decode(file, format, copy, into: &found, whole: true)
      #expect(found == bytes)
    }
  }

  @Test func sizesThatCannotBeAreRefused() throws {
    for (chunk, block) in [
      (Int.max, 4096), (1 << 31, 65536), (Int(Int32.max), 1 << 20), (1 << 62, 1 << 20),
      (100, 4095), (100, 1 << 22 | 1), (100, 0), (100, -1), (100, Int.max),
    ] {
      for size in [1, 16] {
        #expect(throws: HyperslabError.self, "\(chunk) in \(block)") {
          try FrameFormat(
            elementByteCount: size, filter: .none, chunkByteCount: chunk, blockByteCount: block)
        }
      }
    }
    // The largest: 16 + 12n + 4 + bytes + 4 fit into 31 bits.
    let blocks = (Int(Int32.max) - 24) / (4096 + 12)
    let format = try FrameFormat(
      elementByteCount: 1, filter: .none, chunkByteCount: blocks * 4096, blockByteCount: 4096)
    #expect(format.maximumFileByteCount <= Int(Int32.max))
  }
}
