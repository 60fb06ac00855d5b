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
}

/// An index that proves `slab.json` to be older than what the store keeps.
///
/// A commit leaves a copy of its index under its number, once it stands for good. So where there is a
/// sound one of a higher number, whose tables are there, somebody has put an older `slab.json` back,
/// from a backup or with a part of a copy of the store. Nothing that a commit can leave, wherever it is
/// killed or the power fails, looks like that.
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
    for entry in entries {
      guard let commit = StoreLayout.kept(entry.name), commit > index.commit else { continue }
      let path = StoreLayout.reserved / entry.name
      do throws(HyperslabError) {
        let newer = try KeptIndex.read(path, files, cache)
        guard newer.index.uuid == index.uuid, try hasTables(newer.index, files) else { continue }
        result.append(NewerIndex(index: newer.index, bytes: newer.bytes))
      } catch { if error.leavesUnchecked { throw error } }
    }
    return result.sorted { $0.index.commit > $1.index.commit }
  }

  static func newest(
    _ files: any FileSystem, _ cache: RunCache, than index: StoreIndex
  ) throws(HyperslabError) -> NewerIndex? {
    try all(files, cache, than: index).first
  }

  private static func hasTables(
    _ index: StoreIndex, _ files: any FileSystem
  ) throws(HyperslabError) -> Bool {
    for (_, record) in index.datasets {
      for reference in record.runs {
        let run = try files.status(StoreLayout.run(record.tableDirectory, reference))
        guard run?.byteCount == reference.byteCount else { return false }
      }
    }
    return true
  }

  /// What a writer is told who finds the older one.
  func error(found commit: Int) -> HyperslabError {
    HyperslabError(
      .olderIndex, "slab.json is older than what the store keeps",
      expected: "commit \(index.commit), as \(StoreLayout.oldIndex(commit: index.commit))",
      found: "commit \(commit)",
      remedy: "SlabStore.repair (slab repair) puts the newest back and keeps the older one in "
        + "\(StoreLayout.lost)")
  }
}
