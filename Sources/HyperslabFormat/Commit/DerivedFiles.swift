import HyperslabCore

/// Keeps the `zarr.json` files in step with the index, as durably as the index itself.
///
/// What cannot be written is remembered, and keeps nothing else from being written.
struct DerivedFiles {
  let files: any FileSystem
  let durability: Durability
  /// What this store's own programs may have written; nil where nobody else can have been.
  var known: FoundDocuments?
  /// What others wrote and was taken in.
  var taken = TakenFiles()
  /// Directories whose names changed and are not permanent yet.
  private(set) var touched: Set<StorePath> = []
  /// Nodes whose file could not be written, and why.
  private(set) var stuck: [NodePath: HyperslabError] = [:]

  init(files: any FileSystem, durability: Durability, known: FoundDocuments? = nil) {
    self.files = files
    self.durability = durability
    self.known = known
  }

  /// The nodes whose file is another in `new` than in `old`, if what differs about nodes themselves is
  /// known: those, and what is told of them elsewhere.
  static func changed(
    _ nodes: Set<NodePath>, from old: StoreIndex, to new: StoreIndex
  ) -> Set<NodePath> {
    if nodes.isEmpty { return [] }
    // Names of axes depend on what else is there.
    let nodes = nodes.union(nodes.contains { hasOtherAxes($0, old, new) } ? renamed(old, new) : [])
    let (before, after) = (ZarrMetadata.holders(of: old), ZarrMetadata.holders(of: new))
    let above = NodePath.ancestors(ofAll: nodes)
    return nodes.union(before.symmetricDifference(after))
      .union(after.intersection(above.union(nodes)))
  }

  private static func hasOtherAxes(_ path: NodePath, _ old: StoreIndex, _ new: StoreIndex) -> Bool {
    let (old, new) = (old.dataset(path)?.description, new.dataset(path)?.description)
    return old?.shape != new?.shape || old?.dimensionNames != new?.dimensionNames
  }

  private static func renamed(_ old: StoreIndex, _ new: StoreIndex) -> [NodePath] {
    let (oldNames, newNames) = (DimensionNames(of: old), DimensionNames(of: new))
    return new.nodes.keys.filter { oldNames[$0] != newNames[$0] && old.nodes[$0] != nil }
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
    known = found
    var documents: [(path: NodePath, bytes: [UInt8])] = []
    let states = found.states(of: nodes ?? Set(snapshot.index.nodes.keys))
    // A group comes after what it holds, and is there where any of that is.
    var above: Set<NodePath> = []
    for path in snapshot.index.nodes.keys.reversed() where states[path] != nil {
      let target = StoreLayout.zarr(path)
      switch states[path] {
      // Whoever wrote it may have been killed before it was permanent.
      case .same, nil: touched.insert(target.parent)
      case .missing(let wanted):
        if !above.contains(path) {
          if try Self.isMovedAway(path, snapshot.index, files) { continue }
        }
        documents.append((path, wanted))
        above.formUnion(path.ancestors)
      case .outdated(let wanted), .plain(let wanted): documents.append((path, wanted))
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

  /// Whether a node's directory is gone with all that it held: somebody moved it, and may move it back. Where
  /// there is nothing a Zarr reader says so; beside a document it would make the fill value of what was there.
  static func isMovedAway(
    _ path: NodePath, _ index: StoreIndex, _ files: any FileSystem
  ) throws(HyperslabError) -> Bool {
    let holdsMore =
      switch index.nodes[path] {
      case .dataset(let record): record.storedChunks > 0
      case .group: index.nodes.firstDescendant(of: path) != nil
      case nil: false
      }
    if !holdsMore { return false }
    return try files.status(StoreLayout.node(path)) == nil
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
        try Self.sweep(temporary, in: files)
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
        try replace(target, of: path, with: temporary)
        touched.insert(target.parent)
      } catch {
        try? files.remove(temporary)
        stuck[path] = error
      }
    }
  }

  /// Lets a file take a name. What stood there was looked at before, but another program may have written
  /// there since: then it is kept in `__slab/lost`.
  private func replace(
    _ target: StorePath, of path: NodePath, with temporary: StorePath
  ) throws(HyperslabError) {
    guard known != nil, try files.status(target) != nil else {
      return try files.rename(temporary, to: target)
    }
    do throws(HyperslabError) { try files.exchange(temporary, with: target) } catch {
      guard error.code == .unsupported else { throw error }
      return try files.rename(temporary, to: target)
    }
    // What cannot be kept now lies there until the next one who sweeps.
    try? discard(temporary, of: path)
  }

  /// Takes away a file that did not reach its name; what stood there before, if that is another program's,
  /// goes to `__slab/lost`.
  static func sweep(_ temporary: StorePath, in files: any FileSystem) throws(HyperslabError) {
    guard try files.status(temporary) != nil else { return }
    let bytes = try files.contents(temporary, limit: StoreIndex.maximumFileByteCount)
    if Provenance.isDerived(bytes) || !FoundDocuments.isDocument(bytes) {
      try files.remove(temporary)
    } else {
      _ = try files.setAside(temporary, named: "zarr.json")
    }
  }

  /// Removes the file of a node that is no more.
  func remove(_ path: NodePath) throws(HyperslabError) {
    let temporary = StoreLayout.temporaryDerived(0)
    try Self.sweep(temporary, in: files)
    try files.rename(StoreLayout.zarr(path), to: temporary)
    try? discard(temporary, of: path)
  }

  private func discard(_ file: StorePath, of path: NodePath) throws(HyperslabError) {
    let found: [UInt8]?
    do throws(HyperslabError) {
      found = try files.contents(file, limit: StoreIndex.maximumFileByteCount)
    } catch {
      // What cannot be read now lies there for the next one who sweeps.
      if error.leavesUnchecked { throw error }
      found = nil
    }
    let isTaken = found.map { taken.holds(StoreLayout.zarr(path), $0) } ?? false
    if let found, isTaken || known?.isOwn(found, path) ?? true { return try files.remove(file) }
    _ = try files.setAside(file, named: Self.lostName(path))
  }

  /// Makes the names of all files written permanent.
  mutating func synchronize() throws(HyperslabError) {
    if durability == .full {
      try Settle(files: files, durability: durability).synchronize(touched)
    }
    touched = []
  }
}
