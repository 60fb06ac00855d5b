public import HyperslabCore

/// The order of the bytes of a number in a file.
public enum ByteOrder: String, Hashable, Sendable {
  /// Least significant byte first, as in memory here.
  case little
  /// Most significant byte first.
  case big
}

/// An element type as NumPy spells it: `<f4`, `>i2`, `|b1`; or by name, `float32`.
public struct NumPyType: Hashable, Sendable {
  /// What an element is.
  public var dataType: DataType
  /// How its bytes are ordered; little for types of one byte.
  public var byteOrder: ByteOrder

  /// A type with a byte order.
  public init(_ dataType: DataType, byteOrder: ByteOrder = .little) {
    self.dataType = dataType
    self.byteOrder = dataType.componentByteCount == 1 ? .little : byteOrder
  }

  /// Reads a name or a NumPy type string.
  ///
  /// - Throws: `unsupported_type`, saying what to convert to where NumPy knows the type.
  public init(_ text: String) throws(HyperslabError) {
    if let dataType = DataType(rawValue: text) {
      self.init(dataType)
      return
    }
    var code = text[...]
    var order = ByteOrder.little
    if let mark = code.first, "<>|=".contains(mark) {
      if mark == ">" { order = .big }
      code.removeFirst()
    }
    guard let dataType = Self.codes[String(code)] else { throw Self.refusal(of: text, code) }
    self.init(dataType, byteOrder: order)
  }

  /// NumPy's type string: `<f4`; `|` for types of one byte.
  public var descriptor: String {
    let mark = dataType.componentByteCount == 1 ? "|" : byteOrder == .big ? ">" : "<"
    return mark + Self.code(of: dataType)
  }

  private static let codes = Dictionary(
    uniqueKeysWithValues: DataType.allCases.map { (code(of: $0), $0) })

  private static func code(of dataType: DataType) -> String {
    let letter =
      switch dataType.kind {
      case .boolean: "b"
      case .signed: "i"
      case .unsigned: "u"
      case .floating: "f"
      case .complex: "c"
      }
    return letter + String(dataType.byteCount)
  }

  private static func refusal(of text: String, _ code: Substring) -> HyperslabError {
    let (kind, remedy) = explanation(code)
    return HyperslabError(
      .unsupportedType, "elements of type \"\(text)\"\(kind.map { " (\($0))" } ?? "")",
      expected: DataType.allCases.map(\.rawValue).joined(separator: ", "), remedy: remedy)
  }

  private static func explanation(_ code: Substring) -> (kind: String?, remedy: String?) {
    switch code.first {
    case "O":
      ("Python objects", "Convert them in Python, for example with array.astype(\"float64\")")
    case "S", "a", "U":
      ("text", "Keep text in attributes, or store its codes: array.view(\"uint8\") or \"uint32\"")
    case "V":
      ("structures or raw bytes", "Save each field as an array of its own, or view as uint8")
    case "M", "m":
      ("dates or times", "Save array.view(\"int64\") and name the unit with --unit")
    case "f" where code != "f4", "c" where code != "c8":
      ("extended precision", "Convert with array.astype(\"float64\") or \"complex128\"")
    default: (nil, nil)
    }
  }
}
