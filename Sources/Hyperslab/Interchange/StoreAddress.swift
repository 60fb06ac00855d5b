public import HyperslabCore
public import SystemPackage

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

  /// Finds the store in a path: the nearest ancestor, itself included, that holds `slab.json`. Links and
  /// `..` are followed as the system follows them.
  ///
  /// - Throws: `not_found` when none does; `io` where one may not look; `invalid_name` for a node that
  ///   cannot be.
  public init(existing text: String) throws(HyperslabError) {
    guard let address = try Self.find(text) else {
      throw HyperslabError(
        .notFound, "neither it nor a directory above it is a store", at: text,
        expected: "a directory with a slab.json in it",
        remedy: "Check the path; slab import makes stores")
    }
    self = address
  }

  /// As ``init(existing:)``, but where there is no store yet, takes the shortest prefix that ends in
  /// `.slab` or `.zarr`, else all but the last component, as the store to create.
  ///
  /// - Parameters:
  ///   - text: The path.
  ///   - insideZarr: Whether that may lie inside another program's Zarr or N5 hierarchy.
  /// - Throws: `invalid_name` when nothing is left to name the data set; `inside_zarr`; `io` where one
  ///   may not look.
  public init(creating text: String, insideZarr: Bool = false) throws(HyperslabError) {
    if let address = try Self.find(text) {
      self = address
      return
    }
    let path = FilePath(text)
    let components = Array(path.components)
    func prefix(_ count: Int) -> FilePath { FilePath(root: path.root, components[..<count]) }
    func ending(in suffix: String) -> Int? {
      components.indices.first { index in
        let name = components[index].string
        return name.hasSuffix(suffix) && name != suffix
      }.map { $0 + 1 }
    }
    // Another program's hierarchy is no name for a store.
    let zarr = ending(in: ".zarr").flatMap { ForeignHierarchy.kind(prefix($0)) == nil ? $0 : nil }
    let count = ending(in: ".slab") ?? zarr ?? components.count - 1
    guard count >= 1, components[count - 1].kind != .parentDirectory else {
      throw HyperslabError(
        .invalidName, "no store and data set can be told apart in it", at: text,
        remedy: "Write the store and the data set, for example recording.slab/lfp")
    }
    let names = components[count...].filter { $0.kind != .currentDirectory }.map(\.string)
    store = prefix(count)
    node = try NodePath(names.joined(separator: "/"))
    if insideZarr { return }
    if let foreign = ForeignHierarchy.enclosing(store) {
      let name = node == .root ? "data" : node.name
      throw HyperslabError(
        .insideZarr, "a store would be made inside \(foreign.kind) of another program",
        at: text, found: "\(foreign.place.string)",
        remedy: "Name a store of its own, for example \(name).slab/\(name), or allow it with "
          + "insideZarr: true")
    }
  }

  /// As ``init(existing:)``, but also takes what is left of a store whose `slab.json` is gone, so
  /// that its damage can be told.
  ///
  /// - Throws: as ``init(existing:)``.
  public init(damaged text: String) throws(HyperslabError) {
    if let address = try Self.find(text) {
      self = address
      return
    }
    guard let address = try Self.find(text, marker: "__slab") else {
      try self.init(existing: text)
      return
    }
    self = address
  }

  private static func find(
    _ text: String, marker: String = "slab.json"
  ) throws(HyperslabError) -> StoreAddress? {
    var search = StoreSearch(marker)
    guard let found = try search.run(FilePath(text)) else { return nil }
    // A way that turns back is not for messages.
    let turns = found.store.components.drop { $0.kind == .parentDirectory }.contains {
      $0.kind == .parentDirectory
    }
    return StoreAddress(
      store: turns ? StoreSearch.real(found.store) ?? found.store : found.store,
      node: try NodePath(found.names.joined(separator: "/")))
  }

  /// The path it was written as.
  public var description: String {
    node == .root ? store.string : "\(store.string)/\(node)"
  }
}
