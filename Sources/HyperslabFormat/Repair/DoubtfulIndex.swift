import HyperslabCore

/// What to go by where `slab.json` is doubtful: neither its copy nor all of its tables are here, as where a
/// later one was copied here and its files were not.
///
/// If one of the indexes kept before it explains all that is here, nothing here is known by `slab.json` alone,
/// and that one is this store's last. Else `slab.json` may well be this store's own, which lost a table.
struct DoubtfulIndex {
  let files: any FileSystem
  let cache: RunCache
  let onDisk: StoreIndex

  /// The kept index that explains everything; nil for the one on the disk.
  func explanation() throws(HyperslabError) -> KnownIndex? {
    guard try NewerIndex.isDoubtful(onDisk, files) else { return nil }
    for kept in try keptOnes() where try explainsEverything(kept.index) { return kept }
    return nil
  }

  /// The sound ones of this store, the newest first.
  private func keptOnes() throws(HyperslabError) -> [KnownIndex] {
    var result: [KnownIndex] = []
    for entry in try files.list(StoreLayout.reserved) {
      guard let commit = StoreLayout.kept(entry.name), commit < onDisk.commit else { continue }
      do throws(HyperslabError) {
        let kept = try KeptIndex.read(StoreLayout.reserved / entry.name, files, cache)
        if kept.index.uuid == onDisk.uuid, kept.index.isWritable { result.append(kept) }
      } catch { if error.leavesUnchecked { throw error } }
    }
    return result.sorted { $0.index.commit > $1.index.commit }
  }

  /// Whether all that an index lists is in its place, and there are no other files where chunks go.
  private func explainsEverything(_ index: StoreIndex) throws(HyperslabError) -> Bool {
    for (path, record) in index.datasets {
      let headers = try ChunkHeaders(files, path, record)
      var areAll = true
      do throws(HyperslabError) {
        try Snapshot(index: index, cache: cache).table(record).forEachRow {
          (chunk, row) throws(HyperslabError) in
          guard areAll, row.state == .stored else { return }
          areAll = try headers.hold(chunk, row)
        }
      } catch {
        guard error.isDamage else { throw error }
        return false
      }
      guard areAll, try fileCount(StoreLayout.chunks(path)) <= record.storedChunks else {
        return false
      }
    }
    for (path, _) in onDisk.datasets where index.dataset(path) == nil {
      if try fileCount(StoreLayout.chunks(path)) > 0 { return false }
    }
    return true
  }

  private func fileCount(_ directory: StorePath) throws(HyperslabError) -> Int {
    guard let status = try files.status(directory) else { return 0 }
    guard status.kind == .directory else { return 1 }
    var count = 0
    for entry in try files.list(directory) where !HarmlessFiles.contains(entry.name, entry.kind) {
      count += entry.kind == .directory ? try fileCount(directory / entry.name) : 1
    }
    return count
  }
}
