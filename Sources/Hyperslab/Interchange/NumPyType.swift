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

  /// What NumPy calls it, and what its users can do.
  private static func explanation(_ code: Substring) -> (kind: String?, remedy: String?) {
    let count = code.dropFirst().prefix(while: \.isNumber)
    switch code.first {
    case "O":
      return (
        "Python objects, saved as a pickle, which only Python reads and which may hold code",
        "Convert them in Python, for example with array.astype(\"float64\"); rows of different "
          + "lengths with np.concatenate(list(array)), keeping the lengths"
      )
    case "S", "a":
      return (
        "text of \(count) bytes",
        "Keep text in attributes, or store its codes: "
          + "np.array(array, order=\"C\", ndmin=1).view(\"uint8\").reshape(array.shape + (\(count),))"
      )
    case "U":
      return (
        "text of \(count) characters",
        "Keep text in attributes, or store its codes: "
          + "np.array(array, \"<U\(count)\", order=\"C\", ndmin=1).view(\"uint32\")"
          + ".reshape(array.shape + (\(count),))"
      )
    case "V": return (voidKind, voidRemedy(count))
    case "M", "m":
      let unit = code.drop { $0 != "[" }.dropFirst().dropLast()
      return (code.first == "M" ? "dates" : "time differences", timeRemedy(String(unit), code))
    case "f" where code != "f4", "c" where code != "c8":
      return (
        "extended precision",
        "Convert with array.astype(\"\(code.first == "f" ? "float64" : "complex128")\")"
      )
    default: return (nil, nil)
    }
  }

  /// Units are named in the words that xarray decodes; it opens no group with others of dates.
  private static func timeRemedy(_ unit: String, _ code: Substring) -> String {
    if unit.isEmpty || unit == "generic" {
      return "Save array.astype(\"int64\"); NaT becomes the smallest number"
    }
    let words = [
      "D": "days", "h": "hours", "m": "minutes", "s": "seconds", "ms": "milliseconds",
      "us": "microseconds", "ns": "nanoseconds",
    ]
    let plain = unit.drop(while: \.isNumber)
    let isDate = code.first == "M"
    // Years and months are not of one length, and less than a nanosecond nobody decodes.
    let known = words[String(plain)] == nil ? (plain.hasSuffix("s") ? "ns" : "D") : String(plain)
    let first =
      known == unit ? "" : ".astype(\"\(isDate ? "datetime64" : "timedelta64")[\(known)]\")"
    return "Save array\(first).astype(\"int64\") and import it with --unit "
      + "\"\(words[known] ?? "days")\(isDate ? " since 1970-01-01" : "")\"; NaT becomes the smallest number"
  }

  private static let voidKind =
    "bytes without a type: NumPy saves types that it does not know itself so, and their name is lost"

  private static func voidRemedy(_ count: Substring) -> String {
    switch count {
    case "1":
      "If they are 8-bit floats of ml_dtypes, save array.view(ml_dtypes.float8_e4m3fn) (or whichever "
        + "they are).astype(\"float32\"); to keep the bits, array.view(\"uint8\")"
    case "2":
      "If they are bfloat16, save array.view(ml_dtypes.bfloat16).astype(\"float32\"), which holds each "
        + "exactly; to keep the bits, array.view(\"uint16\")"
    case "4", "8": "To keep the bits, save array.view(\"uint\(count == "4" ? 32 : 64)\")"
    default: "To keep the bits, save np.array(array, order=\"C\", ndmin=1).view(\"uint8\")"
    }
  }
}
