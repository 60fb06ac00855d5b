import HyperslabCore

/// What a reader goes by: a commit, and what was written through the store's handle on top of it.
struct StoreView: Sendable {
  let snapshot: Snapshot
  let epoch: Int
  /// The number that the commit has for the data set that is read, if it was created through the handle: known
  /// when the commit is, and not before.
  let createdID: Int?

  func isSame(as other: StoreView) -> Bool {
    epoch == other.epoch && snapshot.index.commit == other.snapshot.index.commit
      && snapshot.index.uuid == other.snapshot.index.uuid
  }
}

/// One commit of a store as read from its index root; nothing in it changes.
struct Snapshot: Sendable {
  let index: StoreIndex
  let cache: RunCache
  /// What follows from the index, where it was read.
  let forms: DerivedForms
  /// What a commit says that is made on it: it, and those before it.
  let predecessors: [StoreIndex.Predecessor]

  init(index: StoreIndex, cache: RunCache) {
    self.index = index
    self.cache = cache
    forms = DerivedForms(index)
    predecessors = []
  }

  private init(_ known: KnownIndex, cache: RunCache) {
    index = known.index
    self.cache = cache
    forms = known.forms
    predecessors = known.predecessors
  }

  /// A data set's chunk table in this commit.
  func table(_ record: DatasetRecord) -> ChunkTable {
    ChunkTable(record: record, store: index.uuid, cache: cache)
  }

  /// The way out where an index is as its writer left it and cannot be: nobody can tell what is right in it.
  static let sealedRemedy =
    "Its checksum holds, so that repair leaves it as it is: put slab.json back from a backup, or copy "
    + "one of __slab/root-<commit> over it"

  /// Checks that the index root still is this one, although only who holds the lock replaces it: another
  /// program may have taken the file of the lock away, so that another writer made a new one and holds that.
  ///
  /// - Throws: `conflict`.
  func checkNewest(_ files: any FileSystem) throws(HyperslabError) {
    let now = try Self.read(files, cache: cache).index
    guard now.commit == index.commit, now.uuid == index.uuid else {
      throw HyperslabError(
        .conflict, "another writer committed although the store's lock was held",
        at: files.rootDescription, expected: "commit \(index.commit)",
        found: "commit \(now.commit)",
        remedy:
          "Nothing was changed: do it again. Something removed or replaced \(StoreLayout.lock); "
          + "leave it alone while writers are at work")
    }
  }

  /// Reads the index root as it is now.
  static func read(_ files: any FileSystem, cache: RunCache) throws(HyperslabError) -> Snapshot {
    let place = "\(files.rootDescription)/slab.json"
    let bytes: [UInt8]
    do {
      bytes = try files.contents(StoreLayout.index, limit: StoreIndex.maximumFileByteCount)
    } catch {
      guard error.code == .missing else { throw error }
      if try files.status(StoreLayout.reserved) != nil {
        throw HyperslabError(
          .damagedIndex, "the index is missing", at: place,
          remedy: "Restore it, or one of __slab/root-<commit>")
      }
      throw HyperslabError(
        .notAStore, "not a slab store: there is no slab.json", at: files.rootDescription,
        remedy: "Name the directory that a store was created in")
    }
    do { return Snapshot(try cache.indexes.newest(bytes, place: place), cache: cache) } catch {
      guard error.code == .damagedIndex else { throw error }
      throw error.remedied(
        SelfCheck.holds(bytes)
          ? sealedRemedy : "SlabStore.repair (slab repair) puts it in order as far as it can")
    }
  }
}
