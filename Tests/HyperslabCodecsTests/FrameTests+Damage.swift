import HyperslabCore
import HyperslabTestSupport
import Testing

@testable import HyperslabCodecs

/// Files that are no frames any more, or never were.
extension FrameTests {
  /// Every bit, every length, and bytes appended.
  @Test(arguments: Filter.allCases, [false, true])
  func noDamagePasses(filter: Filter, repeatsFill: Bool) throws {
    let values =
      (0..<1024).map { Int32($0 * $0 % 977) } + Array(repeating: 0, count: repeatsFill ? 2048 : 0)
      + (0..<76).map { Int32($0) }
    let count = values.count
    let format = try FrameFormat(
      elementByteCount: 4, filter: filter, chunkByteCount: 4 * count, blockByteCount: 4096,
      repeatsFill: repeatsFill)
    let copy = ChunkCopy(
      chunkShape: [count], region: StridedSelection(Selection(all: [count])),
      layout: StridedLayout(shape: [count], byteStrides: [4]), elementByteCount: 4)
    let encoder = try FrameEncoder(format: format, level: 1, fill: FillValue(zero: .int32))
    let file = try values.withUnsafeBytes {
      try encoder.encode(copy, from: $0).file
    }
    var target = [UInt8](repeating: 0, count: 4 * count)
    try decode(file, format, copy, into: &target, whole: true)
    func passes(_ bytes: [UInt8]) -> Bool {
      guard bytes.count >= format.minimumFileByteCount else { return false }
      do {
        try decode(bytes, format, copy, into: &target, whole: true)
        return true
      } catch {
        let code = (error as? HyperslabError)?.code
        return code != .torn && code != .checksum
      }
    }
    var survivors: [Int] = []
    for bit in 0..<file.count * 8 {
      var damaged = file
      damaged[bit / 8] ^= 1 << (bit % 8)
      if passes(damaged) { survivors.append(bit) }
    }
    #expect(survivors.isEmpty)
    for length in 0..<file.count where passes(Array(file.prefix(length))) {
      Issue.record("cut at \(length)")
    }
    for extra in 1...8 where passes(file + [UInt8](repeating: 0, count: extra)) {
      Issue.record("\(extra) more bytes")
    }
  }

  /// Hostile numbers whose checksums are right.
  @Test(arguments: [false, true]) func numbersThatLieAreRefused(repeatsFill: Bool) throws {
    let format = try FrameFormat(
      elementByteCount: 4, filter: .shuffle, chunkByteCount: 16384, blockByteCount: 4096,
      repeatsFill: repeatsFill)
    let values = (0..<4096).map { repeatsFill && $0 / 1024 % 2 == 1 ? 0 : Int32($0 % 100) }
    let copy = ChunkCopy(
      chunkShape: [4096], region: StridedSelection(Selection(all: [4096])),
      layout: StridedLayout(shape: [4096], byteStrides: [4]), elementByteCount: 4)
    let encoder = try FrameEncoder(format: format, level: 1, fill: FillValue(zero: .int32))
    let file = try values.withUnsafeBytes {
      try encoder.encode(copy, from: $0).file
    }
    var generator = SeededGenerator("hostile")
    var target = [UInt8](repeating: 0, count: 16384)
    let words = format.prefixByteCount / 4 - 1
    let liars: [UInt32] = [0, 1, 0x7FFF_FFFF, 0x8000_0000, .max, 20, UInt32(file.count)]
    for word in 0..<words {
      for lie in liars + [generator.next()].map({ UInt32(truncatingIfNeeded: $0) }) {
        var damaged = file
        let old = file.withUnsafeBytes {
          $0.loadUnaligned(fromByteOffset: 4 * word, as: UInt32.self)
        }
        if old == lie { continue }
        damaged.withUnsafeMutableBytes {
          $0.storeBytes(of: lie, toByteOffset: 4 * word, as: UInt32.self)
        }
        let crc = CRC32C.of(Array(damaged.prefix(format.prefixByteCount - 4)))
        damaged.withUnsafeMutableBytes {
          $0.storeBytes(of: crc, toByteOffset: format.prefixByteCount - 4, as: UInt32.self)
        }
        #expect(throws: HyperslabError.self, "word \(word) = \(lie)") {
          try decode(damaged, format, copy, into: &target, whole: true)
        }
      }
    }
    // Rubbish in place of LZ4, all sums right.
    let prefix = format.prefixByteCount
    for _ in 0..<500 {
      var damaged = file
      let end = file.withUnsafeBytes { Int($0.loadUnaligned(fromByteOffset: 20, as: UInt32.self)) }
      for position in prefix + 4..<end where generator.chance(1, in: 4) {
        damaged[position] = UInt8.random(in: .min ... .max, using: &generator)
      }
      let block = CRC32C.of(Array(damaged[prefix..<end]))
      damaged.withUnsafeMutableBytes {
        $0.storeBytes(of: block, toByteOffset: 16 + 16, as: UInt32.self)
      }
      let crc = CRC32C.of(Array(damaged.prefix(prefix - 4)))
      damaged.withUnsafeMutableBytes {
        $0.storeBytes(of: crc, toByteOffset: prefix - 4, as: UInt32.self)
      }
      // It may decode by chance; it must not go beyond its block.
      try? decode(damaged, format, copy, into: &target, whole: false)
    }
  }
}
