import HyperslabCore

// The index root: the one on the disk, a kept older one, or a new one from what there is.

extension Repairer {
  /// An index to go on with.
  struct FoundIndex {
    var index: StoreIndex
    /// What `slab.json` says, where it says anything.
    var commitOnDisk: Int?
    /// What the next index will be numbered, above everything that any reader has seen.
    var nextCommit: Int
    /// Whether it is not the one on the disk.
    var isRebuilt = false
    /// The file as it must be, where that can be told.
    var corrected: Correction?
    /// The file as it was before somebody put an older one in its place.
    var newer: [UInt8]?
    /// Whether there are others by which more may be there.
    var isOneOfSeveral = false
    /// Runs of commits that it does not know of, oldest first.
    var later: [NodePath: [DatasetRecord.RunReference]] = [:]
    /// Where it is from.
    var origin = ""
  }

  /// Finds the index to go by; changes nothing.
  ///
  /// - Throws: what opening the store would throw, where the index is sound but of no use to this
  ///   version, and where there is nothing to go by.
  func findIndex() throws(HyperslabError) -> FoundIndex {
    let failure: HyperslabError
    do throws(HyperslabError) {
      let index = try Snapshot.read(files, cache: cache).index
      try Self.checkWritable(index)
      let newer = try NewerIndex.all(files, cache, than: index).filter(\.index.isWritable)
      let choice = IndexChoice(files: files, cache: cache, onDisk: index, newer: newer)
      let doubtful = DoubtfulIndex(files: files, cache: cache, onDisk: index)
      let chosen = newer.isEmpty ? try doubtful.explanation() : try choice.run()
      return FoundIndex(
        index: chosen?.index ?? index, commitOnDisk: index.commit,
        nextCommit: Swift.max(newer.first?.index.commit ?? 0, index.commit) + 1,
        newer: chosen?.bytes, isOneOfSeveral: !newer.isEmpty || chosen != nil)
    } catch {
      guard error.isDamage else { throw error }
      failure = error
    }
    let bytes = try contents(StoreLayout.index)
    if let bytes, SelfCheck.holds(bytes) { throw failure }
    if failure.code == .notAStore || failure.tellsOfLink { throw failure }
    if let corrected = bytes.flatMap({ Correction.ofIndex($0) }),
      let index = try? cache.indexes.older(corrected.bytes, place: "\(StoreLayout.index)").index
    {
      try Self.checkWritable(index)
      return FoundIndex(
        index: index, commitOnDisk: index.commit, nextCommit: index.commit + 1, corrected: corrected
      )
    }
    var hopeless = failure
    hopeless.remedy =
      "Nothing that the store keeps is enough to restore it: put back slab.json, or one of "
      + "__slab/root-<commit>, from a backup"
    return try IndexSalvage(files: files, cache: cache, failure: hopeless).run()
  }

  private static func checkWritable(_ index: StoreIndex) throws(HyperslabError) {
    guard index.isWritable else {
      throw HyperslabError(
        .unsupportedFeature, "writing needs one of the features \(index.writeFeatures)",
        remedy: "Use a newer version of Hyperslab")
    }
  }

  /// Says which index is gone by, and restores one that only lacks a bit.
  mutating func adopt(_ found: FoundIndex) throws(HyperslabError) {
    for entry in try files.list(.root) where entry.name.hasPrefix("__slab-") {
      try setAside(.root / entry.name, named: entry.name, .foreign)
    }
    if let corrected = found.corrected {
      try replace(StoreLayout.index, with: corrected.bytes)
      note(StoreLayout.index, .index, corrected.action)
    }
    if let newer = found.newer {
      let older = try freeName("slab.json")
      try files.create(
        older, contents: try contents(StoreLayout.index) ?? [], synchronize: true)
      touched.insert(StoreLayout.lost)
      try synchronize(&touched)
      try replace(StoreLayout.index, with: newer)
      try synchronize(&touched)
      note(
        StoreLayout.index, .index,
        "commit \(found.index.commit) put back, which the store keeps; what was there is \(older)")
    }
    guard found.isRebuilt else { return }
    note(StoreLayout.index, .index, found.origin)
    if let status = try files.status(StoreLayout.index), status.kind == .file {
      // Kept under a second name; a new index takes the first one.
      try makeDirectory(StoreLayout.lost)
      let copy = try freeName("slab.json")
      do throws(HyperslabError) { try files.link(StoreLayout.index, to: copy) } catch {
        // Some disks know no links.
        if let bytes = try contents(StoreLayout.index) {
          try files.create(copy, contents: bytes, synchronize: true)
        }
      }
      touched.insert(StoreLayout.lost)
    }
    // A removal that is not known of any more did not happen.
    for (path, record) in found.index.datasets {
      let whole = StoreLayout.trash(dataset: record.id)
      let inside = whole / "c"
      let trash = try files.status(inside) == nil ? whole : inside
      let chunks = StoreLayout.chunks(path)
      try clearAncestors(of: chunks)
      guard try files.status(trash) != nil, try files.status(chunks) == nil else { continue }
      try makeDirectory(chunks.parent)
      try files.rename(trash, to: chunks)
      touched.formUnion([chunks.parent, trash.parent])
      note(chunks, .missing, "moved back from \(trash)")
    }
  }

  /// A data set's record with the rows of runs that its index does not know of. Their chunks are in
  /// their places, or staged by a writer that is gone.
  mutating func rollForward(
    _ path: NodePath, _ record: DatasetRecord, _ references: [DatasetRecord.RunReference],
    _ index: StoreIndex
  ) throws(HyperslabError) -> DatasetRecord {
    var rows: [ChunkIndex: ChunkRow] = [:]
    try Snapshot(index: index, cache: cache).table(record).forEachRow { chunk, row in
      if row.state != .neverWritten { rows[chunk] = row }
    }
    var later: [ChunkIndex: ChunkRow] = [:]
    for reference in references {
      guard let run = try run(reference, of: record, index) else { continue }
      for (number, row) in run.numbered {
        let chunk = run.numbering.chunk(number)
        if record.grid.contains(chunk) { later[chunk] = row }
      }
    }
    let reader = try ChunkReader(format: try record.frameFormat(filter: record.filter ?? .none))
    let presence = Presence(files: files)
    let staged = try stagedFiles()
    for (chunk, row) in later {
      rows[chunk] = row.state == .neverWritten ? nil : row
      guard row.state == .stored else { continue }
      let target = StoreLayout.chunk(path, chunk)
      if try presence.canHold(file: target) {
        if try isFile(target, of: row, reader) { continue }
        try presence.miss(target)
      }
      var places = staged.files[chunk.key] ?? []
      for writer in staged.writers {
        let incoming = StoreLayout.incoming(writer: writer, dataset: record.id) / "c" / chunk
        if try presence.holds(incoming) { places.append(incoming) }
      }
      for staged in places where try isFile(staged, of: row, reader) {
        try clear(target)
        try makeDirectory(target.parent)
        try files.rename(staged, to: target)
        touched.insert(target.parent)
        note(target, .stale, "the committed chunk took its place", chunk: chunk)
        break
      }
    }
    // What the index said of the last commit's work has nothing to do with these rows.
    var result = try rewritten(path, record, rows: rows)
    result.pending = nil
    result.incoming = nil
    return result
  }

  private func isFile(
    _ place: StorePath, of row: ChunkRow, _ reader: ChunkReader
  ) throws(HyperslabError) -> Bool {
    do throws(HyperslabError) {
      try reader.check(place, in: files, row: row, quick: false)
      return true
    } catch {
      guard error.isDamage else { throw error }
      return false
    }
  }

  /// Staged files by the keys of their chunks, of whatever data sets, and the writers that may have more.
  private func stagedFiles() throws(HyperslabError) -> (
    files: [String: [StorePath]], writers: [String]
  ) {
    var staged: [String: [StorePath]] = [:]
    var writers: [String] = []
    for writer in try files.list(StoreLayout.writers) where writer.kind == .directory {
      let directory = StoreLayout.writers / writer.name
      writers.append(writer.name)
      for entry in try files.list(directory) where entry.kind == .file {
        let parts = entry.name.split(separator: "-", omittingEmptySubsequences: false)
        if parts.count == 3 { staged[String(parts[1]), default: []].append(directory / entry.name) }
      }
    }
    return (staged, writers)
  }

  /// Moves removed data sets to the trash, as the index asks.
  mutating func settleRemovals(_ index: StoreIndex) throws(HyperslabError) {
    if index.removed.isEmpty { return }
    // Whoever made the commit, or settled it, removed the claim last.
    let isClaimed = try files.status(StoreLayout.claim(commit: index.commit)) != nil
    let areMoved = try DirectoryMoves.areDone(index, in: files)
    if areMoved, !isClaimed { return }
    for removal in index.removed {
      guard let id = removal.id else { continue }
      let target = StoreLayout.trash(dataset: id)
      guard try files.status(target) == nil else { continue }
      // Somebody emptied the trash: what stands there now must not be taken for the old one.
      if try isSuccessorInPlace(removal.path, index) {
        try makeDirectory(target)
      }
    }
    try clearWay(index)
    var moves = DirectoryMoves(
      files: files, durability: .full, before: nil,
      known: FoundDocuments(files: files, snapshot: Snapshot(index: index, cache: cache)))
    try moves.run(index)
    if let (_, error) = moves.stuck.min(by: { $0.key < $1.key }) { throw error }
    touched.formUnion(moves.touched)
    try synchronize(&touched)
  }

  private func isSuccessorInPlace(
    _ path: NodePath, _ index: StoreIndex
  ) throws(HyperslabError) -> Bool {
    guard let record = index.dataset(path), record.incoming == nil, let filter = record.filter
    else { return false }
    let reader = try ChunkReader(format: try record.frameFormat(filter: filter))
    let table = Snapshot(index: index, cache: cache).table(record)
    var stored: [(StorePath, ChunkRow)] = []
    do {
      try table.forEachRow { chunk, row in
        if row.state == .stored { stored.append((StoreLayout.chunk(path, chunk), row)) }
      }
    } catch { guard error.isDamage else { throw error } }
    for (place, row) in stored {
      do throws(HyperslabError) {
        try reader.check(place, in: files, row: row, quick: true)
        return true
      } catch { guard error.isDamage else { throw error } }
    }
    return false
  }
}
