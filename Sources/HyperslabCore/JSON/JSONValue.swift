/// A JSON value, as attributes hold it. Integers of 64 bits survive exactly.
public enum JSONValue: Hashable, Sendable {
  /// `null`.
  case null
  /// `true` or `false`.
  case bool(Bool)
  /// A number written without fraction or exponent that fits into `Int`.
  case integer(Int)
  /// Such a number between `Int.max` and `UInt64.max`.
  case unsigned(UInt64)
  /// Any other number.
  case double(Double)
  /// A string.
  case string(String)
  /// An array; made of a Swift array by ``array(_:)->JSONValue``.
  case array(JSONArray)
  /// An object; members keep their order.
  case object(JSONObject)
}

extension JSONValue {
  /// Equal values; texts byte by byte, numbers as they are spelled: `1` is not `1.0`.
  public static func == (a: JSONValue, b: JSONValue) -> Bool {
    switch (a, b) {
    case (.null, .null): true
    case (.bool(let a), .bool(let b)): a == b
    case (.integer(let a), .integer(let b)): a == b
    case (.unsigned(let a), .unsigned(let b)): a == b
    case (.double(let a), .double(let b)): a == b
    case (.string(let a), .string(let b)): a.hasSameBytes(as: b)
    case (.array(let a), .array(let b)): a == b
    case (.object(let a), .object(let b)): a == b
    default: false
    }
  }

  /// Hashes the value.
  public func hash(into hasher: inout Hasher) {
    switch self {
    case .null: hasher.combine(0)
    case .bool(let value): hasher.combine(value)
    case .integer(let value): hasher.combine(value)
    case .unsigned(let value): hasher.combine(value)
    case .double(let value): hasher.combine(value)
    case .string(let value): hasher.combine(JSONName(value))
    case .array(let elements): hasher.combine(elements)
    case .object(let members): hasher.combine(members)
    }
  }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral,
  ExpressibleByFloatLiteral, ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral,
  ExpressibleByDictionaryLiteral, ExpressibleByNilLiteral
{
  /// A string.
  public init(stringLiteral value: String) { self = .string(value) }
  /// An integer.
  public init(integerLiteral value: Int) { self = .integer(value) }
  /// A number.
  public init(floatLiteral value: Double) { self = .double(value) }
  /// A truth value.
  public init(booleanLiteral value: Bool) { self = .bool(value) }
  /// An array.
  public init(arrayLiteral elements: JSONValue...) { self = .array(JSONArray(elements)) }
  /// An object.
  public init(dictionaryLiteral elements: (String, JSONValue)...) {
    var object = JSONObject()
    for (key, value) in elements { object[key] = value }
    self = .object(object)
  }
  /// `null`.
  public init(nilLiteral: ()) { self = .null }
}

extension JSONValue {
  /// The value when it is a string.
  public var string: String? { if case .string(let value) = self { value } else { nil } }
  /// The value when it is an integer that fits.
  public var integer: Int? { if case .integer(let value) = self { value } else { nil } }
  /// The value when it is a truth value.
  public var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
  /// The elements when it is an array.
  public var array: [JSONValue]? {
    if case .array(let value) = self { value.elements } else { nil }
  }
  /// The members when it is an object.
  public var object: JSONObject? { if case .object(let value) = self { value } else { nil } }
  /// The value when it is any number, rounded to a double.
  public var number: Double? {
    switch self {
    case .integer(let value): Double(value)
    case .unsigned(let value): Double(value)
    case .double(let value): value
    default: nil
    }
  }
}

extension JSONObject {
  /// Refuses what would not read back: numbers that are not finite, texts of more than 30 combining marks
  /// in a row, values that stand more than `depthLimit` levels below an attribute's.
  ///
  /// - Throws: `invalid_value` naming the attribute.
  package func checkWritable(depthLimit: Int = StoreLimits.attributeDepth) throws(HyperslabError) {
    for (name, value) in self
    where !name.isStreamSafe || !value.isWritable(depthLimit: depthLimit) {
      throw HyperslabError(
        .invalidValue, "the attribute \"\(name)\"",
        expected: "finite numbers, nested at most \(depthLimit) deep, and no text of more than 30 "
          + "combining marks in a row",
        remedy: "Write NaN and infinities as strings, and deep structures as one string")
    }
  }
}

extension JSONValue {
  fileprivate func isWritable(depthLimit: Int) -> Bool {
    guard depthLimit >= 0 else { return false }
    return switch self {
    case .double(let value): value.isFinite
    case .string(let text): text.isStreamSafe
    case .array(let array):
      !array.levels.areTooMany
        && array.elements.allSatisfy { $0.isWritable(depthLimit: depthLimit - 1) }
    case .object(let members):
      members.allSatisfy {
        $0.key.isStreamSafe && $0.value.isWritable(depthLimit: depthLimit - 1)
      }
    default: true
    }
  }
}
