import HyperslabCore

/// Removes chunk files that no row lists, which a writer that died or failed in the middle of a commit
/// left.
///
/// Under the store's lock and with everything settled nobody is placing any. Where a writer noted what it
/// was about to place, only there; contents decide whether a file is the store's; and only files no older
/// than that writer are touched. A table that cannot be read keeps all its files.
struct OrphanSweep {
  let files: any FileSystem
  let snapshot: Snapshot
  /// When the writer began, in seconds since 1970.
  let since: Int
  private(set) var removed: [StorePath] = []
  /// Directories that something was removed from.
  private(set) var touched: Set<StorePath> = []

  init(files: any FileSystem, snapshot: Snapshot, since: Int) {
    self.files = files
    self.snapshot = snapshot
    self.since = since
  }

  /// Sweeps what dead writers left; what cannot be swept keeps nobody from writing.
  mutating func run(_ dead: DeadWriters) {
    guard let places = dead.places else { return everywhere() }
    for path in places.sorted() {
      if let record = snapshot.index.dataset(path) {
        try? sweep(StoreLayout.chunks(path), [], snapshot.table(record))
      } else {
        try? sweepUnknown(StoreLayout.chunks(path))
        removeEmptied(StoreLayout.node(path))
      }
    }
  }

  private mutating func everywhere() {
    for (path, record) in snapshot.index.datasets {
      try? sweep(StoreLayout.chunks(path), [], snapshot.table(record))
    }
    for path in snapshot.index.nodes.keys { try? putAsideUnknown(in: path) }
  }

  // MARK: - In a data set

  private mutating func sweep(
    _ place: StorePath, _ coordinates: [Int], _ table: ChunkTable
  ) throws(HyperslabError) {
    if coordinates.count == table.record.grid.rank {
      // The table first: it is in memory, and lists nearly all.
      guard try table.row(ChunkIndex(coordinates)).state != .stored else { return }
      return try removeChunk(place)
    }
    guard try files.status(place)?.kind == .directory else { return }
    for entry in try files.list(place) {
      guard let coordinate = StoreLayout.coordinate(entry.name) else { continue }
      try sweep(place / entry.name, coordinates + [coordinate], table)
    }
  }

  private mutating func removeChunk(_ path: StorePath) throws(HyperslabError) {
    guard let status = try files.status(path), status.kind == .file, status.modified >= since,
      try Provenance(files: files).isFrame(path)
    else { return }
    try files.remove(path)
    removed.append(path)
    touched.insert(path.parent)
  }

  // MARK: - Where no index has a data set

  /// Removes the chunks below a place that a writer noted, and the directories that are empty then.
  private mutating func sweepUnknown(_ place: StorePath) throws(HyperslabError) {
    guard let status = try files.status(place), place.depth <= 1024 else { return }
    guard status.kind == .directory else { return try removeChunk(place) }
    for entry in try files.list(place) where StoreLayout.coordinate(entry.name) != nil {
      try sweepUnknown(place / entry.name)
    }
    if (try? files.removeDirectory(place)) != nil { touched.insert(place.parent) }
  }

  /// Removes a data set's directory and the groups above that nobody has committed.
  private mutating func removeEmptied(_ directory: StorePath) {
    var directory = directory
    while !directory.isRoot, let path = try? NodePath(directory.description),
      snapshot.index.nodes[path] == nil, (try? files.removeDirectory(directory)) != nil
    {
      touched.insert(directory.parent)
      directory = directory.parent
    }
  }

  /// Whole trees of the store's own making beside the nodes of a group: what a first commit left whose
  /// note a power cut took. Somebody may have copied a data set there, so it is not removed.
  private mutating func putAsideUnknown(in group: NodePath) throws(HyperslabError) {
    let directory = StoreLayout.node(group)
    let isDataset = snapshot.index.dataset(group) != nil
    for entry in try files.list(directory) where entry.kind == .directory {
      let place = directory / entry.name
      let isNode =
        (try? NodePath(place.description)).map { snapshot.index.nodes[$0] != nil } ?? false
      if isNode || place == StoreLayout.reserved || isDataset && entry.name == "c" { continue }
      guard try Provenance(files: files).judge(place, .directory).origin == .ours,
        try newest(below: place) >= since
      else { continue }
      try LostFiles(files: files, commit: snapshot.index.commit).take(place)
      removed.append(place)
      touched.formUnion([directory, StoreLayout.lost])
    }
  }

  private func newest(below place: StorePath) throws(HyperslabError) -> Int {
    guard let status = try files.status(place) else { return 0 }
    if status.kind != .directory { return status.modified }
    var newest = 0
    for entry in try files.list(place) {
      newest = Swift.max(newest, try self.newest(below: place / entry.name))
    }
    return newest
  }
}
