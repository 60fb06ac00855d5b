import HyperslabCore
import Synchronization
import SystemPackage

/// What all handles of one opened store share.
final class OpenStore: Sendable {
  let path: FilePath
  let files: any FileSystem
  let cache: RunCache
  /// Nil where it is open for reading only.
  let session: WriterSession?
  let isPinned: Bool
  private let current: Mutex<Snapshot>

  init(
    path: FilePath, files: any FileSystem, cache: RunCache, session: WriterSession?, isPinned: Bool,
    snapshot: Snapshot
  ) {
    self.path = path
    self.files = files
    self.cache = cache
    self.session = session
    self.isPinned = isPinned
    current = Mutex(snapshot)
  }

  /// The newest commit that was seen.
  var snapshot: Snapshot { current.withLock { $0 } }

  /// Looks for newer commits of others; a pinned store stays where it is.
  ///
  /// - Returns: whether there was one.
  func refresh() throws(HyperslabError) -> Bool {
    if isPinned { return false }
    let newest = try Snapshot.read(files, cache: cache)
    return current.withLock { snapshot in
      guard newest.index.commit > snapshot.index.commit || newest.index.uuid != snapshot.index.uuid
      else { return false }
      snapshot = newest
      return true
    }
  }

  /// The newest commit that there is, for an operation to begin with; the handles go on seeing theirs.
  func newest() throws(HyperslabError) -> Snapshot {
    let (newest, seen) = (try Snapshot.read(files, cache: cache), snapshot)
    // Of a store that was replaced the commit tells.
    let isLater = newest.index.uuid == seen.index.uuid && newest.index.commit > seen.index.commit
    return isLater ? newest : seen
  }

  /// Shows a commit of this session; a newer one that was seen meanwhile stays.
  func publish(_ snapshot: Snapshot) {
    current.withLock { if $0.index.commit < snapshot.index.commit { $0 = snapshot } }
    cache.keep(snapshot.index)
  }
}
