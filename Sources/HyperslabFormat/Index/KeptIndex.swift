import HyperslabCore

/// Indexes that a store keeps under their numbers, beside `slab.json`.
enum KeptIndex {
  /// Reads one and checks that it is what its name says.
  static func read(
    _ path: StorePath, _ files: any FileSystem, _ cache: RunCache
  ) throws(HyperslabError) -> KnownIndex {
    let bytes = try files.contents(path, limit: StoreIndex.maximumFileByteCount)
    return try check(bytes, path, cache)
  }

  /// Reads one from its bytes.
  static func check(
    _ bytes: [UInt8], _ path: StorePath, _ cache: RunCache
  ) throws(HyperslabError) -> KnownIndex {
    let known = try cache.indexes.older(bytes, place: "\(path)")
    guard path.name == "root-\(known.index.commit)" else {
      throw HyperslabError(
        .damagedIndex, "an index of commit \(known.index.commit) under this name")
    }
    return known
  }

  /// The sound ones of those that an index keeps, the newest first.
  static func all(
    before index: StoreIndex, _ files: any FileSystem, _ cache: RunCache
  ) -> [KnownIndex] {
    index.keptCommits.reversed().compactMap { commit in
      try? read(StoreLayout.oldIndex(commit: commit), files, cache)
    }
  }

  /// Makes room for a kept index, or removes one. What another program called so is kept in `__slab/lost`.
  static func clear(
    _ path: StorePath, of uuid: String, _ files: any FileSystem
  ) throws(HyperslabError) {
    guard let status = try files.status(path) else { return }
    if status.kind == .file, try Provenance.beginsAsIndex(path, of: uuid, in: files) {
      try files.remove(path)
    } else {
      _ = try files.setAside(path)
    }
  }

  /// Copies the newest index under its number, in the place of a copy that is not whole.
  static func copy(
    _ root: [UInt8], of index: StoreIndex, _ files: any FileSystem, isPermanent: Bool
  ) throws(HyperslabError) {
    let kept = StoreLayout.oldIndex(commit: index.commit)
    do throws(HyperslabError) {
      try clear(kept, of: index.uuid, files)
      try files.create(kept, contents: root, synchronize: isPermanent)
    } catch {
      try? clear(kept, of: index.uuid, files)
      throw error
    }
    if isPermanent { try files.synchronizeDirectory(StoreLayout.reserved) }
  }

  /// Copies the index of a store at which nobody is at work, where the copy is missing or damaged. What
  /// another program put there stays.
  static func completeCopy(
    of index: StoreIndex, _ files: any FileSystem, _ cache: RunCache, isPermanent: Bool
  ) throws(HyperslabError) {
    guard index.isCopied else { return }
    let kept = StoreLayout.oldIndex(commit: index.commit)
    let root = try files.contents(StoreLayout.index, limit: StoreIndex.maximumFileByteCount)
    guard try cache.indexes.older(root, place: "slab.json").index.commit == index.commit else {
      return
    }
    do throws(HyperslabError) {
      let found = try files.contents(kept, limit: StoreIndex.maximumFileByteCount)
      if found == root || !Provenance.isIndexOrRemains(found, of: index.uuid, cache) { return }
    } catch { if error.code != .missing { return } }
    try copy(root, of: index, files, isPermanent: isPermanent)
  }
}

/// An index that proves `slab.json` to be older than what the store keeps, or another store's.
///
/// A commit leaves a copy of its index under its number, once it stands for good. So where there is a
/// sound one of a higher number, some of whose tables are there, somebody has put an older `slab.json` back,
/// from a backup or with a part of a copy of the store; and where the tables of `slab.json` are not there,
/// but those of an index of another store are, it is the one of another store. Nothing that a commit can
/// leave, wherever it is killed or the power fails, looks like either.
struct NewerIndex {
  let index: StoreIndex
  let bytes: [UInt8]

  /// All of them, the newest first.
  static func all(
    _ files: any FileSystem, _ cache: RunCache, than index: StoreIndex
  ) throws(HyperslabError) -> [NewerIndex] {
    var result: [NewerIndex] = []
    let entries: [DirectoryEntry]
    do throws(HyperslabError) { entries = try files.list(StoreLayout.reserved) } catch {
      if error.leavesUnchecked { throw error }
      return []
    }
    let isCopied = try isCopied(index, files)
    let mayBeAnothers = isCopied ? false : try !hasTables(index, files)
    for entry in entries {
      guard let commit = StoreLayout.kept(entry.name), commit > index.commit || mayBeAnothers
      else { continue }
      let path = StoreLayout.reserved / entry.name
      do throws(HyperslabError) {
        let kept = try KeptIndex.read(path, files, cache)
        let isProof: Bool
        if kept.index.uuid == index.uuid {
          let isEmpty = kept.index.datasets.allSatisfy(\.record.runs.isEmpty)
          let isLater = commit > index.commit
          isProof = isLater && !isEmpty ? try hasTables(kept.index, files) : isLater
        } else {
          isProof = mayBeAnothers ? try hasTables(kept.index, files) : false
        }
        if isProof { result.append(NewerIndex(index: kept.index, bytes: kept.bytes)) }
      } catch { if error.leavesUnchecked { throw error } }
    }
    return result.sorted { $0.index.commit > $1.index.commit }
  }

  static func newest(
    _ files: any FileSystem, _ cache: RunCache, than index: StoreIndex
  ) throws(HyperslabError) -> NewerIndex? {
    try all(files, cache, than: index).first
  }

  /// Whether the index stands under its own number, too.
  private static func isCopied(
    _ index: StoreIndex, _ files: any FileSystem
  ) throws(HyperslabError) -> Bool {
    let limit = StoreIndex.maximumFileByteCount
    do throws(HyperslabError) {
      return try files.contents(StoreLayout.index, limit: limit)
        == files.contents(StoreLayout.oldIndex(commit: index.commit), limit: limit)
    } catch {
      if error.leavesUnchecked { throw error }
      return false
    }
  }

  /// Whether runs that an index lists are there; some of them may be lost.
  private static func hasTables(
    _ index: StoreIndex, _ files: any FileSystem
  ) throws(HyperslabError) -> Bool {
    for (_, record) in index.datasets {
      for reference in record.runs {
        let run = try files.status(StoreLayout.run(record.tableDirectory, reference))
        if run?.byteCount == reference.byteCount { return true }
      }
    }
    return false
  }

  /// What a writer is told who finds the other one.
  func error(found other: StoreIndex) -> HyperslabError {
    let isAnothers = other.uuid != index.uuid
    return HyperslabError(
      .olderIndex,
      isAnothers
        ? "slab.json is another store's" : "slab.json is older than what the store keeps",
      expected: "commit \(index.commit), as \(StoreLayout.oldIndex(commit: index.commit))",
      found: "commit \(other.commit)" + (isAnothers ? " of another store" : ""),
      remedy: "SlabStore.repair (slab repair) puts the newest back and keeps what is there in "
        + "\(StoreLayout.lost)")
  }
}
