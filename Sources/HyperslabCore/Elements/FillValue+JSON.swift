// The JSON spelling of fill values is Zarr v3's (core specification, "Fill value list").

extension FillValue {
  /// Zarr's spelling: numbers, `true`, `"NaN"`, `"Infinity"`, `"-Infinity"`, other NaNs as their
  /// bits `"0x7fc00001"`, complex values as a pair.
  public var json: JSONValue {
    switch dataType.kind {
    case .boolean: .bool(bytes[0] != 0)
    case .unsigned:
      bits(bytes) <= UInt64(Int.max) ? .integer(Int(bits(bytes))) : .unsigned(bits(bytes))
    case .signed: .integer(signed(bytes))
    case .floating: floatJSON(bytes)
    case .complex:
      .array([
        floatJSON(Array(bytes.prefix(bytes.count / 2))),
        floatJSON(Array(bytes.suffix(bytes.count / 2))),
      ])
    }
  }

  /// Reads Zarr's spelling.
  ///
  /// - Throws: `invalid_value` for a value that the type cannot hold exactly in kind and range.
  public init(json: JSONValue, dataType: DataType) throws(HyperslabError) {
    guard let bytes = Self.bytes(json, dataType) else {
      throw HyperslabError(
        .invalidValue, "\(json.text()) is no fill value of type \(dataType)",
        expected: Self.hint(dataType))
    }
    try self.init(bytes: bytes, dataType: dataType)
  }

  static func hint(_ dataType: DataType) -> String {
    switch dataType.kind {
    case .boolean: "true or false"
    case .signed, .unsigned: "an integer in the type's range"
    case .floating: "a number, NaN, Infinity, -Infinity or hexadecimal bits"
    case .complex: "a pair of numbers"
    }
  }

  private static func bytes(_ json: JSONValue, _ dataType: DataType) -> [UInt8]? {
    let size = dataType.byteCount
    switch dataType.kind {
    case .boolean:
      guard let value = json.bool else { return nil }
      return [value ? 1 : 0]
    case .signed:
      guard case .integer(let value) = json,
        size == 8 || (-(1 << (8 * size - 1))..<(1 << (8 * size - 1))).contains(value)
      else { return nil }
      return little(UInt64(bitPattern: Int64(value)), size)
    case .unsigned:
      let value: UInt64
      switch json {
      case .integer(let number) where number >= 0: value = UInt64(number)
      case .unsigned(let number): value = number
      default: return nil
      }
      guard size == 8 || value < 1 << (8 * size) else { return nil }
      return little(value, size)
    case .floating: return float(json, size)
    case .complex:
      guard let parts = json.array, parts.count == 2, let real = float(parts[0], size / 2),
        let imaginary = float(parts[1], size / 2)
      else { return nil }
      return real + imaginary
    }
  }

  static func float(_ json: JSONValue, _ size: Int) -> [UInt8]? {
    if case .string(let text) = json {
      switch text {
      case "NaN": return little(canonicalNaN(size), size)
      case "Infinity": return little(FloatBits.bits(of: .infinity, byteCount: size), size)
      case "-Infinity": return little(FloatBits.bits(of: -.infinity, byteCount: size), size)
      default:
        guard text.hasPrefix("0x"), text.utf8.count == 2 + 2 * size,
          text.dropFirst(2).allSatisfy(\.isHexDigit),
          let bits = UInt64(text.dropFirst(2), radix: 16)
        else { return nil }
        return little(bits, size)
      }
    }
    guard let value = json.number else { return nil }
    let bits = FloatBits.bits(of: value, byteCount: size)
    // A finite number that the type can only hold as infinity was not meant.
    guard FloatBits.value(of: bits, byteCount: size).isFinite else { return nil }
    return little(bits, size)
  }

  private func floatJSON(_ bytes: [UInt8]) -> JSONValue {
    let size = bytes.count
    let bits = bits(bytes)
    let value = FloatBits.value(of: bits, byteCount: size)
    if value.isNaN {
      if bits == Self.canonicalNaN(size) { return "NaN" }
      let hex = String(bits, radix: 16)
      return .string("0x" + String(repeating: "0", count: 2 * size - hex.count) + hex)
    }
    if value.isInfinite { return .string(value < 0 ? "-Infinity" : "Infinity") }
    return .double(value)
  }

  static func canonicalNaN(_ size: Int) -> UInt64 {
    switch size {
    case 2: 0x7E00
    case 4: 0x7FC0_0000
    default: 0x7FF8_0000_0000_0000
    }
  }

  static func little(_ bits: UInt64, _ size: Int) -> [UInt8] {
    (0..<size).map { UInt8(truncatingIfNeeded: bits >> (8 * $0)) }
  }

  private func bits(_ bytes: [UInt8]) -> UInt64 {
    bytes.enumerated().reduce(0) { $0 | UInt64($1.element) << (8 * $1.offset) }
  }

  private func signed(_ bytes: [UInt8]) -> Int {
    let shift = 64 - 8 * bytes.count
    return Int(Int64(bitPattern: bits(bytes) << shift) >> shift)
  }
}

/// Conversion between doubles and the bits of floats of 2, 4 and 8 bytes, rounding to nearest even.
package enum FloatBits {
  /// The nearest value of that size, as bits.
  package static func bits(of value: Double, byteCount: Int) -> UInt64 {
    switch byteCount {
    case 2: UInt64(half(value))
    case 4: UInt64(Float(value).bitPattern)
    default: value.bitPattern
    }
  }

  /// The value of the bits.
  package static func value(of bits: UInt64, byteCount: Int) -> Double {
    switch byteCount {
    case 2: value(ofHalf: UInt16(truncatingIfNeeded: bits))
    case 4: Double(Float(bitPattern: UInt32(truncatingIfNeeded: bits)))
    default: Double(bitPattern: bits)
    }
  }

  /// Half precision without the `Float16` type, which Intel Macs lack.
  package static func value(ofHalf bits: UInt16) -> Double {
    let sign: Double = bits >> 15 == 1 ? -1 : 1
    let exponent = Int(bits >> 10 & 0x1F)
    let fraction = Double(bits & 0x3FF)
    switch exponent {
    case 0: return sign * fraction * 0x1p-24
    case 31: return fraction == 0 ? sign * .infinity : .nan
    default:
      return sign * (1 + fraction * 0x1p-10)
        * Double(sign: .plus, exponent: exponent - 15, significand: 1)
    }
  }

  private static func half(_ value: Double) -> UInt16 {
    let sign: UInt16 = value.sign == .minus ? 0x8000 : 0
    let magnitude = value.magnitude
    if value.isNaN { return sign | 0x7E00 }
    if magnitude >= 65520 { return sign | 0x7C00 }
    if magnitude < 0x1p-14 {
      return sign | UInt16((magnitude * 0x1p24).rounded(.toNearestOrEven))
    }
    let exponent = Int(magnitude.exponent)
    let scaled = Double(sign: .plus, exponent: 10 - exponent, significand: magnitude)
    // 1024 ... 2047, or 2048 when rounding carries into the exponent, which the sum then absorbs.
    let significand = UInt16(scaled.rounded(.toNearestOrEven))
    return sign | (UInt16(exponent + 14) << 10 + significand)
  }
}
