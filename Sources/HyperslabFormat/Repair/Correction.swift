import HyperslabCodecs

/// A damaged file of text as it must have been, where its checksum proves that.
struct Correction {
  let bytes: [UInt8]
  /// What was done, for a report.
  let action: String

  /// A file that sums to `crc` once it is corrected; nil where nothing does that.
  static func of(_ bytes: [UInt8], crc: UInt32) -> Correction? {
    let unchanged = LineEnds.restored(bytes)
    if unchanged.count < bytes.count, CRC32C.of(unchanged) == crc {
      return Correction(bytes: unchanged, action: LineEnds.action)
    }
    return BitCorrection.corrected(bytes, crc: crc).map {
      Correction(bytes: $0, action: "one bit corrected")
    }
  }

  /// An index file whose own checksum holds once it is corrected; nil where nothing does that.
  static func ofIndex(_ bytes: [UInt8]) -> Correction? {
    if LineEnds.areChanged(bytes) {
      return Correction(bytes: LineEnds.restored(bytes), action: LineEnds.action)
    }
    return BitCorrection.selfChecked(bytes).map {
      Correction(bytes: $0, action: "one bit corrected")
    }
  }
}

/// Line ends as other programs change them in what they take for text: every line feed becomes a carriage
/// return and a line feed, by git for instance with `core.autocrlf`.
enum LineEnds {
  static let action = "line ends restored, which were CR LF"

  /// Whether a file with its own checksum is sound but for that.
  static func areChanged(_ bytes: [UInt8]) -> Bool {
    let restored = restored(bytes)
    return restored.count < bytes.count && SelfCheck.holds(restored)
  }

  static func restored(_ bytes: [UInt8]) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(bytes.count)
    for (index, byte) in bytes.enumerated() {
      let isAdded =
        byte == UInt8(ascii: "\r") && index + 1 < bytes.count
        && bytes[index + 1] == UInt8(ascii: "\n")
      if !isAdded { result.append(byte) }
    }
    return result
  }
}
