import HyperslabCore

// What nothing refers to.

extension Repairer {
  /// Removes what dead writers and the repair itself left, and writes derived files anew.
  mutating func sweep(_ index: StoreIndex) throws(HyperslabError) {
    try sweepClaims()
    for (path, record) in index.datasets {
      try clearPlaces(StoreLayout.chunks(path), [], record.grid)
    }
    let before = try verified()
    Recovery(files: files, durability: .full, cache: cache, patience: .zero).sweep(index)
    var derived = DerivedFiles(files: files, durability: .full)
    try derived.restore(index, settingAside: true)
    for problem in before.problems {
      let path = StorePath(problem.path)
      switch problem.kind {
      case .orphan: try sweepOrphan(path)
      case .table where path.parent.parent == StoreLayout.tables:
        if try files.status(path)?.kind == .file {
          try files.remove(path)
          note(path, .table, "removed; no index lists it")
        }
      default: break
      }
    }
    for leftover in before.leftovers { try sweep(leftover, index) }
    let after = try verified()
    let remaining = Set(after.problems.map(\.path))
    for problem in before.problems where !remaining.contains(problem.path) {
      if problem.path.hasSuffix("zarr.json") {
        let path = StorePath(problem.path)
        note(path, problem.kind, "derived again")
      }
    }
    report.remaining = after.problems + impureChunks
  }

  /// Sets aside what would stand in the way of chunks to be written: anything but a directory, and
  /// in a chunk file's place anything but a file.
  private mutating func clearPlaces(
    _ place: StorePath, _ coordinates: [Int], _ grid: ChunkGrid
  ) throws(HyperslabError) {
    guard let kind = try files.status(place)?.kind else { return }
    let isChunk = coordinates.count == grid.rank
    if kind != (isChunk ? .file : .directory) {
      try setAside(place, named: place.components.joined(separator: "."), .foreign)
    } else if !isChunk {
      for entry in try files.list(place) {
        guard let coordinate = StoreLayout.coordinate(entry.name),
          (0..<grid.gridShape[coordinates.count]).contains(coordinate),
          entry.kind != .file || coordinates.count + 1 < grid.rank
        else { continue }
        try clearPlaces(place / entry.name, coordinates + [coordinate], grid)
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
      let holder = try contents(path).map { String(decoding: $0.prefix(200), as: UTF8.self) }
      try files.remove(path)
      let text = holder?.split(separator: "\n").first.map { ", taken by \($0)" } ?? ""
      note(path, .orphan, "removed a claim\(text)")
    }
  }

  /// Structure only: the chunks themselves were all looked at.
  private func verified() throws(HyperslabError) -> VerificationReport {
    var verifier = Verifier(files: files, node: .root, quick: true, threads: threads)
    try verifier.run()
    return verifier.finished
  }

  private mutating func sweep(_ leftover: String, _ index: StoreIndex) throws(HyperslabError) {
    let path = StorePath(leftover)
    // Recovery knows which of the store's own to spare, for readers of older commits.
    if try files.status(path) == nil {
      note(path, .orphan, "removed")
    } else if path.name == "zarr.json" {
      note(path, .stale, "derived again")
    } else if path.components.first != StoreLayout.reserved.name {
      try sweepOrphan(path)
    }
  }

  private mutating func sweepOrphan(_ path: StorePath) throws(HyperslabError) {
    if keepsOrphans {
      try setAside(path, named: path.components.joined(separator: "."), .orphan)
    } else {
      try remove(path)
      note(path, .orphan, "removed")
    }
  }

  /// Removes a chunk file or a whole tree of them, with directories that are empty then.
  private func remove(_ path: StorePath) throws(HyperslabError) {
    try files.removeTree(path)
    var directory = path.parent
    while directory.name != "c", directory.components.contains("c") {
      guard (try? files.removeDirectory(directory)) != nil else { return }
      directory = directory.parent
    }
  }
}
