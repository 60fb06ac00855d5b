extension JSONValue {
  /// How a document is laid out.
  package enum Style: Sendable {
    /// One line, no spaces but after `:` and `,`.
    case compact
    /// Objects over several lines, arrays of plain values on one.
    case pretty
  }

  /// The value as JSON text. Doubles print as the shortest decimal that reads back the same; JSON has
  /// no NaN and no infinities, which print as Zarr spells them, `"NaN"` and `"-Infinity"`. What is nested
  /// deeper than ``mostLevels`` prints as `"…"`. In strings,
  /// characters that act instead of being seen are escaped: controls, and what turns text around.
  public func text(pretty: Bool = false) -> String {
    String(decoding: bytes(pretty: pretty), as: UTF8.self)
  }

  /// As ``text(pretty:)``, in bytes.
  package func bytes(pretty: Bool = false) -> [UInt8] {
    var output: [UInt8] = []
    write(to: &output, style: pretty ? .pretty : .compact, indent: 0)
    return output
  }

  private var isPlain: Bool {
    switch self {
    case .object(let members): members.isEmpty
    case .array(let array):
      array.elements.allSatisfy { $0.array?.allSatisfy(\.isScalar) ?? $0.isScalar }
    default: true
    }
  }

  private var isScalar: Bool {
    switch self {
    case .array, .object: false
    default: true
    }
  }

  package func write(to output: inout [UInt8], style: Style, indent: Int) {
    switch self {
    case .null: output += "null".utf8
    case .bool(let value): output += (value ? "true" : "false").utf8
    case .integer(let value): Self.writeInteger(value, to: &output)
    case .unsigned(let value): output += String(value).utf8
    case .double(let value): output += Self.text(of: value).utf8
    case .string(let value): Self.writeString(value, to: &output)
    case .array(let array) where array.levels.areTooMany: Self.writeString("…", to: &output)
    case .array(let array):
      writeArray(array.elements, to: &output, style: style, indent: indent)
    case .object(let members): members.write(to: &output, style: style, indent: indent)
    }
  }

  private func writeArray(
    _ elements: [JSONValue], to output: inout [UInt8], style: Style, indent: Int
  ) {
    let lines = style == .pretty && !isPlain
    output.append(UInt8(ascii: "["))
    for (index, element) in elements.enumerated() {
      if index > 0 { Self.writeComma(lines, to: &output) }
      if lines { Self.newLine(&output, indent + 1) }
      element.write(to: &output, style: style, indent: indent + 1)
    }
    if lines { Self.newLine(&output, indent) }
    output.append(UInt8(ascii: "]"))
  }

  package static func newLine(_ output: inout [UInt8], _ indent: Int) {
    output.append(UInt8(ascii: "\n"))
    output.append(contentsOf: repeatElement(UInt8(ascii: " "), count: 2 * indent))
  }

  fileprivate static func writeComma(_ endsLine: Bool, to output: inout [UInt8]) {
    output.append(UInt8(ascii: ","))
    if !endsLine { output.append(UInt8(ascii: " ")) }
  }

  /// Byte by byte: most of an index are small numbers, for which no string is to be made.
  private static func writeInteger(_ value: Int, to output: inout [UInt8]) {
    guard value >= 0 else { return output += String(value).utf8 }
    var unit = 1
    while value / unit >= 10 { unit *= 10 }
    while unit > 0 {
      output.append(UInt8(ascii: "0") + UInt8(value / unit % 10))
      unit /= 10
    }
  }

  private static func text(of value: Double) -> String {
    if value.isFinite { return "\(value)" }
    return value.isNaN ? "\"NaN\"" : value < 0 ? "\"-Infinity\"" : "\"Infinity\""
  }

  package static func writeString(_ text: String, to output: inout [UInt8]) {
    output.append(UInt8(ascii: "\""))
    let isPlain = text.utf8.allSatisfy { byte in
      0x20 <= byte && byte < 0x7F && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\")
    }
    if isPlain {
      output.append(contentsOf: text.utf8)
    } else if text.utf8.allSatisfy({ 0x20 <= $0 && $0 < 0x7F }) {
      for byte in text.utf8 {
        if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") {
          output.append(UInt8(ascii: "\\"))
        }
        output.append(byte)
      }
    } else {
      for scalar in text.unicodeScalars {
        switch scalar {
        case "\"": output += "\\\"".utf8
        case "\\": output += "\\\\".utf8
        case "\n": output += "\\n".utf8
        case "\r": output += "\\r".utf8
        case "\t": output += "\\t".utf8
        case _ where scalar.isInvisibleControl: output += scalar.escaped.utf8
        default: output += Array(String(scalar).utf8)
        }
      }
    }
    output.append(UInt8(ascii: "\""))
  }
}

extension JSONObject {
  package func write(to output: inout [UInt8], style: JSONValue.Style, indent: Int) {
    let lines = style == .pretty && !isEmpty
    output.append(UInt8(ascii: "{"))
    for (index, member) in enumerated() {
      if index > 0 { JSONValue.writeComma(lines, to: &output) }
      if lines { JSONValue.newLine(&output, indent + 1) }
      JSONValue.writeString(member.key, to: &output)
      output.append(UInt8(ascii: ":"))
      output.append(UInt8(ascii: " "))
      member.value.write(to: &output, style: style, indent: indent + 1)
    }
    if lines { JSONValue.newLine(&output, indent) }
    output.append(UInt8(ascii: "}"))
  }
}
