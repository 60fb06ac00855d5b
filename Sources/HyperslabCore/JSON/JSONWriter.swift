extension JSONValue {
  /// How a document is laid out.
  package enum Style: Sendable {
    /// One line, no spaces but after `:` and `,`.
    case compact
    /// Objects over several lines, arrays of plain values on one.
    case pretty
  }

  /// The value as JSON text. Doubles print as the shortest decimal that reads back the same; JSON has
  /// no NaN and no infinities, which print as Zarr spells them, `"NaN"` and `"-Infinity"`. In strings,
  /// characters that act instead of being seen are escaped: controls, and what turns text around.
  public func text(pretty: Bool = false) -> String {
    var output = ""
    write(to: &output, style: pretty ? .pretty : .compact, indent: 0)
    return output
  }

  private var isPlain: Bool {
    switch self {
    case .object(let members): members.isEmpty
    case .array(let elements):
      elements.allSatisfy { $0.array?.allSatisfy(\.isScalar) ?? $0.isScalar }
    default: true
    }
  }

  private var isScalar: Bool { array == nil && object == nil }

  package func write(to output: inout String, style: Style, indent: Int) {
    switch self {
    case .null: output += "null"
    case .bool(let value): output += value ? "true" : "false"
    case .integer(let value): output += String(value)
    case .unsigned(let value): output += String(value)
    case .double(let value): output += Self.text(of: value)
    case .string(let value): Self.writeString(value, to: &output)
    case .array(let elements): writeArray(elements, to: &output, style: style, indent: indent)
    case .object(let members): writeObject(members, to: &output, style: style, indent: indent)
    }
  }

  private func writeArray(
    _ elements: [JSONValue], to output: inout String, style: Style, indent: Int
  ) {
    let lines = style == .pretty && !isPlain
    output += "["
    for (index, element) in elements.enumerated() {
      if index > 0 { output += lines ? "," : ", " }
      if lines { Self.newLine(&output, indent + 1) }
      element.write(to: &output, style: style, indent: indent + 1)
    }
    if lines { Self.newLine(&output, indent) }
    output += "]"
  }

  private func writeObject(
    _ members: JSONObject, to output: inout String, style: Style, indent: Int
  ) {
    let lines = style == .pretty && !members.isEmpty
    output += "{"
    for (index, member) in members.enumerated() {
      if index > 0 { output += lines ? "," : ", " }
      if lines { Self.newLine(&output, indent + 1) }
      Self.writeString(member.key, to: &output)
      output += ": "
      member.value.write(to: &output, style: style, indent: indent + 1)
    }
    if lines { Self.newLine(&output, indent) }
    output += "}"
  }

  private static func newLine(_ output: inout String, _ indent: Int) {
    output += "\n" + String(repeating: "  ", count: indent)
  }

  private static func text(of value: Double) -> String {
    if value.isFinite { return "\(value)" }
    return value.isNaN ? "\"NaN\"" : value < 0 ? "\"-Infinity\"" : "\"Infinity\""
  }

  private static func writeString(_ text: String, to output: inout String) {
    output += "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": output += "\\\""
      case "\\": output += "\\\\"
      case "\n": output += "\\n"
      case "\r": output += "\\r"
      case "\t": output += "\\t"
      case _ where scalar.isInvisibleControl: output += scalar.escaped
      default: output.unicodeScalars.append(scalar)
      }
    }
    output += "\""
  }
}
