import HyperslabCodecs
import HyperslabCore
import HyperslabTestSupport

@testable import HyperslabFormat

/// Makes checksums right again after a mutation, so that what lies behind them is reached.
enum Resealing {
  /// A text with the self-check of its own.
  static func text(_ bytes: [UInt8]) -> [UInt8] {
    let body = bytes.count > 22 ? Array(bytes.dropLast(22)) : bytes
    return body + Array("\"crc32c\": \"\(CRC32C.hex(CRC32C.of(body)))\"}\n".utf8)
  }

  /// Mutates `slab.json` or a run; in half of the cases the checksum is right afterwards.
  static func document(
    _ sample: SampleDocument, other: [UInt8], using generator: inout SeededGenerator
  ) -> [UInt8] {
    let bytes = sample.bytes
    let reseals = generator.chance(1, in: 2)
    switch Int.random(in: 0..<8, using: &generator) {
    case 0:
      let mutated = Mutator.bytes(bytes, other: other, using: &generator)
      return reseals ? text(mutated) : mutated
    case 1, 2:
      let mutated = Mutator.text(bytes, using: &generator)
      return reseals ? text(mutated) : mutated
    default:
      var mutator = JSONMutator(sample.json, using: &generator)
      let mutated = mutator.mutate()
      guard var members = mutated.object else { return Array(mutated.text().utf8) }
      if !reseals { return Array((mutated.text(pretty: true) + "\n").utf8) }
      members["crc32c"] = nil
      return SelfCheck.seal(members)
    }
  }

  /// A chunk file with the checksums that its own offsets imply, wrong though they may be.
  static func frame(_ bytes: [UInt8], _ format: FrameFormat, keepsSize: Bool) -> [UInt8] {
    let prefix = format.prefixByteCount
    let blocks = format.blockCount
    guard bytes.count >= prefix + 4 else { return bytes }
    var result = bytes
    func word(_ offset: Int) -> Int {
      result.withUnsafeBytes { Int($0.loadUnaligned(fromByteOffset: offset, as: UInt32.self)) }
    }
    func store(_ value: UInt32, _ offset: Int) {
      result.withUnsafeMutableBytes {
        $0.storeBytes(of: value, toByteOffset: offset, as: UInt32.self)
      }
    }
    let end = bytes.count - 4
    if !keepsSize { store(UInt32(end), 12) }
    let offsets = (0..<blocks).map { word(16 + 4 * $0) }
    for (block, low) in offsets.enumerated() {
      let high = offsets.filter { $0 > low }.min() ?? end
      guard low >= 0, low <= high, high <= end else { continue }
      store(CRC32C.of(Array(result[low..<high])), 16 + 4 * (blocks + block))
    }
    store(CRC32C.of(Array(result[..<(prefix - 4)])), prefix - 4)
    store(CRC32C.of(Array(result[..<end])), end)
    return result
  }
}
