import HyperslabCodecs
import HyperslabCore
import Synchronization

/// How much a commit outlives.
public enum Durability: String, Sendable, CaseIterable {
  /// A power cut: every step is made permanent before the next depends on it.
  case full
  /// A killed process, not a power cut; only for a store's first session.
  case fast
}

/// What all operations of one opened store share as a writer: the private directory that their chunks are
/// staged in, and whether anything may still be written.
final class WriterSession: Sendable {
  let writer = StoreLayout.newIdentifier()
  let files: any FileSystem
  let durability: Durability
  let patience: Duration
  let synchronizerWidth: Int
  let scheduling: any Scheduling
  /// What was in `__slab/lost` before.
  let lostBefore: Set<String>
  /// In which publications follow one another.
  let publications: Lines<Publication>
  /// In which operations that append to one data set follow one another.
  let appenders: Lines<NodePath>
  /// Nodes that another program made or changed, whose files may be replaced since that was taken in.
  let adopting = Mutex<Set<NodePath>>([])
  /// The files of theirs, and chunks of others, by what was taken in.
  let taken = Mutex(TakenFiles())
  /// What of the last commit could not be brought to its place.
  let stuck: Mutex<Settle.Stuck>
  /// The commit of which all is known to be in its place and permanent.
  let settled: Mutex<Int?>
  private let state = Mutex(State())
  private let directory = Mutex(Directory())

  /// The one line of publications.
  enum Publication: Hashable, Sendable { case next }

  private struct State {
    /// After a failure in the middle of a commit nobody knows what the disk holds.
    var poison: HyperslabError?
    var isClosed = false
    /// How many threads are at work in the private directory.
    var working = 0
    var nextNumber = 0
  }

  private struct Directory {
    /// Held while this writer lives, so that others leave its directory alone.
    var lock: (any FileLock)?
    var isBeingMade = false
  }

  init(
    files: any FileSystem, durability: Durability, patience: Duration, synchronizerWidth: Int,
    scheduling: any Scheduling, lostBefore: Set<String> = [], settled: Int? = nil,
    stuck: Settle.Stuck = [:]
  ) {
    self.lostBefore = lostBefore
    self.stuck = Mutex(stuck)
    self.settled = Mutex(settled)
    self.files = files
    self.durability = durability
    self.patience = patience
    self.synchronizerWidth = synchronizerWidth
    self.scheduling = scheduling
    publications = Lines(scheduling)
    appenders = Lines(scheduling)
  }

  /// A number that nothing else has in this session: no change set, and no data set in one.
  func newNumber() -> Int {
    state.withLock { state in
      defer { state.nextNumber += 1 }
      return state.nextNumber
    }
  }

  // MARK: - Whether it can write

  var closedError: HyperslabError {
    HyperslabError(
      .closed, "the store is closed", at: files.rootDescription, remedy: "Open it again")
  }

  /// - Parameter closing: Whether it is the end of the session that asks.
  /// - Throws: `poisoned`, `closed`.
  func check(closing: Bool = false) throws(HyperslabError) {
    let (poison, isClosed) = state.withLock { ($0.poison, $0.isClosed) }
    if let poison {
      throw HyperslabError(
        .poisoned, "an earlier failure left it unsure what the disk holds",
        at: files.rootDescription,
        remedy: "Close the store and open it again; it opens at its last commit", cause: poison)
    }
    if isClosed, !closing { throw closedError }
  }

  var isPoisoned: Bool { state.withLock { $0.poison != nil } }

  func poison(_ error: HyperslabError) {
    state.withLock { if $0.poison == nil { $0.poison = error } }
  }

  /// Remembers how a commit ended.
  func note(_ aftermath: CommitProtocol.Aftermath) {
    if let doubt = aftermath.doubt { poison(doubt) }
    if let left = aftermath.stuck { stuck.withLock { $0 = left } }
    settled.withLock { $0 = aftermath.settled }
  }

  /// Begins work in the private directory.
  func enter(closing: Bool = false) throws(HyperslabError) {
    try check(closing: closing)
    let isIn = state.withLock { state in
      if state.isClosed && !closing { return false }
      state.working += 1
      return true
    }
    if !isIn { throw closedError }
  }

  func leave() {
    state.withLock { $0.working -= 1 }
    scheduling.wake()
  }

  /// Lets no more work begin and waits for what goes on; false where somebody else has.
  func close() -> Bool {
    let isFirst = state.withLock { state in
      defer { state.isClosed = true }
      return !state.isClosed
    }
    if isFirst { scheduling.wait { state.withLock { $0.working == 0 } } }
    return isFirst
  }

  // MARK: - Private directory

  /// A session that nobody closed, since an error ended what it was for.
  deinit {
    if directory.withLock({ $0.lock != nil }) {
      removeDirectory(newest: (try? Snapshot.read(files, cache: RunCache(files: files)))?.index)
    }
  }

  /// Makes the private directory and takes its lock, by which others know that this writer lives.
  func prepareDirectory() throws(HyperslabError) {
    var isThere = false
    scheduling.wait {
      directory.withLock { directory in
        if directory.isBeingMade { return false }
        isThere = directory.lock != nil
        directory.isBeingMade = !isThere
        return true
      }
    }
    if isThere { return }
    var lock: (any FileLock)?
    defer {
      directory.withLock { directory in
        directory.lock = lock
        directory.isBeingMade = false
      }
      scheduling.wake()
    }
    // Under the store's lock, so that nobody sweeps the directory before its own lock is held.
    let storeLock = try StoreLock(files: files, patience: patience).acquire(writer: writer)
    defer { storeLock.release() }
    _ = try files.makeDirectories(StoreLayout.staging(writer: writer))
    lock = try files.lock(StoreLayout.writerLock(writer: writer), wait: false)
    lock?.describe(LockHolder.current(writer: writer))
  }

  /// Removes the private directory, unless the index may still need what is staged in it, or a commit
  /// ended halfway: then it stays as if this writer had been killed, for others to sweep after. Best effort.
  func removeDirectory(newest: StoreIndex?) {
    let lock = directory.withLock { directory in
      defer { directory.lock = nil }
      return directory.lock
    }
    // Do not release() it where the directory stays: that truncates the file, whose time of modification
    // recovery reads as the time when this writer began.
    guard let lock, let newest, !isPoisoned,
      !newest.datasets.contains(where: { $0.record.isStaged(by: writer) })
    else { return }
    try? files.removeTree(StoreLayout.staging(writer: writer))
    lock.release()
  }
}
