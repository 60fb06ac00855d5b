import HyperslabCore

/// What a writer does before its first change: it finishes the last commit and sweeps what dead
/// writers left. All of it may be interrupted and done again.
struct Recovery {
  let files: any FileSystem
  let durability: Durability
  let cache: RunCache

  /// Brings the store into order and returns its newest commit.
  func run() throws(HyperslabError) -> Snapshot {
    guard let lock = try files.lock(StoreLayout.lock, wait: true) else {
      throw HyperslabError(.locked, "the store's lock is held", at: files.rootDescription)
    }
    defer { lock.release() }
    let snapshot = try Snapshot.read(files, cache: cache)
    let settle = Settle(files: files)
    let touched = try settle.run(snapshot.index)
    if durability == .full { try settle.synchronize(touched) }
    try sweepWriters(snapshot.index)
    try sweepTemporaries()
    try sweepTrash(snapshot.index)
    sweepRuns(snapshot.index)
    DerivedFiles(files: files).write(snapshot.index)
    return snapshot
  }

  private func sweepWriters(_ index: StoreIndex) throws(HyperslabError) {
    guard try files.status(StoreLayout.writers) != nil else { return }
    let named = Set(index.datasets.compactMap(\.record.pending?.writer))
    for entry in try files.list(StoreLayout.writers) where !named.contains(entry.name) {
      guard StoreLayout.isIdentifier(entry.name), entry.kind == .directory else { continue }
      let lockPath = StoreLayout.writerLock(writer: entry.name)
      // A writer makes its directory before its lock, both without holding the store's lock; one
      // without a lock file is too young to judge or long dead, and costs nothing.
      guard try files.status(lockPath) != nil, let free = try files.lock(lockPath, wait: false)
      else { continue }
      try files.removeTree(StoreLayout.staging(writer: entry.name))
      free.release()
    }
  }

  private func sweepTemporaries() throws(HyperslabError) {
    for entry in try files.list(.root) where entry.name.hasPrefix("slab.json.tmp-") {
      try files.remove(.root / entry.name)
    }
  }

  /// Removes what a commit moved away and no index speaks of any more.
  func sweepTrash(_ index: StoreIndex) throws(HyperslabError) {
    guard try files.status(StoreLayout.trash) != nil else { return }
    let named = Set(index.removed.map { "d\($0.id)" })
    for entry in try files.list(StoreLayout.trash) where !named.contains(entry.name) {
      try files.removeTree(StoreLayout.trash / entry.name)
    }
  }

  /// Runs that no index lists, and those of removed data sets: older than two commits and ten
  /// minutes, so that no reader of an older snapshot needs them.
  private func sweepRuns(_ index: StoreIndex) {
    var listed: [StorePath: Set<String>] = [:]
    for (_, record) in index.datasets {
      listed[record.tableDirectory] = Set(
        record.runs.map { StoreLayout.runName(commit: $0.commit, crc: $0.crc) })
    }
    for directory in (try? files.list(StoreLayout.tables)) ?? [] where directory.kind == .directory
    {
      let path = StoreLayout.tables / directory.name
      for entry in (try? files.list(path)) ?? [] where listed[path]?.contains(entry.name) != true {
        if isOld(path / entry.name, index) { try? files.remove(path / entry.name) }
      }
      // Fails, as it should, while anything is in it.
      if listed[path] == nil { try? files.removeDirectory(path) }
    }
  }

  private func isOld(_ run: StorePath, _ index: StoreIndex) -> Bool {
    let patience = 600
    let commit = Int(run.name.prefix { $0 != "-" }) ?? Int.max
    guard commit < index.commit - 1, let status = try? files.status(run) else { return false }
    return status.modified < Timestamp.seconds() - patience
  }
}
