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
  /// An array.
  case array([JSONValue])
  /// An object; members keep their order.
  case object(JSONObject)
}

/// The members of a JSON object, in order, each name once.
public struct JSONObject: Hashable, Sendable, Sequence, ExpressibleByDictionaryLiteral {
  private var order: [String] = []
  private var values: [String: JSONValue] = [:]

  /// An object without members.
  public init() {}
  /// An object written as a literal; of a name given twice the last value stays.
  public init(dictionaryLiteral elements: (String, JSONValue)...) {
    for (key, value) in elements { self[key] = value }
  }

  /// The names, in order.
  public var keys: [String] { order }
  /// The number of members.
  public var count: Int { order.count }
  /// Whether there are none.
  public var isEmpty: Bool { order.isEmpty }

  /// A member's value; setting nil removes it, a new name goes to the end.
  public subscript(key: String) -> JSONValue? {
    get { values[key] }
    set {
      if let newValue {
        if values.updateValue(newValue, forKey: key) == nil { order.append(key) }
      } else if values.removeValue(forKey: key) != nil {
        order.removeAll { $0 == key }
      }
    }
  }

  /// The members, in order.
  public func makeIterator() -> AnyIterator<(key: String, value: JSONValue)> {
    var keys = order.makeIterator()
    return AnyIterator {
      guard let key = keys.next(), let value = values[key] else { return nil }
      return (key, value)
    }
  }

  /// Equal members, whatever their order.
  public static func == (a: JSONObject, b: JSONObject) -> Bool { a.values == b.values }
  /// Hashes the members, whatever their order.
  public func hash(into hasher: inout Hasher) { hasher.combine(values) }
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
  public init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
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
  public var array: [JSONValue]? { if case .array(let value) = self { value } else { nil } }
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
  /// Refuses what would not read back: numbers that are not finite, values that stand more than
  /// `depthLimit` levels below an attribute's.
  ///
  /// - Throws: `invalid_value` naming the attribute.
  package func checkWritable(depthLimit: Int = 64) throws(HyperslabError) {
    for (name, value) in self where !value.isWritable(depthLimit: depthLimit) {
      throw HyperslabError(
        .invalidValue, "the attribute \"\(name)\"",
        expected: "finite numbers, nested at most \(depthLimit) deep",
        remedy: "Write NaN and infinities as strings")
    }
  }
}

extension JSONValue {
  fileprivate func isWritable(depthLimit: Int) -> Bool {
    guard depthLimit >= 0 else { return false }
    return switch self {
    case .double(let value): value.isFinite
    case .array(let elements):
      elements.allSatisfy { $0.isWritable(depthLimit: depthLimit - 1) }
    case .object(let members):
      members.allSatisfy { $0.value.isWritable(depthLimit: depthLimit - 1) }
    default: true
    }
  }
}
