import HyperslabCodecs
import HyperslabCore
import HyperslabTestSupport
import Testing

@testable import HyperslabFormat

/// Chunk files: whatever stands in them, the right values or an error come out, and nothing is
/// written beyond the memory that is for them.
@Suite struct FrameFuzzTests {
  private static let file = StorePath("c")
  private static let guardByteCount = 64

  /// Reads a region; the memory around it must stay as it was.
  private static func read(
    _ bytes: [UInt8], _ sample: SampleFrame, _ row: ChunkRow, _ region: Selection
  ) throws -> [UInt8] {
    let size = sample.format.elementByteCount
    guard let plain = StridedLayout.rowMajor(region.shape, elementByteCount: size),
      let count = region.shape.elementCount
    else { throw FuzzFailure("no layout") }
    let memory = ElementBuffer(byteCount: count * size + 2 * guardByteCount)
    memory.pointer.initializeMemory(as: UInt8.self, repeating: 0xA5, count: memory.byteCount)
    let copy = ChunkCopy(
      chunkShape: sample.chunkShape, region: StridedSelection(region), layout: plain,
      elementByteCount: size)
    let files = MemoryFiles(contents: [file: bytes])
    let result = Result { () throws(HyperslabError) in
      let reader = try ChunkReader(format: sample.format)
      try reader.read(
        reader.open(file, in: files, row: row), copy: copy, into: memory.pointer + guardByteCount)
    }
    let all = UnsafeRawBufferPointer(start: memory.pointer, count: memory.byteCount)
    let guards = all.prefix(guardByteCount) + all.suffix(guardByteCount)
    try demand(guards.allSatisfy { $0 == 0xA5 }, "memory beyond the values was written")
    try result.get()
    return Array(all.dropFirst(guardByteCount).dropLast(guardByteCount))
  }

  private static func part(_ sample: SampleFrame, _ generator: inout SeededGenerator) -> Selection {
    Selection(
      sample.chunkShape.map { length in
        let low = Int.random(in: 0..<length, using: &generator)
        return low..<Int.random(in: low + 1...length, using: &generator)
      })
  }

  private static func mutate(
    _ sample: SampleFrame, other: SampleFrame, _ generator: inout SeededGenerator
  ) -> [UInt8] {
    var bytes = sample.bytes
    if generator.chance(1, in: 2) {
      // Words of the prefix and of the blocks' lengths.
      for _ in 0..<Int.random(in: 1...2, using: &generator) {
        let words: [UInt32] = [
          0, 1, 4, 0x7FFF_FFFF, 0x8000_0000, .max, UInt32(bytes.count), UInt32(bytes.count - 4),
          UInt32(sample.format.prefixByteCount), UInt32(truncatingIfNeeded: generator.next()),
        ]
        let near = Swift.min(bytes.count - 4, sample.format.prefixByteCount)
        let offset = Int.random(in: 0...near / 4, using: &generator) * 4
        var word = words.randomElement(using: &generator) ?? 0
        bytes.withUnsafeMutableBytes { memory in
          let old = memory.loadUnaligned(fromByteOffset: offset, as: UInt32.self)
          if old & 1 == 0 { word = old &+ UInt32(truncatingIfNeeded: Int32(bitPattern: word) % 3) }
          memory.storeBytes(of: word, toByteOffset: offset, as: UInt32.self)
        }
      }
      return bytes
    }
    if generator.chance(1, in: 3) {
      // The blocks alone: what LZ4 gets to see.
      let prefix = sample.format.prefixByteCount
      var body = Array(bytes[(prefix + 4)..<(bytes.count - 4)])
      for _ in 0..<Int.random(in: 1...6, using: &generator) where !body.isEmpty {
        let place = Int.random(in: 0..<body.count, using: &generator)
        body[place] = UInt8.random(in: .min ... .max, using: &generator)
      }
      return Array(bytes[..<(prefix + 4)]) + body + bytes.suffix(4)
    }
    return Mutator.bytes(bytes, other: other.bytes, using: &generator)
  }

  private static func row(of bytes: [UInt8], _ sample: SampleFrame) -> ChunkRow {
    var row = sample.row
    row.byteCount = bytes.count
    row.crc = CRC32C.of(Array(bytes.prefix(sample.format.prefixByteCount - 4)))
    return row
  }

  @Test func frames() {
    Fuzzer(target: "frame", defaultCount: 8000).run { generator, input in
      guard let sample = SampleFrame.all.randomElement(using: &generator),
        let other = SampleFrame.all.randomElement(using: &generator)
      else { throw FuzzFailure("no samples") }
      var bytes = Self.mutate(sample, other: other, &generator)
      let reseals = generator.chance(1, in: 2)
      if reseals {
        bytes = Resealing.frame(
          bytes, sample.format, keepsSize: generator.chance(1, in: 4))
      }
      input = bytes
      let region = Self.part(sample, &generator)
      let whole = Selection(all: sample.chunkShape)
      if reseals {
        let row = Self.row(of: bytes, sample)
        _ = try? Self.read(bytes, sample, row, region)
        _ = try Self.read(bytes, sample, row, whole)
        return
      }
      // As the table lists it: the true values or an error; a changed file never reads whole.
      let truth = try Self.read(sample.bytes, sample, sample.row, region)
      do {
        let found = try Self.read(bytes, sample, sample.row, region)
        try demand(found == truth, "a damaged chunk gave other values")
      } catch is HyperslabError {}
      _ = try Self.read(bytes, sample, sample.row, whole)
      try demand(bytes == sample.bytes, "a damaged chunk was read whole")
    }
  }

  @Test func keptFrames() throws {
    let inputs = try Corpus.inputs("frame")
    #expect(!inputs.isEmpty)
    for (name, bytes) in inputs {
      for sample in SampleFrame.all where bytes.count >= 4 {
        do {
          let row = Self.row(of: bytes, sample)
          _ = try Self.read(bytes, sample, row, Selection(all: sample.chunkShape))
        } catch { #expect(error is HyperslabError, "\(name): \(error)") }
      }
    }
  }
}
