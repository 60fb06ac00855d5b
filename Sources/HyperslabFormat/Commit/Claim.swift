import HyperslabCore

/// The second line of defence where advisory locks lie, as on some network disks: a file created
/// exclusively under the lock, naming its holder, and removed after the commit.
struct Claim {
  let files: any FileSystem
  let writer: String

  /// Takes the claim on a commit.
  ///
  /// - Returns: whether a writer that died had it.
  /// - Throws: `locked`, naming the holder, when another one is found that is not a dead writer's.
  func take(commit: Int) throws(HyperslabError) -> Bool {
    let path = StoreLayout.claim(commit: commit)
    let contents = LockHolder.current(writer: writer)
    for attempt in 0..<2 {
      do {
        try files.create(path, contents: Array(contents.utf8), synchronize: false)
        return attempt > 0
      } catch {
        guard error.code == .alreadyExists else { throw error }
      }
      try removeIfDead(path)
    }
    throw HyperslabError(
      .locked, "another writer keeps taking the commit", at: "\(path)", remedy: "Commit again")
  }

  func release(commit: Int) throws(HyperslabError) {
    try files.remove(StoreLayout.claim(commit: commit))
  }

  /// Refuses to go on while another writer is sure to be making a commit: whoever took the lock's file
  /// away let in who asks.
  ///
  /// - Throws: `locked`, naming it.
  static func refuseLiving(
    commit: Int, in files: any FileSystem
  ) throws(HyperslabError) {
    let path = StoreLayout.claim(commit: commit)
    guard try files.status(path)?.kind == .file else { return }
    let bytes: [UInt8]
    do { bytes = try files.contents(path, limit: 4096) } catch {
      if error.leavesUnchecked { throw error }
      return
    }
    let holder = (try? JSONParser.parse(bytes))?.object
    if try isAlive(holder, in: files) == true { throw taken(path, by: holder, in: files) }
  }

  /// Whether a claim's holder lives; nil where that cannot be told.
  private static func isAlive(
    _ holder: JSONObject?, in files: any FileSystem
  ) throws(HyperslabError) -> Bool? {
    guard let holder else { return false }
    guard holder["host"]?.string == LockHolder.host, let name = holder["writer"]?.string,
      StoreLayout.isIdentifier(name)
    else { return nil }
    // Nobody can hold the lock of a directory that is gone.
    let lock = StoreLayout.writerLock(writer: name)
    guard try files.status(lock) != nil else { return false }
    guard let free = try files.lock(lock, wait: false) else { return true }
    free.release()
    return false
  }

  private static func taken(
    _ path: StorePath, by holder: JSONObject?, in files: any FileSystem
  ) -> HyperslabError {
    HyperslabError(
      .locked, "another writer is committing although the lock is free",
      at: "\(files.rootDescription)/\(path)", found: LockHolder.text(holder),
      remedy:
        "Try again when it is done; if that process is gone, SlabStore.repair (slab repair) settles "
        + "what it left")
  }

  private func removeIfDead(_ path: StorePath) throws(HyperslabError) {
    let bytes: [UInt8]
    do { bytes = try files.contents(path, limit: 4096) } catch {
      // No writer makes so much of one, nor anything but a file.
      guard error.code == .limit || error.code == .foreign else { throw error }
      try LostFiles(files: files, commit: StoreLayout.claimed(path.name) ?? 0).take(path)
      return
    }
    let holder = (try? JSONParser.parse(bytes))?.object
    guard try Self.isAlive(holder, in: files) == false else {
      throw Self.taken(path, by: holder, in: files)
    }
    if Provenance.isHolderOrRemains(bytes) { return try files.remove(path) }
    try LostFiles(files: files, commit: StoreLayout.claimed(path.name) ?? 0).take(path)
  }
}
