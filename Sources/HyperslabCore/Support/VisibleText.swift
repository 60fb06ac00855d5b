// Names, units and attributes are whatever somebody wrote. Shown raw, a control character in them
// would be the terminal's to obey, and a bidirectional one would show other text than there is.

extension Unicode.Scalar {
  /// Whether it acts instead of being seen: control characters (C0, DEL, C1), line and paragraph
  /// separators, and those that turn the direction of text around.
  package var isInvisibleControl: Bool {
    if value < 0x20 { return true }
    if value < 0x7F { return false }
    switch properties.generalCategory {
    case .control, .lineSeparator, .paragraphSeparator: return true
    default: return properties.isBidiControl
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
