import HyperslabCore

/// Removes chunk files that no row lists, which a writer killed in the middle of a commit left.
///
/// Under the store's lock and with everything settled nobody is placing any; only files no older than
/// that writer are touched, so that an index restored from a backup costs nothing that repair could
/// still use. A table that cannot be read keeps all its files.
struct OrphanSweep {
  let files: any FileSystem
  let snapshot: Snapshot
  /// When the writer began, in seconds since 1970.
  let since: Int

  func run() {
    for (path, record) in snapshot.index.datasets {
      try? sweep(StoreLayout.chunks(path), [], snapshot.table(record))
    }
  }

  private func sweep(
    _ place: StorePath, _ coordinates: [Int], _ table: ChunkTable
  ) throws(HyperslabError) {
    if coordinates.count == table.record.grid.rank {
      // The table first: it is in memory, and lists nearly all.
      guard try table.row(ChunkIndex(coordinates)).state != .stored,
        let status = try files.status(place), status.kind == .file, status.modified >= since
      else { return }
      return try files.remove(place)
    }
    guard try files.status(place)?.kind == .directory else { return }
    for entry in try files.list(place) {
      guard let coordinate = StoreLayout.coordinate(entry.name) else { continue }
      try sweep(place / entry.name, coordinates + [coordinate], table)
    }
  }
}
