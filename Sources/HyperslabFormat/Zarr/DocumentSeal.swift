import HyperslabCodecs

/// The seal by which a store knows its own `zarr.json` files, however old they are: a last line of spaces
/// and tabs, which no reader of JSON minds, and which another program that writes the file anew leaves out.
///
/// Its bits, the highest first, a tab for each that is set, are the CRC-32C of the store's UUID and of all
/// that stands before that line (Spec, "What is the store's own").
enum DocumentSeal {
  private static let bitCount = 32
  private static let byteCount = bitCount + 1
  private static let (space, tab) = (UInt8(ascii: " "), UInt8(ascii: "\t"))
  private static let newLine = UInt8(ascii: "\n")

  /// A document with its seal.
  ///
  /// - Parameter text: The document, which ends with a line feed.
  static func seal(_ text: [UInt8], store uuid: String) -> [UInt8] {
    let sum = checksum(text[...], uuid)
    let line = (0..<bitCount).reversed().map { bit in sum >> bit & 1 == 1 ? tab : space }
    return text + line + [newLine]
  }

  /// Whether a document is, to the last byte, one that the store's own programs wrote at some time.
  static func holds(_ bytes: [UInt8], store uuid: String) -> Bool {
    let text = text(of: bytes)
    if text.count == bytes.count { return false }
    let line = bytes[text.endIndex...].prefix(bitCount)
    let told = line.reduce(UInt32(0)) { $0 << 1 | ($1 == tab ? 1 : 0) }
    return told == checksum(text, uuid)
  }

  /// What stands before the seal, sound or not; all of a document that has none.
  static func text(of bytes: [UInt8]) -> ArraySlice<UInt8> {
    let text = bytes.dropLast(byteCount)
    let line = bytes[text.endIndex...]
    guard text.last == newLine, line.last == newLine,
      line.dropLast().allSatisfy({ $0 == space || $0 == tab })
    else { return bytes[...] }
    return text
  }

  /// Whether what stands behind a text is a seal, sound or not, or what a power cut left of one.
  static func isRemains(_ rest: ArraySlice<UInt8>) -> Bool {
    rest.count <= byteCount && rest.allSatisfy { $0 == space || $0 == tab || $0 == newLine }
  }

  private static func checksum(_ text: ArraySlice<UInt8>, _ uuid: String) -> UInt32 {
    var crc = CRC32C()
    for part in [ArraySlice(uuid.utf8), text] { unsafe part.withUnsafeBytes { unsafe crc.add($0) } }
    return crc.value
  }
}
