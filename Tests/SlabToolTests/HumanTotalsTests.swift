import Foundation
import Testing

/// Totals that no number of 64 bits holds.
@Suite struct HumanTotalsTests {
  private static func crc32c(_ bytes: some Sequence<UInt8>) -> UInt32 {
    ~bytes.reduce(~UInt32(0)) { sum, byte in
      (0..<8).reduce(sum ^ UInt32(byte)) { sum, _ in sum >> 1 ^ (sum & 1 == 1 ? 0x82F6_3B78 : 0) }
    }
  }

  @Test func aStoreOfMoreThanCanBeCounted() throws {
    let place = try Workplace()
    try place.write(Workplace.npy("<i2", [4], Data(count: 8)), to: "c.npy")
    for name in ["x", "y", "z"] { try place.shell("slab import c.npy s.slab/\(name) --quiet") }
    // Every data set is as long as it can be, its checksum right again.
    var index = String(decoding: try place.bytes("s.slab/slab.json").dropLast(22), as: UTF8.self)
    for (old, new) in [
      ("\"shape\": [4]", "\"shape\": [\(1 << 61)]"),
      ("\"max_shape\": [4]", "\"max_shape\": [null]"),
      ("\"chunk_shape\": [4]", "\"chunk_shape\": [\(1 << 22)]"),
    ] { index = index.replacingOccurrences(of: old, with: new) }
    let digits = String(Self.crc32c(index.utf8), radix: 16)
    let sum = String(repeating: "0", count: 8 - digits.count) + digits
    try place.write(Data("\(index)\"crc32c\": \"\(sum)\"}\n".utf8), to: "s.slab/slab.json")
    let answer = try place.shell("slab info s.slab")
    #expect(answer.code == 0 && answer.output.contains("more than 9.2 EB, stored"), "\(answer)")
  }
}
