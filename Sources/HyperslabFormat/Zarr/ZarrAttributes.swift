import HyperslabCore

/// A data set's attributes as Zarr readers are told them: the unit among them, and `_FillValue` in the
/// form in which xarray reads it, which gives up a whole group for one that it cannot read.
///
/// Source: `FillValueCoder` of xarray's Zarr backend.
enum ZarrAttributes {
  static let fillValue = "_FillValue"

  static func of(_ description: DatasetDescription) -> JSONObject {
    var attributes = JSONObject()
    for (name, value) in description.attributes {
      if name == fillValue {
        if let told = told(value, of: description.dataType) { attributes[name] = told }
      } else {
        attributes[name] = value
      }
    }
    if let unit = description.unit, attributes["units"] == nil {
      attributes["units"] = .string(told(unit: unit))
    }
    return attributes
  }

  private static let timeUnits = [
    "D": "days", "h": "hours", "m": "minutes", "s": "seconds", "ms": "milliseconds",
    "us": "microseconds", "ns": "nanoseconds",
  ]

  /// A unit of dates in the words that xarray decodes, where it has NumPy's: `ns since 1970-01-01`. xarray
  /// opens no group with dates of a unit that it does not know.
  static func told(unit: String) -> String {
    guard let end = unit.firstRange(of: " since "),
      let word = timeUnits[String(unit[..<end.lowerBound])]
    else { return unit }
    return word + unit[end.lowerBound...]
  }

  static func addUnit(_ description: DatasetDescription, to attributes: inout JSONObject) {
    if let unit = description.unit, attributes["units"] == nil {
      attributes["units"] = .string(unit)
    }
  }

  /// What xarray reads of a `_FillValue`: of floats the base64 of a double, of complex numbers two of
  /// those. Nil for what it would not read at all.
  static func told(_ value: JSONValue, of dataType: DataType) -> JSONValue? {
    switch dataType.kind {
    case .floating: return double(value)
    case .complex:
      if let parts = value.array {
        let told = parts.compactMap(double)
        guard parts.count == 2, told.count == 2 else { return nil }
        return .array(told)
      }
      guard let real = double(value), value.string == nil else { return nil }
      return .array([real, .string(base64(0))])
    case .signed, .unsigned:
      if case .string = value { return nil }
      guard number(value) != nil else { return nil }
      return value
    default: return value
    }
  }

  private static func double(_ value: JSONValue) -> JSONValue? {
    if let number = number(value) { return .string(base64(number)) }
    guard let text = value.string, text.utf8.count == 12, text.utf8.last == UInt8(ascii: "="),
      text.utf8.dropLast().allSatisfy({ digits.contains($0) })
    else { return nil }
    return value
  }

  private static func number(_ value: JSONValue) -> Double? {
    switch value {
    case .integer(let number): Double(number)
    case .string("NaN"): .nan
    case .string("Infinity"): .infinity
    case .string("-Infinity"): -.infinity
    case .unsigned(let number): Double(number)
    case .double(let number): number
    default: nil
    }
  }

  private static let digits = Array(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

  /// The eight bytes of a double, the lowest first.
  private static func base64(_ number: Double) -> String {
    let bytes = (0..<9).map {
      $0 < 8 ? UInt8(truncatingIfNeeded: number.bitPattern >> (8 * $0)) : 0
    }
    var text: [UInt8] = []
    for start in stride(from: 0, to: 9, by: 3) {
      let word = Int(bytes[start]) << 16 | Int(bytes[start + 1]) << 8 | Int(bytes[start + 2])
      for shift in [18, 12, 6, 0] { text.append(digits[word >> shift & 63]) }
    }
    return String(decoding: text.dropLast(), as: UTF8.self) + "="
  }
}
