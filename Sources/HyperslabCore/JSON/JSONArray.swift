/// The elements of a JSON array.
///
/// Arrays and objects are nested at most ``JSONValue/mostLevels`` levels, far more than any store takes: what
/// would be nested deeper keeps nothing of what is in it, and every store refuses it. So nothing that goes
/// through a value level by level, not even freeing it, can run out of stack.
public struct JSONArray: Hashable, Sendable, RandomAccessCollection {
  /// The elements, in order.
  public let elements: [JSONValue]
  let levels: JSONLevels

  /// Takes elements.
  public init(_ elements: [JSONValue]) {
    levels = JSONLevels(around: elements.lazy.map(\.levels).max())
    self.elements = levels.areTooMany ? [] : elements
  }

  /// Where the first element is.
  public var startIndex: Int { elements.startIndex }
  /// Behind the last one.
  public var endIndex: Int { elements.endIndex }
  /// An element.
  public subscript(index: Int) -> JSONValue { elements[index] }

  /// Equal elements in the same order.
  public static func == (a: JSONArray, b: JSONArray) -> Bool {
    a.levels.areTooMany == b.levels.areTooMany && a.elements == b.elements
  }

  /// Hashes the elements.
  public func hash(into hasher: inout Hasher) { hasher.combine(elements) }
}

/// How many levels of arrays and objects a value has; at least as many as it has.
struct JSONLevels: Comparable, Sendable {
  /// What has no others in it has one.
  private let count: UInt8

  /// Of a number, a text, …
  static let none = JSONLevels(count: 0)
  /// As many as a document may have that a store keeps.
  static let ofDocument = JSONLevels(count: UInt8(StoreLimits.attributeDepth + 5))

  private init(count: UInt8) { self.count = count }

  /// Of an array or object around values of so many at most.
  init(around inner: JSONLevels?) {
    count = Swift.min((inner?.count ?? 0) + 1, UInt8(JSONValue.mostLevels) + 1)
  }

  var areTooMany: Bool { count > JSONValue.mostLevels }

  static func < (a: JSONLevels, b: JSONLevels) -> Bool { a.count < b.count }
}

extension JSONValue {
  /// How many levels arrays and objects are nested at most.
  public static let mostLevels = 128

  /// An array of elements.
  public static func array(_ elements: [JSONValue]) -> JSONValue { .array(JSONArray(elements)) }

  var levels: JSONLevels {
    switch self {
    case .array(let array): array.levels
    case .object(let members): members.levels
    default: .none
    }
  }

  /// What stands for a value that was nested too deep.
  static var tooDeep: JSONValue { .array(JSONArray.tooDeep) }
}

extension JSONArray {
  private init(cut: Void) {
    levels = .tooMany
    elements = []
  }

  static let tooDeep = JSONArray(cut: ())
}

extension JSONLevels {
  static let tooMany = JSONLevels(count: UInt8(JSONValue.mostLevels) + 1)
}
