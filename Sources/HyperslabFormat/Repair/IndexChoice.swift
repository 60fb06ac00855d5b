import HyperslabCodecs
import HyperslabCore

/// Which index to go by where `slab.json` is older than others that the store keeps, or of a copy of it.
///
/// Mostly only `slab.json` was put back, and the newest index that is kept is the one: chunks of it that are
/// missing or damaged are not better known by going further back. But a whole copy of the store may have been
/// laid over it: then chunks that `slab.json` lists are in their places, where the newest has others or none. Or the
/// newest came with a copy that was not finished: then most of what it lists besides is not here. Either way
/// `slab.json` stands if all that it lists is here. If not, two stores were mixed, and the one counts of which more
/// is there.
struct IndexChoice {
  let files: any FileSystem
  let cache: RunCache
  /// The one on the disk.
  let onDisk: StoreIndex
  /// The ones kept, the newest first.
  let newer: [NewerIndex]

  /// - Returns: nil for the one on the disk.
  func run() throws(HyperslabError) -> KnownIndex? {
    guard let newest = newer.first else { return nil }
    let isLaidOver = try isLaidOver(newest.index)
    let count = try presentCount(onDisk)
    let isWhole = count == onDisk.datasets.reduce(0) { $0 + $1.record.storedChunks }
    if isWhole, count > 0 {
      if isLaidOver { return nil }
      if try !isMostlyHere(newest.index) { return nil }
    }
    if !isLaidOver { return newest.known }
    var (best, most): (NewerIndex?, Int) = (nil, count)
    for candidate in newer {
      let count = try presentCount(candidate.index)
      if count > most { (best, most) = (candidate, count) }
    }
    return best?.known
  }

  /// Whether a chunk that the index on the disk lists is in its place, though a later index has another one
  /// there, or none.
  private func isLaidOver(_ later: StoreIndex) throws(HyperslabError) -> Bool {
    for (path, record) in onDisk.datasets where record.storedChunks > 0 {
      let places = try ChunkHeaders(files, path, record)
      let new = try later.dataset(path).map { (record) throws(HyperslabError) in
        (record, try ChunkHeaders(files, path, record))
      }
      for (chunk, row) in try stored(record, of: onDisk) {
        let newRow = try new.flatMap { (new) throws(HyperslabError) in
          try self.row(chunk, new.0, of: later)
        }
        if newRow == row { continue }
        // What has yet to take its place may still be elsewhere.
        if let new, let newRow, newRow.state == .stored, try new.1.hold(chunk, newRow) { continue }
        if try places.hold(chunk, row) { return true }
      }
    }
    return false
  }

  /// Whether at least half of what a later index lists otherwise than the one on the disk is here.
  private func isMostlyHere(_ later: StoreIndex) throws(HyperslabError) -> Bool {
    var (here, all) = (0, 0)
    for (path, record) in later.datasets where record.storedChunks > 0 {
      let places = try ChunkHeaders(files, path, record)
      let old = onDisk.dataset(path)
      let rows = try stored(record, of: later)
      // Of a table that is lost nothing is known to be here.
      if rows.isEmpty { all += record.storedChunks }
      for (chunk, row) in rows {
        let oldRow = try old.flatMap { (old) throws(HyperslabError) in
          try self.row(chunk, old, of: onDisk)
        }
        if oldRow == row { continue }
        all += 1
        if try places.hold(chunk, row) { here += 1 }
      }
    }
    return 2 * here >= all
  }

  /// How many of the chunks of an index are there.
  private func presentCount(_ index: StoreIndex) throws(HyperslabError) -> Int {
    var count = 0
    for (path, record) in index.datasets where record.storedChunks > 0 {
      let places = try ChunkHeaders(files, path, record)
      for (chunk, row) in try stored(record, of: index) where try places.hold(chunk, row) {
        count += 1
      }
    }
    return count
  }

  /// The chunks that are stored; none where its table is lost.
  private func stored(
    _ record: DatasetRecord, of index: StoreIndex
  ) throws(HyperslabError) -> [(chunk: ChunkIndex, row: ChunkRow)] {
    var stored: [(chunk: ChunkIndex, row: ChunkRow)] = []
    do throws(HyperslabError) {
      try Snapshot(index: index, cache: cache).table(record).forEachRow { chunk, row in
        if row.state == .stored { stored.append((chunk, row)) }
      }
    } catch {
      guard error.isDamage else { throw error }
      return []
    }
    return stored
  }

  private func row(
    _ chunk: ChunkIndex, _ record: DatasetRecord, of index: StoreIndex
  ) throws(HyperslabError) -> ChunkRow? {
    guard record.grid.contains(chunk) else { return nil }
    do throws(HyperslabError) {
      return try Snapshot(index: index, cache: cache).table(record).row(chunk)
    } catch {
      guard error.isDamage else { throw error }
      return nil
    }
  }
}
