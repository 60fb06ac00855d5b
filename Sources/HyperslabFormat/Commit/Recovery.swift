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

  /// Brings the store into order.
  ///
  /// - Returns: its newest commit, whether all of that is in its place and permanent, and what it removed,
  ///   replaced or overwrote that cannot be moved.
  /// - Throws: `older_index` where somebody put an older index back: what it does not list is not to be
  ///   swept then.
  func run() throws(HyperslabError) -> (
    newest: Snapshot, isSettled: Bool, waiting: Settle.Stuck
  ) {
    let lock = try StoreLock(files: files, patience: patience).acquire()
    defer { lock.release() }
    let snapshot = try Snapshot.read(files, cache: cache)
    if let newer = try NewerIndex.newest(files, cache, than: snapshot.index) {
      try snapshot.checkNewest(files)
      throw newer.error(found: snapshot.index).located(at: files.rootDescription)
    }
    if try NewerIndex.isDoubtful(snapshot.index, files) {
      throw HyperslabError(
        .olderIndex,
        "slab.json is not as the last commit left it: a chunk table that it lists and "
          + "the copy of it are not there", at: files.rootDescription,
        remedy: "SlabStore.repair (slab repair) restores what the rest of the store proves")
    }
    try Claim.refuseLiving(commit: snapshot.index.commit + 1, in: files)
    defer { cache.indexes.forgetOlder() }
    let documents = FoundDocuments(files: files, snapshot: snapshot)
    // Who takes in what others wrote looks at all that there is anyway.
    let suspects = refusesForeign ? documents.suspects() : Set(snapshot.index.nodes.keys)
    if refusesForeign { try documents.refuseForeign(suspects) }
    try snapshot.checkNewest(files)
    let stuck = try Settle(files: files, durability: durability)
      .finish(snapshot.index.confirmingPending(files, cache), cache)
    var derived = DerivedFiles(files: files, durability: durability)
    try derived.restore(snapshot, only: suspects.subtracting(stuck.keys))
    try snapshot.checkNewest(files)
    let commit = snapshot.index.commit
    if (try? OrphanSweep.isDue(after: commit, in: files)) ?? false {
      var sweep = OrphanSweep(files: files, snapshot: snapshot, commit: commit)
      sweep.run()
      // Before what tells of them goes.
      if durability == .full, !sweep.touched.isEmpty {
        try Settle(files: files, durability: durability).synchronize(sweep.touched)
      }
    }
    try Claim.refuseLiving(commit: snapshot.index.commit + 1, in: files)
    self.sweep(snapshot.index, stuck: stuck)
    let waiting = stuck.filter { path, _ in
      let record = snapshot.index.dataset(path)
      return snapshot.index.nodes[path] == nil || record?.incoming != nil || record?.pending != nil
    }
    return (snapshot, stuck.isEmpty && derived.stuck.isEmpty, waiting)
  }

  /// Sweeps, once everything is settled and while the lock is held. That is for the sake of space
  /// only: what cannot be swept keeps nobody from writing.
  ///
  /// - Parameters:
  ///   - stuck: Nodes of which files wait on that could not be moved.
  ///   - keepsRuns: Whether runs stay that no index lists.
  func sweep(_ index: StoreIndex, stuck: Settle.Stuck = [:], keepsRuns: Bool = false) {
    let waiting = stuck.keys.compactMap { index.dataset($0) }
    try? sweepWriters(index) { writer in waiting.contains { $0.isStaged(by: writer) } }
    try? sweepClaims(index, keepsLast: !stuck.isEmpty)
    try? sweepTemporaries(index)
    try? sweepTrash(index)
    try? sweepReserved(index)
    if !keepsRuns { sweepRuns(index) }
  }

  /// Also those that the index waits for: their staged files have just reached their names for good.
  private func sweepWriters(
    _ index: StoreIndex, sparing isNeeded: (String) -> Bool
  ) throws(HyperslabError) {
    for writer in try files.writersWithDirectories() where !isNeeded(writer) {
      // A writer makes its directory and takes the lock in it under the store's lock, held here, too.
      guard let free = try? files.lock(StoreLayout.writerLock(writer: writer), wait: false)
      else { continue }
      try? PrivateSweep(files: files, commit: index.commit).removeStaging(of: writer)
      free.release()
    }
  }

  /// Claims on commits that stand are corpses, whoever took them, and those on others whose writer died
  /// here and left no more.
  ///
  /// - Parameter keepsLast: Whether the one on the last commit tells that it has still to be settled.
  private func sweepClaims(_ index: StoreIndex, keepsLast: Bool) throws(HyperslabError) {
    for entry in try files.list(StoreLayout.reserved) where entry.kind == .file {
      guard let commit = StoreLayout.claimed(entry.name) else { continue }
      let path = StoreLayout.reserved / entry.name
      let bytes = try files.contents(path, limit: 4096)
      guard Provenance.isHolderOrRemains(bytes) else { continue }
      let isDone = commit < index.commit || commit == index.commit && !keepsLast
      let isDead = commit > index.commit ? try isOfTheDead(bytes) : false
      if isDone || isDead { try files.remove(path) }
    }
  }

  private func isOfTheDead(_ claim: [UInt8]) throws(HyperslabError) -> Bool {
    guard let holder = (try? JSONParser.parse(claim))?.object else { return true }
    guard holder["host"]?.string == LockHolder.host, let writer = holder["writer"]?.string,
      StoreLayout.isIdentifier(writer)
    else { return false }
    return try files.status(StoreLayout.staging(writer: writer)) == nil
  }

  private func sweepTemporaries(_ index: StoreIndex) throws(HyperslabError) {
    for entry in try files.list(.root)
    where entry.kind == .file && StoreLayout.temporaryIndexWriter(entry.name) != nil {
      let path = .root / entry.name
      if try holds(path, { Provenance.isIndexOrRemains($0, of: index.uuid, cache) }) {
        try files.remove(path)
      }
    }
  }

  private func holds(
    _ path: StorePath, _ isOurs: ([UInt8]) -> Bool
  ) throws(HyperslabError) -> Bool {
    isOurs(try files.contents(path, limit: StoreIndex.maximumFileByteCount))
  }

  /// Of older indexes two are kept.
  private func sweepReserved(_ index: StoreIndex) throws(HyperslabError) {
    for entry in try files.list(StoreLayout.reserved) where entry.kind == .file {
      let path = StoreLayout.reserved / entry.name
      if entry.name.hasPrefix(StoreLayout.temporaryDerivedPrefix) {
        try DerivedFiles.sweep(path, in: files)
      }
      if let commit = StoreLayout.kept(entry.name), commit < index.keptCommits.lowerBound,
        try holds(path, { Provenance.isIndexOrRemains($0, of: index.uuid, cache) })
      {
        try files.remove(path)
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
    var known: [Int: TrashSweep.Known] = [:]
    for old in KeptIndex.all(before: index, files, cache).reversed() {
      let snapshot = Snapshot(index: old.index, cache: cache)
      for (path, record) in old.index.datasets {
        var dataset = known[record.id] ?? TrashSweep.Known(path: path)
        dataset.path = path
        dataset.tables.append(snapshot.table(record))
        dataset.forms.append(old.forms)
        known[record.id] = dataset
      }
    }
    let sweep = TrashSweep(files: files, store: index.uuid, known: known)
    for entry in entries { try? sweep.run(StoreLayout.trash / entry.name) }
  }

  /// Runs that neither the index nor one of the two kept before it lists.
  private func sweepRuns(_ index: StoreIndex) {
    var listed: [StorePath: Set<String>] = [:]
    for known in [index] + KeptIndex.all(before: index, files, cache).map(\.index) {
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

  /// Whether no reader can need an unlisted run: it is of a commit that never was, and perhaps torn,
  /// or older than ten minutes, so that readers of an older snapshot have finished.
  private func isDone(_ run: StorePath, _ index: StoreIndex) -> Bool {
    let patience = 600
    guard run.name.hasSuffix(".json"), let commit = Int(run.name.prefix { $0 != "-" }),
      let status = try? files.status(run), status.kind == .file,
      commit > index.commit || status.modified < Timestamp.seconds() - patience
    else { return false }
    return (try? holds(run) { Provenance.isRunOrRemains($0, of: index.uuid) }) ?? false
  }
}
