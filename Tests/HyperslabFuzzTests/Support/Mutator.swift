import HyperslabCore
import HyperslabTestSupport

/// Breaks bytes and texts the way that breaks parsers.
enum Mutator {
  /// Numbers that arithmetic goes wrong on, as text.
  static let numbers = [
    "0", "-1", "1", "2147483647", "2147483648", "4294967295", "9007199254740991",
    "9007199254740992", "1099511627776", "1099511627777", "4611686018427387903",
    "4611686018427387904", "9223372036854775807", "9223372036854775808", "-9223372036854775808",
    "18446744073709551615", "18446744073709551616", "1e308", "1e400", "1.0", "-0", "-0.0", "0.5",
    "1e-400", "00", "3", "7", "255", "65536",
  ]

  /// A few changes of single bytes and short pieces; `other` is what pieces are taken from.
  static func bytes(
    _ input: [UInt8], other: [UInt8], using generator: inout SeededGenerator
  ) -> [UInt8] {
    var bytes = input
    for _ in 0..<Int.random(in: 1...3, using: &generator) {
      let position = Int.random(in: 0...bytes.count, using: &generator)
      let end = Swift.min(bytes.count, position + Int.random(in: 1...12, using: &generator))
      switch Int.random(in: 0..<9, using: &generator) {
      case 0, 1, 2:
        if position < bytes.count {
          bytes[position] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
        }
      case 3:
        if position < bytes.count {
          bytes[position] = UInt8.random(in: .min ... .max, using: &generator)
        }
      case 4: bytes.removeSubrange(position..<end)
      case 5:
        let piece = (0..<Int.random(in: 1...8, using: &generator)).map { _ in
          UInt8.random(in: .min ... .max, using: &generator)
        }
        bytes.insert(contentsOf: piece, at: position)
      case 6:
        bytes.insert(contentsOf: Array(bytes[position..<end]), at: position)
      case 7:
        guard !other.isEmpty else { continue }
        let from = Int.random(in: 0..<other.count, using: &generator)
        let piece = other[from..<Swift.min(other.count, from + end - position + 1)]
        bytes.replaceSubrange(position..<end, with: piece)
      default:
        if generator.chance(1, in: 3) { bytes.removeSubrange(position...) }
      }
    }
    return bytes
  }

  /// Replaces, removes, doubles and swaps numbers, words and lines of a text.
  static func text(
    _ input: [UInt8], using generator: inout SeededGenerator
  ) -> [UInt8] {
    var bytes = input
    for _ in 0..<Int.random(in: 1...3, using: &generator) {
      switch Int.random(in: 0..<6, using: &generator) {
      case 0, 1, 2:
        let places = ranges(of: bytes) { ("0"..."9").contains($0) || $0 == "-" || $0 == "." }
        guard let place = places.randomElement(using: &generator) else { continue }
        let number = numbers.randomElement(using: &generator) ?? "0"
        bytes.replaceSubrange(place, with: Array(number.utf8))
      case 3:
        let places = ranges(of: bytes) { $0.properties.isAlphabetic || $0 == "_" }
        guard let one = places.randomElement(using: &generator),
          let two = places.randomElement(using: &generator)
        else { continue }
        bytes.replaceSubrange(one, with: Array(bytes[two]))
      case 4:
        let places = ranges(of: bytes) { $0 != "\n" }
        guard let one = places.randomElement(using: &generator),
          let two = places.randomElement(using: &generator)
        else { continue }
        bytes.insert(contentsOf: Array(bytes[one]) + [0x0A], at: two.lowerBound)
      default:
        let places = ranges(of: bytes) { $0 != "\n" }
        guard let place = places.randomElement(using: &generator) else { continue }
        bytes.removeSubrange(place)
      }
    }
    return bytes
  }

  private static func ranges(
    of bytes: [UInt8], where belongs: (UnicodeScalar) -> Bool
  ) -> [Range<Int>] {
    var ranges: [Range<Int>] = []
    var start: Int?
    for (index, byte) in bytes.enumerated() {
      if belongs(UnicodeScalar(byte)) {
        start = start ?? index
      } else if let begun = start {
        ranges.append(begun..<index)
        start = nil
      }
    }
    if let start { ranges.append(start..<bytes.count) }
    return ranges
  }
}
