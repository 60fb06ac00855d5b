import HyperslabCore

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// The store's one lock, held while a commit or a recovery is made.
struct StoreLock {
  let files: any FileSystem
  /// How long one and the same holder is waited for.
  let patience: Duration

  /// Waits for the lock and takes it.
  ///
  /// - Throws: `locked`, naming the holder, when the same one has held it for longer than the patience
  ///   goes. A process that died holds nothing.
  func acquire(writer: String? = nil) throws(HyperslabError) -> any FileLock {
    if let lock = try files.lock(StoreLayout.lock, wait: false) { return try named(lock, writer) }
    var holder = LockHolder.read(StoreLayout.lock, in: files)
    var begin = ContinuousClock.now
    var pause: UInt32 = 200
    while true {
      usleep(pause)
      if let lock = try files.lock(StoreLayout.lock, wait: false) { return try named(lock, writer) }
      pause = Swift.min(pause * 2, 10_000)
      let now = LockHolder.read(StoreLayout.lock, in: files)
      if now != holder {
        holder = now
        begin = .now
      } else if ContinuousClock.now - begin > patience {
        throw HyperslabError(
          .locked, "another writer holds the store's lock", at: files.rootDescription,
          found: LockHolder.text(holder),
          remedy: "Wait for it or end it; the lock of a dead process is free at once")
      }
    }
  }

  private func named(
    _ lock: any FileLock, _ writer: String?
  ) throws(HyperslabError) -> any FileLock {
    // Not let go: that empties the file.
    guard try files.hasOwnLock() else {
      throw HyperslabError(
        .foreign, "something is in the way that is not the store's",
        at: "\(files.rootDescription)/\(StoreLayout.lock)",
        expected: "an empty file, or a line that names who holds the lock",
        remedy: "Move it elsewhere, and try again")
    }
    lock.describe(LockHolder.current(writer: writer))
    return lock
  }
}
