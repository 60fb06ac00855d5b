import HyperslabCore

/// A path below a store's root: names computed by the format or checked as node names, never taken
/// from a file as they are.
package struct StorePath: Hashable, Sendable, CustomStringConvertible {
  /// The names, outermost first, a slash between; empty for the root itself.
  ///
  /// In one piece, as the system takes it: small chunks are so many that putting it together shows.
  package let description: String

  private static let slash = UInt8(ascii: "/")

  /// A path as ``description`` has it.
  package init(_ description: String) { self.description = description }

  package static let root = StorePath("")

  /// File names are bytes.
  package static func == (a: StorePath, b: StorePath) -> Bool {
    a.description.hasSameBytes(as: b.description)
  }

  package func hash(into hasher: inout Hasher) { hasher.combine(bytesOf: description) }

  package static func / (path: StorePath, name: String) -> StorePath {
    path.isRoot ? StorePath(name) : StorePath(path.description + "/" + name)
  }

  package var isRoot: Bool { description.isEmpty }

  /// Whether it is a directory or something in it, at any depth.
  func isIn(_ directory: StorePath) -> Bool {
    let length = directory.description.utf8.count
    guard length > 0, description.startsBytewise(with: directory.description) else {
      return length == 0
    }
    return description.utf8.count == length
      || description.utf8[description.utf8.index(description.startIndex, offsetBy: length)]
        == Self.slash
  }

  /// As messages name it.
  func description(below root: String) -> String { isRoot ? root : "\(root)/\(self)" }

  package var parent: StorePath {
    let end = description.utf8.lastIndex(of: Self.slash) ?? description.startIndex
    return StorePath(String(description[..<end]))
  }

  package var name: String {
    guard let slash = description.utf8.lastIndex(of: Self.slash) else { return description }
    return String(description[description.utf8.index(after: slash)...])
  }

  /// The names, outermost first; none for the root.
  package var components: [String] {
    description.utf8.split(separator: Self.slash).map { String(Substring($0)) }
  }

  /// How many names it has.
  package var depth: Int {
    isRoot ? 0 : 1 + description.utf8.lazy.filter { $0 == Self.slash }.count
  }

  /// The directories that it is in, the root first.
  package var ancestors: [StorePath] {
    isRoot
      ? []
      : [.root]
        + description.utf8.indices.filter { description.utf8[$0] == Self.slash }
        .map { StorePath(String(description[..<$0])) }
  }
}
