import HyperslabCore

/// The second line of defence where advisory locks lie, as on some network disks: a file created
/// exclusively under the lock, naming its holder, and removed after the commit.
struct Claim {
  let files: any FileSystem
  let writer: String

  /// Takes the claim on a commit.
  ///
  /// - Throws: `locked`, naming the holder, when another one is found that is not a dead writer's.
  func take(commit: Int) throws(HyperslabError) {
    let path = StoreLayout.claim(commit: commit)
    let contents = LockHolder.current(writer: writer)
    for _ in 0..<2 {
      do {
        return try files.create(path, contents: Array(contents.utf8), synchronize: false)
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

  private func removeIfDead(_ path: StorePath) throws(HyperslabError) {
    let bytes = try files.contents(path, limit: 4096)
    let holder = (try? JSONParser.parse(bytes))?.object
    let name = holder?["writer"]?.string ?? ""
    let isHere = holder?["host"]?.string == LockHolder.host
    var isDead = holder == nil
    if isHere, StoreLayout.isIdentifier(name) {
      // Nobody can hold the lock of a directory that is gone.
      let lock = StoreLayout.writerLock(writer: name)
      isDead = try files.status(lock) == nil
      if !isDead, let free = try files.lock(lock, wait: false) {
        free.release()
        isDead = true
      }
    }
    guard isDead else {
      throw HyperslabError(
        .locked, "another writer is committing although the lock is free", at: "\(path)",
        found: LockHolder.text(holder),
        remedy: "If that process is gone, remove the file")
    }
    if Provenance.isHolderOrRemains(bytes) { return try files.remove(path) }
    try LostFiles(files: files, commit: StoreLayout.claimed(path.name) ?? 0).take(path)
  }
}
