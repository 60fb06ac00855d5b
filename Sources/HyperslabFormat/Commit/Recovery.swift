import HyperslabCore

/// What a writer does before its first change: it finishes the last commit and sweeps what dead
/// writers left. All of it may be interrupted and done again.
struct Recovery {
  let files: any FileSystem
  let durability: Durability
  let cache: RunCache
  let patience: Duration
  /// Whether documents that another program changed keep the store from being written.
  var refusesForeign = true

  /// Brings the store into order and returns its newest commit.
  func run() throws(HyperslabError) -> Snapshot {
    let lock = try StoreLock(files: files, patience: patience).acquire()
    defer { lock.release() }
    let snapshot = try Snapshot.read(files, cache: cache)
    let documents = FoundDocuments(files: files, index: snapshot.index)
    let suspects = documents.suspects()
    if refusesForeign { try documents.refuseForeign(suspects) }
    let stuck = try Settle(files: files, durability: durability).finish(snapshot.index)
    var derived = DerivedFiles(files: files, durability: durability)
    try derived.restore(snapshot.index, only: suspects.subtracting(stuck.keys))
    if let since = startOfTheDead() {
      OrphanSweep(files: files, snapshot: snapshot, since: since).run()
    }
    sweep(snapshot.index, stuck: stuck)
    return snapshot
  }

  /// When the first of those writers began that died without closing; nil where there is none.
  private func startOfTheDead() -> Int? {
    var first: Int?
    for writer in (try? files.writersWithDirectories()) ?? [] {
      let lock = StoreLayout.writerLock(writer: writer)
      guard let status = try? files.status(lock), let free = try? files.lock(lock, wait: false)
      else { continue }
      free.release()
      first = Swift.min(first ?? .max, status.modified)
    }
    return first
  }

  /// Sweeps, once everything is settled and while the lock is held. That is for the sake of space
  /// only: what cannot be swept keeps nobody from writing.
  ///
  /// - Parameter stuck: Nodes of which files wait on that could not be moved.
  func sweep(_ index: StoreIndex, stuck: Settle.Stuck = [:]) {
    let waiting = stuck.keys.compactMap { index.dataset($0) }
    try? sweepWriters { writer in waiting.contains { $0.isStaged(by: writer) } }
    try? sweepTemporaries()
    try? sweepTrash(index)
    try? sweepReserved(index, keepsClaim: !stuck.isEmpty)
    sweepRuns(index)
  }

  /// Also those that the index waits for: their staged files have just reached their names for good.
  private func sweepWriters(sparing isNeeded: (String) -> Bool) throws(HyperslabError) {
    for writer in try files.writersWithDirectories() where !isNeeded(writer) {
      // A writer makes its directory and takes the lock in it under the store's lock, held here, too.
      guard let free = try? files.lock(StoreLayout.writerLock(writer: writer), wait: false)
      else { continue }
      try? files.removeTree(StoreLayout.staging(writer: writer))
      free.release()
    }
  }

  private func sweepTemporaries() throws(HyperslabError) {
    for entry in try files.list(.root)
    where entry.name.hasPrefix("slab.json.tmp-") && entry.kind == .file {
      try files.remove(.root / entry.name)
    }
  }

  /// Claims on commits that stand are corpses, whoever took them; of older indexes two are kept.
  private func sweepReserved(
    _ index: StoreIndex, keepsClaim: Bool
  ) throws(HyperslabError) {
    for entry in try files.list(StoreLayout.reserved) {
      if entry.name.hasPrefix(StoreLayout.temporaryDerivedPrefix), entry.kind == .file {
        try files.remove(StoreLayout.reserved / entry.name)
      }
      if entry.name.hasPrefix("claim-"), let commit = Int(entry.name.dropFirst(6)),
        commit < index.commit || commit == index.commit && !keepsClaim
      {
        try files.remove(StoreLayout.claim(commit: commit))
      }
      if entry.name.hasPrefix("root-"), let commit = Int(entry.name.dropFirst(5)),
        !index.keptCommits.contains(commit)
      {
        try files.remove(StoreLayout.oldIndex(commit: commit))
      }
    }
  }

  /// Removes what a commit moved away, by the newest index and under the lock: what another writer's
  /// commit has just moved must stay until that is settled.
  func sweepTrash() throws(HyperslabError) {
    guard try files.status(StoreLayout.trash) != nil else { return }
    let lock = try StoreLock(files: files, patience: patience).acquire()
    defer { lock.release() }
    try sweepTrash(try Snapshot.read(files, cache: cache).index)
  }

  /// Removes what a commit moved away and no index speaks of any more.
  private func sweepTrash(_ index: StoreIndex) throws(HyperslabError) {
    guard try files.status(StoreLayout.trash) != nil else { return }
    let named = Set(index.removed.compactMap { removal in removal.id.map { "d\($0)" } })
    let entries = try files.list(StoreLayout.trash).filter { !named.contains($0.name) }
    if entries.isEmpty { return }
    var paths: [Int: NodePath] = [:]
    for (path, record) in keptIndexes(before: index).flatMap(\.datasets) { paths[record.id] = path }
    let sweep = TrashSweep(files: files, paths: paths)
    for entry in entries { try? sweep.run(StoreLayout.trash / entry.name) }
  }

  /// Runs that neither the index nor one of the two kept before it lists.
  private func sweepRuns(_ index: StoreIndex) {
    var listed: [StorePath: Set<String>] = [:]
    for known in [index] + keptIndexes(before: index) {
      for (_, record) in known.datasets {
        listed[record.tableDirectory, default: []].formUnion(
          record.runs.map { StoreLayout.runName(commit: $0.commit, crc: $0.crc) })
      }
    }
    for directory in (try? files.list(StoreLayout.tables)) ?? [] where directory.kind == .directory
    {
      let table = StoreLayout.tables / directory.name
      for entry in (try? files.list(table)) ?? []
      where listed[table]?.contains(entry.name) != true && isDone(table / entry.name, index) {
        try? files.remove(table / entry.name)
      }
      // Fails, as it should, while it holds a run.
      if listed[table] == nil { try? files.removeDirectory(table) }
    }
  }

  private func keptIndexes(before index: StoreIndex) -> [StoreIndex] {
    index.keptCommits.compactMap { commit in
      let path = StoreLayout.oldIndex(commit: commit)
      let bytes = try? files.contents(path, limit: StoreIndex.maximumFileByteCount)
      return bytes.flatMap { try? StoreIndex($0, place: "\(path)") }
    }
  }

  /// Whether no reader can need an unlisted run: it is of a commit that never was, and perhaps torn,
  /// or older than ten minutes, so that readers of an older snapshot have finished.
  private func isDone(_ run: StorePath, _ index: StoreIndex) -> Bool {
    let patience = 600
    let commit = Int(run.name.prefix { $0 != "-" }) ?? 0
    if commit > index.commit { return true }
    guard let status = try? files.status(run) else { return false }
    return status.modified < Timestamp.seconds() - patience
  }
}
