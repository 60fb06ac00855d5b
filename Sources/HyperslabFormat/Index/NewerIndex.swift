import HyperslabCore

/// An index that proves `slab.json` to be older than what the store keeps, or another store's.
///
/// A commit leaves a copy of its index under its number, once it stands for good. So where there is a
/// sound one of a higher number, some of whose tables are there, somebody has put an older `slab.json` back,
/// from a backup or with a part of a copy of the store; and where the tables of `slab.json` are not there,
/// but those of an index of another store are, it is the one of another store. Of a copy of the store that went on
/// by itself it is where a sound one of the same number says something else, and where, its own copy not being
/// there, one that is kept before it is not what it was made on. Nothing that a commit can leave, wherever
/// it is killed or the power fails, looks like any of these.
struct NewerIndex {
  let known: KnownIndex
  var index: StoreIndex { known.index }

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
    let before = isCopied ? [] : index.predecessors
    for entry in entries {
      guard let commit = StoreLayout.kept(entry.name) else { continue }
      let path = StoreLayout.reserved / entry.name
      do throws(HyperslabError) {
        // Those that are mostly there are of this store and older, or its copy, and not read as a whole.
        let isLater =
          commit > index.commit || commit == index.commit && !isCopied
          || before.contains { $0.commit == commit }
        if !isLater, try Provenance.beginsAsIndex(path, of: index.uuid, in: files) { continue }
        let kept = try KeptIndex.read(path, files, cache)
        let isOwn = kept.index.uuid == index.uuid
        // It is what the index was made on.
        if let own = kept.predecessors.first, before.contains(own) { continue }
        guard try isOwn ? isLater : mayBeAnothers(index, files, isCopied: isCopied) else {
          continue
        }
        let found = try Tables(of: kept.index, files)
        if found.isAny || isOwn && found.isEmpty {
          result.append(NewerIndex(known: kept))
        }
      } catch { if error.leavesUnchecked { throw error } }
    }
    return result.sorted { $0.index.commit > $1.index.commit }
  }

  static func newest(
    _ files: any FileSystem, _ cache: RunCache, than index: StoreIndex
  ) throws(HyperslabError) -> NewerIndex? {
    try all(files, cache, than: index).first
  }

  /// Whether `slab.json` may be another store's: none of its tables is here. One without tables proves itself
  /// by its copy.
  private static func mayBeAnothers(
    _ index: StoreIndex, _ files: any FileSystem, isCopied: Bool
  ) throws(HyperslabError) -> Bool {
    let tables = try Tables(of: index, files)
    return tables.isEmpty ? !isCopied : !tables.isAny
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

  /// Whether a store is not as the last commit of `slab.json` left it: neither the copy that it speaks of is
  /// there nor all of its tables, as where a later one was copied here and its files were not. What it does not
  /// list is not to be swept then.
  static func isDoubtful(
    _ index: StoreIndex, _ files: any FileSystem
  ) throws(HyperslabError) -> Bool {
    guard index.isCopied, try !isCopied(index, files) else { return false }
    return try !Tables(of: index, files).areAll
  }

  /// Which of the runs that an index lists are there.
  private struct Tables {
    private(set) var isEmpty = true
    private(set) var isAny = false
    private(set) var areAll = true

    init(of index: StoreIndex, _ files: any FileSystem) throws(HyperslabError) {
      for (_, record) in index.datasets {
        for reference in record.runs {
          isEmpty = false
          let run = try files.status(StoreLayout.run(record.tableDirectory, reference))
          if run?.byteCount == reference.byteCount { isAny = true } else { areAll = false }
        }
      }
    }
  }

  /// What a writer is told who finds the other one.
  func error(found other: StoreIndex) -> HyperslabError {
    let isAnothers = other.uuid != index.uuid
    return HyperslabError(
      .olderIndex,
      isAnothers
        ? "slab.json is another store's"
        : other.commit >= index.commit
          ? "slab.json is of a copy of the store that went on by itself"
          : "slab.json is older than what the store keeps",
      expected: "commit \(index.commit), as \(StoreLayout.oldIndex(commit: index.commit))",
      found: "commit \(other.commit)" + (isAnothers ? " of another store" : ""),
      remedy:
        "SlabStore.repair (slab repair) puts back the one that the store's files are of, and keeps "
        + "the rest in \(StoreLayout.lost)")
  }
}
