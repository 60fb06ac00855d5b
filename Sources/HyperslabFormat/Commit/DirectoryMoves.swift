import HyperslabCore

/// Lets data sets that a commit replaced or removed change places, each as one directory, so that a
/// Zarr reader, who knows of no commits, finds the old one or the new one, and all of it.
///
/// Every step may have been done before; doing all again changes nothing. What cannot be done for one
/// data set is remembered, and keeps none of the others.
struct DirectoryMoves {
  let files: any FileSystem
  let durability: Durability
  /// The index before, if it is known: data sets that have shrunk since are shown as short as they are
  /// before any of their chunks change.
  let before: StoreIndex?
  /// Whether nobody can have begun.
  let isOwn: Bool
  /// Directories whose names changed, now or by whoever began.
  private(set) var touched: Set<StorePath> = []
  /// What could not be moved, and why.
  private(set) var stuck: [NodePath: HyperslabError] = [:]

  private let known: FoundDocuments?
  /// What others wrote and was taken in.
  private let taken: TakenFiles
  /// What the index removed, by where it stood.
  private var removed: [NodePath: [StoreIndex.Removal]] = [:]

  init(
    files: any FileSystem, durability: Durability, before: StoreIndex?, isOwn: Bool = false,
    known: FoundDocuments?, taken: TakenFiles = TakenFiles()
  ) {
    self.files = files
    self.durability = durability
    self.before = before
    self.isOwn = isOwn
    self.known = known
    self.taken = taken
  }

  /// - Throws: what leaves it unsure what the disk holds.
  mutating func run(_ index: StoreIndex) throws(HyperslabError) {
    let incoming = index.datasets.filter { $0.record.incoming != nil }
    let narrowed = narrowed(index)
    if index.removed.isEmpty && incoming.isEmpty && narrowed.isEmpty { return }
    removed = Dictionary(grouping: index.removed, by: \.path)
    try showLess(index, incoming.map(\.path), narrowed)
    for removal in index.removed {
      attempt(removal.path) { (moves) throws(HyperslabError) in try moves.remove(removal, index) }
    }
    for (path, record) in incoming {
      attempt(path) { (moves) throws(HyperslabError) in try moves.exchange(path, record, index) }
    }
    // Before the marks go that tell that it happened.
    try synchronize(touched)
    for (path, record) in incoming {
      attempt(path) { (moves) throws(HyperslabError) in try moves.tidy(path, record, index) }
    }
    // What is held before what holds it. A group in which something of others lies stays.
    for removal in index.removed.sorted(by: { $1.path < $0.path })
    where removal.id == nil && index.nodes[removal.path] == nil {
      let place = StoreLayout.node(removal.path)
      if (try? files.removeDirectory(place)) != nil { touched.insert(place.parent) }
    }
  }

  private mutating func attempt(
    _ path: NodePath, _ body: (inout Self) throws(HyperslabError) -> Void
  ) {
    guard stuck[path] == nil else { return }
    do { try body(&self) } catch { stuck[path] = error }
  }

  private func synchronize(_ directories: Set<StorePath>) throws(HyperslabError) {
    if durability == .full {
      try Settle(files: files, durability: durability).synchronize(directories)
    }
  }

  /// Whether all that an index asks for has been done.
  static func areDone(
    _ index: StoreIndex, in files: any FileSystem
  ) throws(HyperslabError) -> Bool {
    for removal in index.removed {
      guard let id = removal.id, index.dataset(removal.path)?.incoming == nil else { continue }
      if try files.status(StoreLayout.trash(dataset: id)) == nil { return false }
    }
    for (_, record) in index.datasets {
      guard let writer = record.incoming else { continue }
      let staged = StoreLayout.incoming(writer: writer, dataset: record.id)
      if try files.status(staged) != nil { return false }
    }
    return true
  }

  // MARK: - What is said of them

  /// Takes what is said of data sets in documents of others out of those, so that each is known by its
  /// own document alone, which moves with its chunks; and those of removed groups.
  private mutating func showLess(
    _ index: StoreIndex, _ incoming: [NodePath], _ narrowed: [NodePath: DatasetRecord]
  ) throws(HyperslabError) {
    var derived = DerivedFiles(files: files, durability: durability, known: known)
    derived.taken = taken
    let moving = index.removed.map(\.path) + incoming + narrowed.keys
    let groups = index.nodes.groups(above: moving).union(index.removed.map(\.path))
    var documents: [(path: NodePath, bytes: [UInt8])] = []
    // From the root on: who comes by way of a group must not find what it says to be gone.
    for path in groups.sorted() {
      if case .group? = index.nodes[path], let node = index.nodes[path] {
        let plain = ZarrMetadata.plainFile(of: node, in: index)
        if try contents(path) != plain { documents.append((path, plain)) }
      } else if index.nodes[path] == nil, isRemovedGroup(path) {
        attempt(path) { (moves) throws(HyperslabError) in
          let document = StoreLayout.zarr(path)
          guard try moves.files.status(document) != nil else { return }
          try derived.remove(path)
          moves.touched.insert(document.parent)
        }
      }
    }
    let axes = narrowed.isEmpty ? nil : DimensionNames(of: index)
    for path in narrowed.keys.sorted() {
      guard let record = narrowed[path] else { continue }
      let bytes = ZarrMetadata.file(of: record, axes: axes?[path], in: index)
      if try contents(path) != bytes { documents.append((path, bytes)) }
    }
    try derived.put(documents)
    try derived.synchronize()
    try synchronize(touched)
    // Nobody may move what is still said to be as it was.
    for (group, error) in derived.stuck.merging(stuck, uniquingKeysWith: { first, _ in first }) {
      for path in moving where path == group || path.isDescendant(of: group) {
        stuck[path] = stuck[path] ?? error
      }
    }
  }

  private func isRemovedGroup(_ path: NodePath) -> Bool {
    removed[path]?.contains { $0.id == nil } ?? false
  }

  private func contents(_ path: NodePath) throws(HyperslabError) -> [UInt8]? {
    do {
      return try files.contents(StoreLayout.zarr(path), limit: StoreIndex.maximumFileByteCount)
    } catch {
      if [.missing, .foreign, .limit, .torn].contains(error.code) { return nil }
      throw error
    }
  }

  /// Data sets that the index makes shorter along an axis, as long as they are before and after.
  private func narrowed(_ index: StoreIndex) -> [NodePath: DatasetRecord] {
    guard let before else { return [:] }
    var result: [NodePath: DatasetRecord] = [:]
    for (path, record) in index.datasets where record.commit == index.commit {
      guard let old = before.dataset(path), old.id == record.id else { continue }
      let (was, now) = (old.description.shape, record.description.shape)
      let both = zip(was, now).map { Swift.min($0, $1) }
      guard both != Array(was) else { continue }
      var narrow = record
      narrow.description.shape = Shape(both)
      result[path] = narrow
    }
    return result
  }

  // MARK: - Moving

  /// Moves a removed data set to the trash, whose having it says that this was done: what stands at its
  /// place from then on is somebody else's.
  private mutating func remove(
    _ removal: StoreIndex.Removal, _ index: StoreIndex
  ) throws(HyperslabError) {
    guard let id = removal.id else { return }
    let target = StoreLayout.trash(dataset: id)
    let place = StoreLayout.node(removal.path)
    var source: StorePath? = place
    switch index.nodes[removal.path] {
    case nil: break
    case .group: source = StoreLayout.chunks(removal.path)
    case .dataset(let record):
      // The new one takes its place.
      if record.incoming != nil { return }
      let isThere = try isSuccessorInPlace(removal.path, record)
      source = isThere ? nil : StoreLayout.chunks(removal.path)
    }
    touched.formUnion([StoreLayout.trash, place, place.parent])
    guard try files.status(target) == nil else { return }
    touched.formUnion(try files.makeDirectories(StoreLayout.trash))
    if let source, try files.status(source) != nil {
      try files.rename(source, to: target)
    } else {
      _ = try files.makeDirectory(target)
    }
  }

  /// Whether a data set that came chunk by chunk has files at their names already: then somebody has
  /// emptied the trash since, and with it the mark that the old one's were moved.
  private func isSuccessorInPlace(
    _ path: NodePath, _ record: DatasetRecord
  ) throws(HyperslabError) -> Bool {
    guard let pending = record.pending else { return false }
    for (_, staged) in pending.staged where try files.status(staged) == nil { return true }
    return false
  }

  private mutating func exchange(
    _ path: NodePath, _ record: DatasetRecord, _ index: StoreIndex
  ) throws(HyperslabError) {
    let staged = StoreLayout.incoming(writer: record.incoming ?? "", dataset: record.id)
    let place = StoreLayout.node(path)
    touched.formUnion([staged.parent, place.parent])
    guard try files.status(staged / StoreLayout.arrivalMark) != nil else {
      if isOwn, before?.dataset(path)?.id != record.id {
        throw HyperslabError(.missing, "a staged data set is gone", at: "\(staged)")
      }
      return
    }
    if try files.status(place) == nil {
      touched.formUnion(try files.makeDirectories(place.parent))
      return try files.rename(staged, to: place)
    }
    do { try files.exchange(staged, with: place) } catch {
      guard error.code == .unsupported else { throw error }
      // The old one or nothing, never something in between.
      try discard(place, of: path)
      try files.rename(staged, to: place)
    }
  }

  /// What stood there goes to the trash, and the mark with it that it did.
  private mutating func tidy(
    _ path: NodePath, _ record: DatasetRecord, _ index: StoreIndex
  ) throws(HyperslabError) {
    let staged = StoreLayout.incoming(writer: record.incoming ?? "", dataset: record.id)
    if try files.status(staged) != nil { try discard(staged, of: path) }
    let place = StoreLayout.node(path)
    touched.insert(place)
    let mark = place / StoreLayout.arrivalMark
    if try files.status(mark) != nil { try files.remove(mark) }
  }

  private mutating func discard(
    _ directory: StorePath, of path: NodePath
  ) throws(HyperslabError) {
    touched.formUnion(try files.makeDirectories(StoreLayout.trash))
    touched.insert(StoreLayout.trash)
    let removals = removed[path]
    let id = removals?.lazy.compactMap(\.id).first
    var target = StoreLayout.trash / StoreLayout.newIdentifier()
    // Its values are those of what took its place.
    if removals == nil {
      try keepUntaken(directory, StoreLayout.node(path))
      target = StoreLayout.trash / (TrashSweep.adopted + target.name)
    }
    if let id, try files.status(StoreLayout.trash(dataset: id)) == nil {
      target = StoreLayout.trash(dataset: id)
    }
    try files.rename(directory, to: target)
  }

  /// Of an array that was taken in, keeps the files that somebody has written since.
  private func keepUntaken(
    _ directory: StorePath, _ place: StorePath
  ) throws(HyperslabError) {
    // A second time there is nothing that says what was taken.
    if taken.isEmpty { return }
    for entry in try files.list(directory) {
      let (path, origin) = (directory / entry.name, place / entry.name)
      switch entry.kind {
      case .directory: try keepUntaken(path, origin)
      case .file where try taken.holds(origin, as: path, in: files): break
      case .file, .other:
        _ = try files.setAside(path, named: origin.components.joined(separator: "."))
      }
    }
  }
}
