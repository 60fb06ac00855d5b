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
