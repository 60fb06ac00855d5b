/// Where a group or data set stands in a store: names joined by `/`; the root is empty.
///
/// Names must be usable as file names on every system and by every Zarr reader (Spec, "Names").
public struct NodePath: Hashable, Sendable, Comparable, CustomStringConvertible {
  /// The names, outermost first.
  public let components: [String]

  /// The root group.
  public static let root = NodePath(unchecked: [])

  private init(unchecked components: [String]) { self.components = components }

  /// Reads `a/b/c`; a leading and a trailing slash are ignored.
  ///
  /// - Throws: `invalid_name` naming the component and the rule it breaks.
  public init(_ text: String) throws(HyperslabError) {
    var trimmed = text[...]
    if trimmed.hasPrefix("/") { trimmed.removeFirst() }
    if trimmed.hasSuffix("/") { trimmed.removeLast() }
    if trimmed.isEmpty {
      components = []
      return
    }
    components = trimmed.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    for component in components {
      if let rule = Self.brokenRule(component) {
        throw HyperslabError(
          .invalidName, "the name \"\(component)\" in \"\(text)\" \(rule)",
          remedy: "Use 1 to 255 bytes without / \\ or control characters")
      }
    }
    guard text.utf8.count <= 1024 else {
      throw HyperslabError(
        .invalidName, "a path of \(text.utf8.count) bytes", expected: "at most 1024")
    }
  }

  private static func brokenRule(_ name: String) -> String? {
    if name.isEmpty { return "is empty" }
    if name.utf8.count > 255 { return "is longer than 255 bytes" }
    if name.hasPrefix(".") { return "starts with a dot" }
    if name.hasPrefix("__") {
      return "starts with two underscores, which the store keeps for itself"
    }
    if ["c", "zarr.json", "slab.json"].contains(name) {
      return "is kept for the store's own files"
    }
    let unusable = name.unicodeScalars.contains {
      $0 == "/" || $0 == "\\" || $0.properties.generalCategory == .control
    }
    return unusable ? "contains a character that cannot stand in a file name" : nil
  }

  /// The names joined by `/`; empty for the root.
  public var description: String { components.joined(separator: "/") }
  /// The last name; empty for the root.
  public var name: String { components.last ?? "" }
  /// The group that holds it; nil for the root.
  public var parent: NodePath? {
    components.isEmpty ? nil : NodePath(unchecked: Array(components.dropLast()))
  }
  /// All groups above it, the root first.
  public var ancestors: [NodePath] {
    components.indices.map { NodePath(unchecked: Array(components.prefix($0))) }
  }
  /// Whether it lies below `other`, at any depth.
  public func isDescendant(of other: NodePath) -> Bool {
    components.count > other.components.count && components.starts(with: other.components)
  }
  /// By components, so that a group comes right before what it holds.
  public static func < (a: NodePath, b: NodePath) -> Bool {
    a.components.lexicographicallyPrecedes(b.components)
  }
}
