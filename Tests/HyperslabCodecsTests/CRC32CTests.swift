import Testing

@testable import HyperslabCodecs

@Suite struct CRC32CTests {
  /// RFC 3720, B.4, and the check value of the catalogue of parametrised CRC algorithms.
  @Test func knownValues() {
    #expect(CRC32C.of(Array("123456789".utf8)) == 0xE306_9283)
    #expect(CRC32C.of([UInt8](repeating: 0, count: 32)) == 0x8A91_36AA)
    #expect(CRC32C.of([UInt8](repeating: 0xFF, count: 32)) == 0x62A8_AB43)
    #expect(CRC32C.of((0..<32).map { UInt8($0) }) == 0x46DD_794E)
    #expect(CRC32C.hex(0x5d_0c93) == "005d0c93")
  }

  @Test func instructionAndPlainSwiftAgree() {
    var generator = SystemRandomNumberGenerator()
    for count in Array(0..<70) + [
      1000, 1023, 1024, 1025, 1279, 3071, 3072, 3073, 4096, 6144, 9217, 65537,
    ] {
      let bytes = (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
      let plain = bytes.withUnsafeBytes { ~CRC32C.portable(~0, $0) }
      #expect(CRC32C.of(bytes) == plain)
    }
  }

  /// From any state, as where a checksum goes on.
  @Test func piecesAddUp() {
    let bytes = (0..<9000).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ $0 >> 3) }
    for split in [1, 255, 1024, 1500, 4096, 7977] {
      var crc = CRC32C()
      bytes[..<split].withUnsafeBytes { crc.add($0) }
      bytes[split...].withUnsafeBytes { crc.add($0) }
      #expect(crc.value == bytes.withUnsafeBytes { ~CRC32C.portable(~0, $0) }, "at \(split)")
    }
  }

  @Test func productsAgree() {
    var generator = SystemRandomNumberGenerator()
    for _ in 0..<1000 {
      let (a, b) = (
        UInt32.random(in: 0 ... .max, using: &generator),
        UInt32(1) << UInt32.random(in: 0..<32, using: &generator)
      )
      for factor in [b, ~a, a &* 77] {
        #expect(CRC32C.multiply(a, factor) == CRC32C.portableProduct(a, factor))
      }
    }
  }

  @Test func combiningEqualsOnePass() {
    let bytes = (0..<5000).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ $0 >> 3) }
    for split in [0, 1, 7, 8, 63, 64, 1000, 4999, 5000] {
      let first = CRC32C.of(Array(bytes[..<split]))
      let second = CRC32C.of(Array(bytes[split...]))
      let whole = CRC32C.combine(first, second, secondByteCount: bytes.count - split)
      #expect(whole == CRC32C.of(bytes))
    }
  }
}
