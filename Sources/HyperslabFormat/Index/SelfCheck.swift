import HyperslabCodecs
import HyperslabCore

/// The checksum that ends an index file, covering every byte before its own member (Spec,
/// "Self-check"): `"crc32c": "0b7715e0"}` and a line feed.
enum SelfCheck {
  private static let opening = Array("\"crc32c\": \"".utf8)
  private static let closing = Array("\"}\n".utf8)

  /// An object as the text of a file that ends in its own checksum.
  static func seal(_ members: JSONObject) -> [UInt8] {
    var text = Array(JSONValue.object(members).text(pretty: true).utf8)
    text.removeLast(2)  // The line feed and the brace that close the object.
    text += Array(",\n  ".utf8)
    let crc = CRC32C.hex(CRC32C.of(text))
    return text + opening + Array(crc.utf8) + closing
  }

  /// Whether a file ends in its own checksum, spelled exactly so.
  static func holds(_ bytes: [UInt8]) -> Bool {
    let tail = opening.count + 8 + closing.count
    guard bytes.count >= tail else { return false }
    let body = bytes.dropLast(tail)
    let crc = CRC32C.hex(body.withUnsafeBytes { CRC32C.of($0) })
    return Array(bytes.suffix(tail)) == opening + Array(crc.utf8) + closing
  }
}
