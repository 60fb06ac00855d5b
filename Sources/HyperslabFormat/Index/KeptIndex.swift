import HyperslabCore

/// Indexes that a store keeps under their numbers, beside `slab.json`.
enum KeptIndex {
  /// Reads one and checks that it is what its name says.
  static func read(_ path: StorePath, _ files: any FileSystem) throws(HyperslabError) -> StoreIndex
  {
    let bytes = try files.contents(path, limit: StoreIndex.maximumFileByteCount)
    let index = try StoreIndex(bytes, place: "\(path)")
    guard path.name == "root-\(index.commit)" else {
      throw HyperslabError(.damagedIndex, "an index of commit \(index.commit) under this name")
    }
    return index
  }

  /// Copies the newest index under its number, in the place of a copy that is not whole.
  static func copy(
    _ root: [UInt8], of index: StoreIndex, _ files: any FileSystem, isPermanent: Bool
  ) throws(HyperslabError) {
    let kept = StoreLayout.oldIndex(commit: index.commit)
    do throws(HyperslabError) {
      if try files.status(kept) != nil { try files.remove(kept) }
      try files.create(kept, contents: root, synchronize: isPermanent)
    } catch {
      try? files.remove(kept)
      throw error
    }
    if isPermanent { try files.synchronizeDirectory(StoreLayout.reserved) }
  }

  /// Copies the index of a store at which nobody is at work, where the copy is missing or damaged. What
  /// another program put there stays.
  static func completeCopy(
    of index: StoreIndex, _ files: any FileSystem, isPermanent: Bool
  ) throws(HyperslabError) {
    guard index.state == "complete" else { return }
    let kept = StoreLayout.oldIndex(commit: index.commit)
    let root = try files.contents(StoreLayout.index, limit: StoreIndex.maximumFileByteCount)
    do throws(HyperslabError) {
      let found = try files.contents(kept, limit: StoreIndex.maximumFileByteCount)
      if found == root || !Provenance.isIndexOrRemains(found, of: index.uuid) { return }
    } catch { if error.code != .missing { return } }
    try copy(root, of: index, files, isPermanent: isPermanent)
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
    _ files: any FileSystem, than index: StoreIndex
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
        let bytes = try files.contents(path, limit: StoreIndex.maximumFileByteCount)
        let newer = try StoreIndex(bytes, place: "\(path)")
        guard newer.commit == commit, newer.uuid == index.uuid, try hasTables(newer, files) else {
          continue
        }
        result.append(NewerIndex(index: newer, bytes: bytes))
      } catch { if error.leavesUnchecked { throw error } }
    }
    return result.sorted { $0.index.commit > $1.index.commit }
  }

  static func newest(
    _ files: any FileSystem, than index: StoreIndex
  ) throws(HyperslabError) -> NewerIndex? {
    try all(files, than: index).first
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
