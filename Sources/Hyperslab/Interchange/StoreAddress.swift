public import HyperslabCore
public import SystemPackage

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// A place in a store written as one path: `recording.slab/ecephys/lfp`.
public struct StoreAddress: Hashable, Sendable, CustomStringConvertible {
  /// The store's directory.
  public let store: FilePath
  /// The node in it.
  public let node: NodePath

  /// A node in a store.
  public init(store: FilePath, node: NodePath = .root) {
    self.store = store
    self.node = node
  }

  /// Finds the store in a path: the nearest ancestor, itself included, that holds `slab.json`.
  ///
  /// - Throws: `not_found` when none does; `invalid_name` for a node that cannot be.
  public init(existing text: String) throws(HyperslabError) {
    guard let address = try Self.find(FilePath(text)) else {
      throw HyperslabError(
        .notFound, "neither it nor a directory above it is a store", at: text,
        expected: "a directory with a slab.json in it")
    }
    self = address
  }

  /// As ``init(existing:)``, but where there is no store yet, takes the shortest prefix that ends in
  /// `.slab` or `.zarr`, else all but the last component, as the store to create.
  ///
  /// - Throws: `invalid_name` when nothing is left to name the data set.
  public init(creating text: String) throws(HyperslabError) {
    if let address = try Self.find(FilePath(text)) {
      self = address
      return
    }
    let path = FilePath(text).lexicallyNormalized()
    let names = path.components.map(\.string)
    let ending = names.firstIndex { name in
      [".slab", ".zarr"].contains { name.hasSuffix($0) && name != $0 }
    }
    let count = ending.map { $0 + 1 } ?? names.count - 1
    guard count >= 1, names[..<count].last != ".." else {
      throw HyperslabError(
        .invalidName, "no store and data set can be told apart in it", at: text,
        remedy: "Write the store and the data set, for example recording.slab/lfp")
    }
    var store = FilePath(root: path.root)
    for name in names[..<count] { store.append(name) }
    self.init(store: store, node: try NodePath(names[count...].joined(separator: "/")))
  }

  /// As ``init(existing:)``, but also takes what is left of a store whose `slab.json` is gone, so
  /// that its damage can be told.
  ///
  /// - Throws: as ``init(existing:)``.
  public init(damaged text: String) throws(HyperslabError) {
    let path = FilePath(text).lexicallyNormalized()
    if let address = try Self.find(path) {
      self = address
      return
    }
    guard let address = try Self.find(path, marker: "__slab") else {
      try self.init(existing: text)
      return
    }
    self = address
  }

  /// Whether a directory holds a store.
  public static func holdsStore(_ path: FilePath) -> Bool {
    access(path.appending("slab.json").string, F_OK) == 0
  }

  private static func find(
    _ text: FilePath, marker: FilePath.Component = "slab.json"
  ) throws(HyperslabError) -> StoreAddress? {
    // "." alone normalizes to nothing; as a directory it is wanted.
    var store = text.lexicallyNormalized()
    if store.isEmpty { store = "." }
    var names: [String] = []
    while true {
      if access(store.appending(marker).string, F_OK) == 0 {
        return StoreAddress(
          store: store, node: try NodePath(names.reversed().joined(separator: "/")))
      }
      guard let last = store.lastComponent, last.kind == .regular else { return nil }
      names.append(last.string)
      store.removeLastComponent()
      if store.isEmpty { store = "." }
    }
  }

  /// The path it was written as.
  public var description: String {
    node == .root ? store.string : "\(store.string)/\(node)"
  }
}
