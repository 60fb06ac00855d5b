import HyperslabCore

/// Removes chunk files that took their names for a commit that never came to be.
///
/// Under the store's lock and with everything settled nobody is placing any. The runs of such a commit say which
/// they are: a file goes that has the length and the header checksum that one of them lists, and no row of the
/// index. Anything else that stands there, put back from a backup perhaps, is somebody's.
struct OrphanSweep {
  let files: any FileSystem
  let snapshot: Snapshot
  /// The last commit that came to be.
  let commit: Int
  private(set) var removed: [StorePath] = []
  /// Directories that something was removed from.
  private(set) var touched: Set<StorePath> = []
  private let presence: Presence

  init(files: any FileSystem, snapshot: Snapshot, commit: Int) {
    self.files = files
    self.snapshot = snapshot
    self.commit = commit
    presence = Presence(files: files)
  }

  /// Whether a writer may have died or failed in the middle of a commit: its claim is left, or its directory.
  static func isDue(
    after commit: Int, in files: any FileSystem
  ) throws(HyperslabError) -> Bool {
    if try !files.writersWithDirectories().isEmpty { return true }
    return try files.list(StoreLayout.reserved).contains {
      StoreLayout.claimed($0.name).map { $0 > commit } ?? false
    }
  }

  /// What cannot be swept keeps nobody from writing.
  mutating func run() {
    let runs = try? UnpublishedRun.all(after: commit, of: snapshot.index.uuid, in: files)
    for run in runs ?? [] { try? sweep(run) }
  }

  private mutating func sweep(_ run: UnpublishedRun) throws(HyperslabError) {
    let record = snapshot.index.dataset(run.path)
    if record == nil {
      // Another node, or what another program wrote and was to be taken in as a whole.
      let document = StoreLayout.zarr(run.path)
      guard snapshot.index.nodes[run.path] == nil, try files.status(document) == nil else { return }
    } else if record?.id != run.dataset {
      return
    }
    let table = record.map { snapshot.table($0) }
    var directories: Set<StorePath> = []
    try run.forEachStored { (chunk, byteCount, crc) throws(HyperslabError) in
      if let table, let record, record.grid.contains(chunk),
        try table.row(chunk).state == .stored
      {
        return
      }
      let place = StoreLayout.chunk(run.path, chunk)
      directories.insert(place.parent)
      guard try presence.canHold(file: place) else { return }
      guard let status = try files.status(place) else { return try presence.miss(place) }
      guard status.kind == .file, status.byteCount == byteCount,
        Verifier.toldHeader(place, files) == crc, try Provenance(files: files).isFrame(place)
      else { return }
      try files.remove(place)
      removed.append(place)
      touched.insert(place.parent)
    }
    for directory in directories { removeEmptied(directory) }
  }

  /// Removes a directory that holds nothing and is no node's, and those above it that are so.
  private mutating func removeEmptied(_ directory: StorePath) {
    var directory = directory
    while !directory.isRoot, !isNode(directory) {
      do throws(HyperslabError) {
        try files.removeDirectory(directory)
        touched.remove(directory)
        touched.insert(directory.parent)
      } catch {
        // One that was not made yet is in one that may have been.
        if error.code != .missing { return }
      }
      directory = directory.parent
    }
  }

  private func isNode(_ directory: StorePath) -> Bool {
    (try? NodePath(directory.description)).map { snapshot.index.nodes[$0] != nil } ?? false
  }
}
