import HyperslabCore

// What nothing refers to.

extension Repairer {
  /// Removes what dead writers and the repair itself left, and writes derived files anew.
  mutating func sweep(_ index: StoreIndex) throws(HyperslabError) {
    let kept = Set(keptChunks.map { StorePath($0.path) })
    for (path, record) in index.datasets {
      try clearPlaces(StoreLayout.chunks(path), [], record.grid, keeping: kept)
    }
    try sweepOrphans(index)
    let before = try verified()
    var documents = DerivedFiles(files: files, durability: .full)
    try documents.restore(Snapshot.read(files, cache: cache), settingAside: true)
    // One of them tells the next writer that something is left to do.
    if documents.stuck.isEmpty { try sweepClaims() }
    Recovery(files: files, durability: .full, cache: cache, patience: .zero)
      .sweep(index, stuck: documents.stuck, keepsRuns: keepsOrphans)
    for problem in before.problems {
      let path = StorePath(problem.path)
      switch problem.kind {
      // Nothing is left that explains it.
      case .orphan:
        try setAside(path, .orphan)
      case .table where path.parent.parent == StoreLayout.tables:
        try sweepRun(path, index)
      case .foreign where keepsOrphans: try setAsideBroken(path, index)
      case .foreign where path.parent == StoreLayout.trash:
        if try files.status(path) == nil { note(path, .foreign, "moved to \(StoreLayout.lost)") }
      default: break
      }
    }
    for leftover in before.leftovers { try sweep(leftover) }
    try synchronize(&touched)
    for name in files.lostNames().subtracting(lost).sorted() {
      note(StoreLayout.lost / name, .foreign, "moved here; it is not what the store wrote")
    }
    let after = try verified()
    let open = Set(after.problems.map { StorePath($0.path) })
    let derived =
      before.problems.map { (StorePath($0.path), $0.kind) }
      + Set(before.leftovers).subtracting(after.leftovers).map { (StorePath($0), .stale) }
    for (path, kind) in derived
    where path.name == "zarr.json" && !path.isIn(StoreLayout.reserved) && !open.contains(path) {
      note(path, kind, "derived again")
    }
    report.remaining = remaining(after, notWritten: documents.stuck)
    report.unchecked = after.unchecked
  }

  /// What is still wrong, and why where that is known.
  private func remaining(
    _ after: VerificationReport, notWritten: [NodePath: HyperslabError]
  ) -> [VerificationReport.Problem] {
    var told = Set(keptChunks.map { StorePath($0.path) })
    let others =
      after.problems.filter { $0.kind != .stale }.map(\.path) + after.unchecked.map(\.path)
    let named = Set(others.map { StorePath($0) })
    var reasons: [VerificationReport.Problem] = []
    for (path, error) in notWritten {
      let place = StoreLayout.zarr(path)
      if named.contains(place) { continue }
      told.insert(place)
      reasons.append(
        .init(path: "\(place)", chunk: nil, kind: .stale, detail: "it cannot be written: \(error)"))
    }
    return (after.problems.filter { !told.contains(StorePath($0.path)) } + keptChunks + reasons)
      .sorted { $0.path.precedesBytewise($1.path) }
  }

  /// Removes the chunk files that dead writers are known to have left, unless rows were lost, so that they
  /// may be worth keeping.
  private mutating func sweepOrphans(_ index: StoreIndex) throws(HyperslabError) {
    if keepsOrphans { return }
    guard try OrphanSweep.isDue(after: lastCommit, in: files) else { return }
    let snapshot = Snapshot(index: index, cache: cache)
    var sweep = OrphanSweep(files: files, snapshot: snapshot, commit: lastCommit)
    sweep.run()
    touched.formUnion(sweep.touched)
    try synchronize(&touched)
    for path in sweep.removed { note(path, .orphan, "removed; a writer that died left it") }
  }

  /// What stands in a chunk's place and is no chunk of anybody's: with rows lost, most likely a damaged one
  /// of them.
  private mutating func setAsideBroken(
    _ path: StorePath, _ index: StoreIndex
  ) throws(HyperslabError) {
    // One at a time of what is above it can be that, not one data set after the other.
    let isOfDataset = path.ancestors.contains { above in
      above.name == "c"
        && (try? NodePath(above.parent.description)).flatMap { index.dataset($0) } != nil
    }
    guard isOfDataset, Provenance.canBeChunk(path), try files.status(path)?.kind == .file,
      try !Provenance(files: files).isAnothersChunk(path)
    else { return }
    try setAside(path, .checksum)
  }

  private mutating func sweepRun(
    _ path: StorePath, _ index: StoreIndex
  ) throws(HyperslabError) {
    guard try files.status(path)?.kind == .file, let bytes = try contents(path) else { return }
    if !keepsOrphans, SelfCheck.holds(bytes), Provenance.isRunOrRemains(bytes, of: index.uuid) {
      try files.remove(path)
      note(path, .table, "removed; no index lists it")
    } else {
      try setAside(path, .table)
    }
  }

  /// Sets aside what would stand in the way of chunks to be written: anything but a directory, and
  /// in a chunk file's place anything but a file.
  private mutating func clearPlaces(
    _ place: StorePath, _ coordinates: [Int], _ grid: ChunkGrid, keeping kept: Set<StorePath>
  ) throws(HyperslabError) {
    guard !kept.contains(place), let kind = try files.status(place)?.kind else { return }
    let isChunk = coordinates.count == grid.rank
    if kind != (isChunk ? .file : .directory) {
      try setAside(place, .foreign)
    } else if !isChunk {
      for entry in try files.list(place) {
        guard let coordinate = StoreLayout.coordinate(entry.name),
          (0..<grid.gridShape[coordinates.count]).contains(coordinate),
          entry.kind != .file || coordinates.count + 1 < grid.rank
        else { continue }
        try clearPlaces(
          place / entry.name, coordinates + [coordinate], grid, keeping: kept)
      }
    }
  }

  /// Nobody holds a claim: every writer's lock is free. Who took it may still be worth knowing.
  private mutating func sweepClaims() throws(HyperslabError) {
    for entry in try files.list(StoreLayout.reserved) where entry.name.hasPrefix("claim-") {
      let path = StoreLayout.reserved / entry.name
      guard entry.kind == .file else {
        try setAside(path, named: entry.name, .foreign)
        continue
      }
      guard StoreLayout.claimed(entry.name) != nil, let bytes = try contents(path),
        Provenance.isHolderOrRemains(bytes)
      else { continue }
      try files.remove(path)
      let holder = String(decoding: bytes.prefix(200), as: UTF8.self).split(separator: "\n").first
      let text = holder.map { ", taken by \($0)" } ?? ""
      note(path, .orphan, "removed a claim\(text)")
    }
  }

  /// Structure only: the chunks themselves were all looked at.
  private func verified() throws(HyperslabError) -> VerificationReport {
    var verifier = Verifier(
      files: files, node: .root, quick: true, threads: threads, indexes: cache.indexes)
    try verifier.run()
    return verifier.finished
  }

  private mutating func sweep(_ leftover: String) throws(HyperslabError) {
    let path = StorePath(leftover)
    if path.parent == StoreLayout.reserved, StoreLayout.claimed(path.name) != nil { return }
    // Recovery knows which of the store's own to spare, for readers of older commits.
    if try files.status(path) == nil {
      note(path, .orphan, "removed")
    } else if keepsOrphans, path.parent.parent == StoreLayout.tables {
      try setAside(path, .table)
    } else if !path.isIn(StoreLayout.reserved), path.name != "zarr.json" {
      try setAside(path, .orphan)
    }
  }
}
