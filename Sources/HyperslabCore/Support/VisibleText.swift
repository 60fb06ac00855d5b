// Names, units and attributes are whatever somebody wrote. Shown raw, a control character in them
// would be the terminal's to obey, and a bidirectional one would show other text than there is.

extension Unicode.Scalar {
  /// Whether it acts instead of being seen: control characters (C0, DEL, C1), line and paragraph
  /// separators, and those that turn the direction of text around (Bidi_Control, UAX #9).
  package var isInvisibleControl: Bool {
    switch value {
    case 0..<0x20, 0x7F..<0xA0, 0x61C, 0x200E...0x200F, 0x2028...0x202E, 0x2066...0x2069: true
    default: false
    }
  }

  /// It as JSON escapes it: `\u001b`. All that act are below U+10000.
  package var escaped: String {
    let hex = String(value, radix: 16)
    return "\\u" + String(repeating: "0", count: Swift.max(0, 4 - hex.utf8.count)) + hex
  }
}

extension String {
  /// The text on one line, with everything that acts instead of being seen escaped as in JSON.
  ///
  /// For people: a backslash stays as it is, so that what comes out may stand for two texts, but
  /// doing it twice changes nothing.
  public var visible: String { visible(keeping: []) }

  /// The same with some of those characters kept, such as the ends of lines.
  public func visible(keeping kept: Set<Unicode.Scalar>) -> String {
    guard unicodeScalars.contains(where: \.isInvisibleControl) else { return self }
    var result = ""
    for scalar in unicodeScalars {
      guard scalar.isInvisibleControl, !kept.contains(scalar) else {
        result.unicodeScalars.append(scalar)
        continue
      }
      switch scalar {
      case "\n": result += "\\n"
      case "\r": result += "\\r"
      case "\t": result += "\\t"
      default: result += scalar.escaped
      }
    }
    return result
  }
}
