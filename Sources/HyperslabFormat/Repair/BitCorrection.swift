import HyperslabCodecs

/// Undoing the flip of a single bit, which a checksum does not only show but locates.
///
/// Two flips of one bit each never change a CRC-32C alike in anything shorter than 2³¹ bits, so the
/// difference of two checksums names the place.
enum BitCorrection {
  private static let table: [UInt32] = (0..<256).map { value in
    unsafe withUnsafeBytes(of: UInt8(0)) { unsafe CRC32C.portable(UInt32(value), $0) }
  }
  /// The entry of the table with a given highest byte; there is one each.
  private static let entries: [UInt8] = {
    var entries = [UInt8](repeating: 0, count: 256)
    for (index, value) in table.enumerated() { entries[Int(value >> 24)] = UInt8(index) }
    return entries
  }()

  /// The bytes with one bit turned so that they sum to `crc`; nil where no bit does that.
  static func corrected(_ bytes: [UInt8], crc: UInt32) -> [UInt8]? {
    var difference = CRC32C.of(bytes) ^ crc
    if difference == 0 { return bytes }
    // From the last byte back: what the difference was before each byte that follows was added.
    for position in bytes.indices.reversed() {
      let entry = entries[Int(difference >> 24)]
      if table[Int(entry)] == difference, entry.nonzeroBitCount == 1 {
        var result = bytes
        result[position] ^= entry
        return result
      }
      difference = (difference ^ table[Int(entry)]) << 8 | UInt32(entry)
    }
    return nil
  }

  /// An index file with one bit turned so that its own checksum holds; nil where no bit does that.
  static func selfChecked(_ bytes: [UInt8]) -> [UInt8]? {
    let tail = SelfCheck.tailByteCount
    guard bytes.count > tail else { return nil }
    let body = Array(bytes.dropLast(tail))
    let expected = SelfCheck.tail(of: body)
    let distance = zip(bytes.suffix(tail), expected).reduce(0) {
      $0 + ($1.0 ^ $1.1).nonzeroBitCount
    }
    if distance == 1 { return body + expected }
    guard let crc = SelfCheck.recorded(bytes), let sound = corrected(body, crc: crc) else {
      return nil
    }
    return sound + SelfCheck.tail(of: sound)
  }
}
