import HyperslabCore

extension ElementStatistics.Value {
  /// A number at full precision; infinities as Zarr spells them.
  var json: JSONValue {
    switch self {
    case .signed(let value): .integer(Int(value))
    case .unsigned(let value): value <= UInt64(Int.max) ? .integer(Int(value)) : .unsigned(value)
    case .real(.infinity): "Infinity"
    case .real(-.infinity): "-Infinity"
    case .real(let value): .double(value)
    }
  }

  /// Reads a value of a type; nil stays nil, anything else of the wrong kind is `error`.
  init?(
    json text: JSONText?, _ type: DataType, _ error: @autoclosure () -> HyperslabError
  ) throws(HyperslabError) {
    // No spelling of a number that is worth reading is as long.
    if let text, text.place.count > JSONFields.maximumTextByteCount { throw error() }
    let json = text?.value
    switch (type.kind, json) {
    case (_, nil), (_, .null): return nil
    case (.signed, .integer(let value)): self = .signed(Int64(value))
    case (.unsigned, .integer(let value)), (.boolean, .integer(let value)):
      guard value >= 0 else { throw error() }
      self = .unsigned(UInt64(value))
    case (.unsigned, .unsigned(let value)): self = .unsigned(value)
    case (.floating, .double(let value)): self = .real(value)
    case (.floating, .integer(let value)): self = .real(Double(value))
    case (.floating, .string("Infinity")): self = .real(.infinity)
    case (.floating, .string("-Infinity")): self = .real(-.infinity)
    default: throw error()
    }
  }
}

extension ElementStatistics.Value? {
  /// The value's spelling, or null.
  var json: JSONValue { self?.json ?? .null }
}
