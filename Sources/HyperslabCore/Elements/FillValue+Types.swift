extension FillValue {
  /// The same value of another type; nil where that cannot hold it exactly. A truth value is none of a
  /// number's, and a NaN with bits of its own is of no other type.
  public func exactly(as type: DataType) -> FillValue? {
    if type == dataType { return self }
    let parts = json.array ?? [json]
    guard let real = parts.first else { return nil }
    if type.kind == .complex {
      let size = type.byteCount / 2
      guard let real = Self.exactFloat(real, size),
        let imaginary = Self.exactFloat(parts.count == 2 ? parts[1] : 0, size)
      else { return nil }
      return try? FillValue(bytes: real + imaginary, dataType: type)
    }
    // No imaginary part, or none to speak of.
    guard parts.count == 1 || parts[1] == .double(0) else { return nil }
    if type.kind == .floating {
      return Self.exactFloat(real, type.byteCount).flatMap {
        try? FillValue(bytes: $0, dataType: type)
      }
    }
    var value = real
    if case .double(let number) = real {
      // An integer has no negative zero.
      guard number != 0 || number.sign == .plus else { return nil }
      guard
        let integer = Int(exactly: number).map({ JSONValue.integer($0) })
          ?? UInt64(exactly: number).map({ JSONValue.unsigned($0) })
      else { return nil }
      value = integer
    }
    return try? FillValue(json: value, dataType: type)
  }

  /// The bits of a float of some bytes that is exactly the number.
  private static func exactFloat(_ json: JSONValue, _ size: Int) -> [UInt8]? {
    let number: Double?
    switch json {
    case .integer(let value): number = Double(exactly: value)
    case .unsigned(let value): number = Double(exactly: value)
    case .double(let value): number = value
    case .string(let text): return text.hasPrefix("0x") ? nil : float(json, size)
    default: return nil
    }
    guard let number else { return nil }
    let bits = FloatBits.bits(of: number, byteCount: size)
    return FloatBits.value(of: bits, byteCount: size) == number ? little(bits, size) : nil
  }
}
