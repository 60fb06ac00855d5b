/// The type of an array's elements, named as NumPy and Zarr v3 name them.
public enum DataType: String, Hashable, Sendable, CaseIterable, CustomStringConvertible {
  // The names are the documentation.
  // swift-format-ignore: AllPublicDeclarationsHaveDocumentation
  case bool, int8, int16, int32, int64, uint8, uint16, uint32, uint64
  // swift-format-ignore: AllPublicDeclarationsHaveDocumentation
  case float16, float32, float64, complex64, complex128

  /// What a type's bits mean.
  package enum Kind: Sendable { case boolean, signed, unsigned, floating, complex }

  /// Bytes an element.
  public var byteCount: Int {
    switch self {
    case .bool, .int8, .uint8: 1
    case .int16, .uint16, .float16: 2
    case .int32, .uint32, .float32: 4
    case .int64, .uint64, .float64, .complex64: 8
    case .complex128: 16
    }
  }

  package var kind: Kind {
    switch self {
    case .bool: .boolean
    case .int8, .int16, .int32, .int64: .signed
    case .uint8, .uint16, .uint32, .uint64: .unsigned
    case .float16, .float32, .float64: .floating
    case .complex64, .complex128: .complex
    }
  }

  /// The bytes that byte order applies to: an element's, or half of a complex one's.
  package var componentByteCount: Int { kind == .complex ? byteCount / 2 : byteCount }

  /// The name.
  public var description: String { rawValue }

  /// Reads a name.
  ///
  /// - Throws: `invalid_value` listing the names there are.
  public static func named(_ name: String) throws(HyperslabError) -> DataType {
    if let type = DataType(rawValue: name) { return type }
    throw HyperslabError(
      .invalidValue, "unknown data type \"\(name)\"",
      expected: allCases.map(\.rawValue).joined(separator: ", "))
  }
}
