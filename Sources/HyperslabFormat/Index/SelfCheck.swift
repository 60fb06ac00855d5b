import HyperslabCodecs
import HyperslabCore

/// The checksum that ends an index file, covering every byte before its own member (Spec,
/// "Self-check"): `"crc32c": "0b7715e0"}` and a line feed.
enum SelfCheck {
  private static let opening = Array("\"crc32c\": \"".utf8)
  private static let closing = Array("\"}\n".utf8)

  /// An object as the text of a file that ends in its own checksum.
  static func seal(_ members: JSONObject) -> [UInt8] {
    seal(JSONValue.object(members).bytes(pretty: true))
  }

  /// An object's text, laid out over several lines, with its checksum added as the last member.
  static func seal(_ object: [UInt8]) -> [UInt8] {
    var text = object
    text.removeLast(2)  // The line feed and the brace that close the object.
    text += Array(",\n  ".utf8)
    return text + tail(of: text)
  }

  /// How long that ending is.
  static let tailByteCount = opening.count + 8 + closing.count

  /// What a file must end in, given all before.
  static func tail(of body: [UInt8]) -> [UInt8] {
    opening + Array(CRC32C.hex(CRC32C.of(body)).utf8) + closing
  }

  /// The checksum that a file says it has; nil unless it is spelled as it must be.
  static func recorded(_ bytes: [UInt8]) -> UInt32? {
    let tail = bytes.suffix(tailByteCount)
    guard tail.count == tailByteCount, tail.starts(with: opening),
      tail.suffix(closing.count).elementsEqual(closing)
    else { return nil }
    let digits = String(decoding: tail.dropFirst(opening.count).prefix(8), as: UTF8.self)
    guard let value = UInt32(digits, radix: 16), CRC32C.hex(value) == digits else { return nil }
    return value
  }

  /// Whether a file ends in its own checksum, spelled exactly so.
  static func holds(_ bytes: [UInt8]) -> Bool {
    guard let crc = recorded(bytes) else { return false }
    return unsafe bytes.dropLast(tailByteCount).withUnsafeBytes { unsafe CRC32C.of($0) } == crc
  }
}
