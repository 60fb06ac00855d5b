import HyperslabCore
import HyperslabTestSupport
import Testing

/// One copy, with a model that knows for each position where it lies on either side.
private struct CopyCase {
  let chunkShape: Shape
  let region: StridedSelection
  let layout: StridedLayout
  let farByteCount: Int
  let size: Int
  /// Pairs of stream element and byte offset on the far side, one a position of the region.
  let pairs: [(element: Int, offset: Int)]

  init(_ shapes: inout ShapeGenerator, chunkShape: Shape, size: Int, isWhole: Bool = false) {
    self.chunkShape = chunkShape
    self.size = size
    let axes = chunkShape.map { length -> StridedSelection.Axis in
      if isWhole || shapes.generator.chance(1, in: 3) { return .init(start: 0, count: length) }
      let start = Int.random(in: 0..<length, using: &shapes.generator)
      let step =
        shapes.generator.chance(1, in: 2) ? 1 : Int.random(in: 1...4, using: &shapes.generator)
      let most = (length - start - 1) / step + 1
      let least = shapes.generator.chance(1, in: 30) ? 0 : 1
      return .init(
        start: start, count: Int.random(in: least...most, using: &shapes.generator), step: step)
    }
    region = StridedSelection(axes)
    (layout, farByteCount) = shapes.layout(of: region.shape, elementByteCount: size)
    let layout = layout
    pairs = NaiveSlicing.combinations(axes.map { Array(0..<$0.count) }).map { position in
      var element = 0
      var offset = layout.byteOffset
      for (index, place) in position.enumerated() {
        element = element * chunkShape[index] + axes[index].start + place * axes[index].step
        offset += place * layout.byteStrides[index]
      }
      return (element, offset)
    }
  }

  var copy: ChunkCopy {
    ChunkCopy(chunkShape: chunkShape, region: region, layout: layout, elementByteCount: size)
  }

  var elementCount: Int { chunkShape.reduce(1, *) }

  /// Runs both directions over a range of the stream, between guard bytes, and compares all memory.
  func check(_ range: Range<Int>, _ generator: inout SeededGenerator) {
    let guardCount = 80
    let copy = copy
    let far = ElementPattern.bytes(count: farByteCount, of: .uint8, using: &generator)
    let near = ElementPattern.bytes(
      count: range.count * size + 2 * guardCount, of: .uint8, using: &generator)
    var gathered = near
    var scattered = far
    for pair in pairs where range.contains(pair.element) {
      let place = guardCount + (pair.element - range.lowerBound) * size
      for byte in 0..<size {
        gathered[place + byte] = far[pair.offset + byte]
        scattered[pair.offset + byte] = near[place + byte]
      }
    }
    // A misaligned start, as memory-mapped files have it.
    let shift = Int.random(in: 0...3, using: &generator)
    let pad = [UInt8](repeating: 0xEE, count: shift)
    var farMemory = pad + far + [UInt8](repeating: 0xEE, count: guardCount)
    var nearMemory = near
    farMemory.withUnsafeMutableBytes { farBytes in
      nearMemory.withUnsafeMutableBytes { nearBytes in
        guard let farBase = farBytes.baseAddress, let nearBase = nearBytes.baseAddress else {
          return
        }
        copy.gather(range, from: UnsafeRawPointer(farBase + shift), into: nearBase + guardCount)
      }
    }
    #expect(nearMemory == gathered, "gather \(range) of \(self)")
    nearMemory = near
    farMemory.withUnsafeMutableBytes { farBytes in
      nearMemory.withUnsafeBytes { nearBytes in
        guard let farBase = farBytes.baseAddress, let nearBase = nearBytes.baseAddress else {
          return
        }
        copy.scatter(range, from: nearBase + guardCount, into: farBase + shift)
      }
    }
    let wanted = pad + scattered + [UInt8](repeating: 0xEE, count: guardCount)
    #expect(farMemory == wanted, "scatter \(range) of \(self)")
    #expect(
      copy.touches(range) == pairs.contains { range.contains($0.element) },
      "touches \(range) of \(self)")
  }

  func checkProperties() {
    let copy = copy
    #expect(copy.elementCount == elementCount)
    #expect(copy.coversChunk == (pairs.count == elementCount), "coversChunk of \(self)")
    let elements = pairs.map(\.element)
    if let first = elements.min(), let last = elements.max() {
      #expect(copy.streamRange == first..<last + 1, "streamRange of \(self)")
    } else {
      #expect(copy.streamRange.isEmpty, "streamRange of \(self)")
    }
    let start = pairs.first?.offset ?? 0
    let isOnePiece =
      pairs.count == elementCount
      && pairs.enumerated().allSatisfy { $1.element == $0 && $1.offset == start + $0 * size }
    #expect(copy.contiguousOffset == (isOnePiece ? start : nil), "contiguousOffset of \(self)")
  }
}

@Suite struct ChunkCopyTests {
  static let sizes = [1, 2, 4, 8, 16]

  @Test(arguments: sizes)
  func anyRangeOfAnyRegionOfAnyLayout(_ size: Int) {
    var shapes = ShapeGenerator(SeededGenerator("copy", size), elementLimit: 240)
    for _ in 0..<1500 {
      let shape = shapes.arrayShape(allowsEmpty: false)
      let one = CopyCase(&shapes, chunkShape: shape, size: size)
      one.checkProperties()
      let count = one.elementCount
      one.check(0..<count, &shapes.generator)
      for _ in 0..<4 {
        let low = Int.random(in: 0...count, using: &shapes.generator)
        one.check(
          low..<Int.random(in: low...count, using: &shapes.generator), &shapes.generator)
      }
    }
  }

  @Test(arguments: sizes)
  func everyRangeOfSmallChunks(_ size: Int) {
    var shapes = ShapeGenerator(SeededGenerator("small copy", size), elementLimit: 16)
    for _ in 0..<150 {
      let shape = shapes.arrayShape(allowsEmpty: false)
      let one = CopyCase(&shapes, chunkShape: shape, size: size)
      for low in 0...one.elementCount {
        for high in low...one.elementCount { one.check(low..<high, &shapes.generator) }
      }
    }
  }

  @Test(arguments: sizes)
  func rowsOfEveryLength(_ size: Int) {
    // The row kernels change with the byte count; up to beyond two of the widest words.
    var shapes = ShapeGenerator(SeededGenerator("rows", size))
    for columns in 1...(140 / size + 2) {
      let wide: Shape = [5, columns + 3]
      for start in 0...3 {
        let region = StridedSelection([
          .init(start: 1, count: 2, step: 2), .init(start: start, count: columns),
        ])
        let one = CopyCase(&shapes, chunkShape: wide, size: size, isWhole: true)
        one.check(0..<one.elementCount, &shapes.generator)
        let layout = StridedLayout(
          shape: region.shape, byteOffset: 3, byteStrides: [columns * size + 1, size])
        let copy = ChunkCopy(
          chunkShape: wide, region: region, layout: layout, elementByteCount: size)
        let block = ElementPattern.bytes(
          count: wide[0] * wide[1] * size, of: .uint8, using: &shapes.generator)
        var memory = [UInt8](repeating: 0xEE, count: 2 * columns * size + 1 + 6)
        var wanted = memory
        for row in 0..<2 {
          for byte in 0..<columns * size {
            wanted[3 + row * (columns * size + 1) + byte] =
              block[((1 + 2 * row) * wide[1] + start) * size + byte]
          }
        }
        memory.withUnsafeMutableBytes { memory in
          block.withUnsafeBytes { block in
            guard let to = memory.baseAddress, let from = block.baseAddress else { return }
            copy.scatter(0..<copy.elementCount, from: from, into: to)
          }
        }
        #expect(memory == wanted)
      }
    }
  }

  @Test func theStreamMayBeWalkedInPieces() {
    var shapes = ShapeGenerator(SeededGenerator("pieces"), elementLimit: 400)
    for _ in 0..<200 {
      let size = Self.sizes.randomElement(using: &shapes.generator) ?? 1
      let shape = shapes.arrayShape(allowsEmpty: false)
      let one = CopyCase(&shapes, chunkShape: shape, size: size)
      let copy = one.copy
      let far = ElementPattern.bytes(count: one.farByteCount, of: .uint8, using: &shapes.generator)
      let piece = Int.random(in: 1...one.elementCount, using: &shapes.generator)
      var back = [UInt8](repeating: 0, count: far.count)
      for low in stride(from: 0, to: one.elementCount, by: piece) {
        let range = low..<min(low + piece, one.elementCount)
        var block = [UInt8](repeating: 0, count: range.count * size)
        block.withUnsafeMutableBytes { block in
          guard let to = block.baseAddress else { return }
          far.withUnsafeBytes { far in
            if let from = far.baseAddress { copy.gather(range, from: from, into: to) }
          }
          back.withUnsafeMutableBytes { back in
            if let base = back.baseAddress { copy.scatter(range, from: to, into: base) }
          }
        }
      }
      for pair in one.pairs {
        #expect(back[pair.offset..<pair.offset + size] == far[pair.offset..<pair.offset + size])
      }
    }
  }

  @Test func emptyRegionsTouchNothing() {
    // Axes of length one, where a stray merge would lose that the region is empty.
    for empty in 0..<3 {
      for shape in [[1, 1, 4], [4, 1, 1], [1, 4, 1], [2, 1, 3]] {
        let axes = shape.enumerated().map { axis, length in
          StridedSelection.Axis(start: 0, count: axis == empty ? 0 : length)
        }
        let region = StridedSelection(axes)
        let layout = StridedLayout(shape: region.shape, byteStrides: [1000, 100, 1])
        let copy = ChunkCopy(
          chunkShape: Shape(shape), region: region, layout: layout, elementByteCount: 1)
        #expect(!copy.touches(0..<copy.elementCount))
        #expect(copy.streamRange.isEmpty)
        #expect(!copy.coversChunk)
        #expect(copy.contiguousOffset == nil)
        var memory = [UInt8](repeating: 7, count: 8)
        let block = [UInt8](repeating: 1, count: copy.elementCount)
        memory.withUnsafeMutableBytes { memory in
          block.withUnsafeBytes { block in
            guard let to = memory.baseAddress, let from = block.baseAddress else { return }
            copy.scatter(0..<copy.elementCount, from: from, into: to)
          }
        }
        #expect(memory.allSatisfy { $0 == 7 })
      }
    }
  }
}
