import HyperslabCore

/// Keeps the `zarr.json` files in step with the index, as durably as the index itself.
///
/// What cannot be written is remembered, and keeps nothing else from being written.
struct DerivedFiles {
  let files: any FileSystem
  let durability: Durability
  /// Directories whose names changed and are not permanent yet.
  private(set) var touched: Set<StorePath> = []
  /// Nodes whose file could not be written, and why.
  private(set) var stuck: [NodePath: HyperslabError] = [:]

  init(files: any FileSystem, durability: Durability) {
    self.files = files
    self.durability = durability
  }

  /// The nodes whose file is another in `new` than in `old`, if what differs about nodes themselves is
  /// known: those, and what is told of them elsewhere.
  static func changed(
    _ nodes: Set<NodePath>, from old: StoreIndex, to new: StoreIndex
  ) -> Set<NodePath> {
    if nodes.isEmpty { return [] }
    let (oldNames, newNames) = (DimensionNames(of: old), DimensionNames(of: new))
    // Names of axes depend on what else is there.
    let renamed = new.nodes.keys.filter { oldNames[$0] != newNames[$0] && old.nodes[$0] != nil }
    let nodes = nodes.union(renamed)
    let (before, after) = (ZarrMetadata.holders(of: old), ZarrMetadata.holders(of: new))
    let above = NodePath.ancestors(ofAll: nodes)
    return nodes.union(before.symmetricDifference(after))
      .union(after.intersection(above.union(nodes)))
  }

  /// Writes the files of some nodes of an index, what speaks of others after those.
  ///
  /// - Throws: what leaves it unsure what the disk holds.
  mutating func write(_ nodes: Set<NodePath>, of index: StoreIndex) throws(HyperslabError) {
    let documents = ZarrMetadata.files(of: index, only: nodes)
    try put(
      documents.keys.sorted().reversed().compactMap { path in documents[path].map { (path, $0) } })
    try synchronize()
  }

  /// Writes every file that is not what the index implies.
  ///
  /// - Parameters:
  ///   - nodes: Whose files to look at; nil for all.
  ///   - settingAside: Whether what another program wrote moves to `__slab/lost`. It stays otherwise, and
  ///     its node is stuck.
  mutating func restore(
    _ snapshot: Snapshot, only nodes: Set<NodePath>? = nil, settingAside: Bool = false
  ) throws(HyperslabError) {
    let found = FoundDocuments(files: files, snapshot: snapshot)
    var documents: [(path: NodePath, bytes: [UInt8])] = []
    let states = found.states(of: nodes ?? Set(snapshot.index.nodes.keys))
    for path in states.keys.sorted().reversed() {
      let target = StoreLayout.zarr(path)
      switch states[path] {
      // Whoever wrote it may have been killed before it was permanent.
      case .same, nil: touched.insert(target.parent)
      case .missing(let wanted), .outdated(let wanted), .plain(let wanted):
        documents.append((path, wanted))
      case .junk(let wanted):
        if (try? files.setAside(target, named: Self.lostName(path))) != nil {
          documents.append((path, wanted))
        }
      case .foreign(let wanted):
        if settingAside {
          do throws(HyperslabError) {
            _ = try files.setAside(target, named: Self.lostName(path))
            documents.append((path, wanted))
          } catch { stuck[path] = error }
        } else {
          stuck[path] = FoundDocuments.foreign(path, in: files)
        }
      case .unreadable(let error): stuck[path] = error
      }
    }
    try put(documents)
    try synchronize()
  }

  private static func lostName(_ path: NodePath) -> String {
    (path.components + ["zarr.json"]).joined(separator: ".")
  }

  /// Replaces the files of nodes, in order; their names are permanent after ``synchronize()``.
  mutating func put(
    _ documents: [(path: NodePath, bytes: [UInt8])]
  ) throws(HyperslabError) {
    let isFull = durability == .full
    let isTogether = isFull && files.synchronizesTogether(documents.count)
    var made: [(from: StorePath, path: NodePath)] = []
    for (number, document) in documents.enumerated() {
      let temporary = StoreLayout.temporaryDerived(number)
      do throws(HyperslabError) {
        touched.formUnion(try files.makeDirectories(StoreLayout.node(document.path)))
        if try files.status(temporary) != nil { try files.remove(temporary) }
        try files.create(
          temporary, contents: document.bytes, synchronize: isFull && !isTogether)
        made.append((temporary, document.path))
      } catch {
        try? files.remove(temporary)
        stuck[document.path] = error
      }
    }
    if isTogether { try files.synchronizeAll() }
    for (temporary, path) in made {
      let target = StoreLayout.zarr(path)
      do throws(HyperslabError) {
        try files.rename(temporary, to: target)
        touched.insert(target.parent)
      } catch {
        try? files.remove(temporary)
        stuck[path] = error
      }
    }
  }

  /// Makes the names of all files written permanent.
  mutating func synchronize() throws(HyperslabError) {
    if durability == .full {
      try Settle(files: files, durability: durability).synchronize(touched)
    }
    touched = []
  }
}
