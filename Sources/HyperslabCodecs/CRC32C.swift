import CPlatform

/// CRC-32C (Castagnoli): reflected, initial value and final exclusive-or all ones. RFC 3720, B.4.
package struct CRC32C: Sendable {
  private static let polynomial: UInt32 = 0x82F6_3B78
  private static let hasInstruction = hyperslab_has_crc32c() != 0
  private static let canMultiply = hyperslab_has_crc32c_multiply() != 0

  private var state: UInt32 = ~0

  /// The checksum of no bytes.
  package init() {}

  /// The checksum so far.
  package var value: UInt32 { ~state }

  /// Goes on with more bytes.
  package mutating func add(_ bytes: UnsafeRawBufferPointer) {
    guard let base = bytes.baseAddress else { return }
    state =
      unsafe Self.hasInstruction
      ? hyperslab_crc32c(state, base, bytes.count, Self.shift) : Self.portable(state, bytes)
  }

  /// The checksum of some bytes.
  package static func of(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
    var crc = CRC32C()
    unsafe crc.add(bytes)
    return crc.value
  }

  /// The checksum of some bytes.
  package static func of(_ bytes: [UInt8]) -> UInt32 {
    unsafe bytes.withUnsafeBytes { unsafe of($0) }
  }

  /// The checksum as eight lower-case hexadecimal digits.
  package static func hex(_ value: UInt32) -> String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 8 - digits.count) + digits
  }
}

// MARK: - Without the instruction

extension CRC32C {
  /// Eight tables of 256: table `k` advances a byte by `k` further bytes ("slicing by eight").
  private static let tables: [UInt32] = {
    var tables = [UInt32](repeating: 0, count: 8 * 256)
    for byte in 0..<256 {
      var crc = UInt32(byte)
      for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ polynomial : crc >> 1 }
      tables[byte] = crc
    }
    for index in 256..<2048 {
      let previous = tables[index - 256]
      tables[index] = previous >> 8 ^ tables[Int(previous & 0xFF)]
    }
    return tables
  }()

  /// The same in plain Swift, for processors without the instruction.
  package static func portable(_ state: UInt32, _ bytes: UnsafeRawBufferPointer) -> UInt32 {
    var crc = state
    var offset = 0
    unsafe tables.withUnsafeBufferPointer { table in
      while offset + 8 <= bytes.count {
        let word = unsafe bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self) ^ UInt64(crc)
        crc = 0
        for byte in 0..<8 {
          unsafe crc ^= table[(7 - byte) * 256 + Int(word >> (8 * UInt64(byte)) & 0xFF)]
        }
        offset += 8
      }
      while offset < bytes.count {
        crc = unsafe crc >> 8 ^ table[Int((crc ^ UInt32(bytes[offset])) & 0xFF)]
        offset += 1
      }
    }
    return crc
  }
}

// MARK: - Concatenation

extension CRC32C {
  /// `x^(2^k)` modulo the polynomial, bits reflected.
  private static let powers: [UInt32] = {
    var powers: [UInt32] = [1 << 30]
    for _ in 1..<32 { powers.append(multiply(powers[powers.count - 1], powers[powers.count - 1])) }
    return powers
  }()

  /// What a piece of zeros makes of each byte of a state, for putting pieces together.
  private static let shift: [UInt32] = {
    let piece = factor(ofBytes: Int(HYPERSLAB_CRC32C_PIECE))
    return (0..<1024).map { multiply(piece, UInt32($0 & 0xFF) << UInt32($0 / 256 * 8)) }
  }()

  static func multiply(_ a: UInt32, _ b: UInt32) -> UInt32 {
    canMultiply ? hyperslab_crc32c_multiply(a, b) : portableProduct(a, b)
  }

  /// The same in plain Swift, bit by bit.
  static func portableProduct(_ a: UInt32, _ b: UInt32) -> UInt32 {
    var product: UInt32 = 0
    var factor = b
    for bit in stride(from: 31, through: 0, by: -1) {
      product ^= factor & (0 &- (a >> UInt32(bit) & 1))
      factor = factor >> 1 ^ (polynomial & (0 &- (factor & 1)))
    }
    return product
  }

  /// The checksum of two pieces one after the other, from the pieces' checksums: CRCs are linear,
  /// so the first is multiplied by `x^(8 · secondByteCount)`.
  package static func combine(_ first: UInt32, _ second: UInt32, secondByteCount: Int) -> UInt32 {
    multiply(factor(ofBytes: secondByteCount), first) ^ second
  }

  /// `x^(8 · byteCount)` modulo the polynomial.
  private static func factor(ofBytes byteCount: Int) -> UInt32 {
    var result: UInt32 = 1 << 31
    var rest = byteCount
    var power = 3
    while rest > 0 {
      if rest & 1 == 1 { result = multiply(powers[power & 31], result) }
      rest >>= 1
      power += 1
    }
    return result
  }
}
