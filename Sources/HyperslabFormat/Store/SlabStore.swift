import HyperslabCodecs
public import HyperslabCore
public import SystemPackage

/// A store in a directory: LZ4-compressed chunk files and a JSON index, readable by every Zarr v3
/// reader (`Spec/slab-format.md`).
///
///     let store = try SlabStore.create(at: "recording.slab")
///     let lfp = try store.createDataset(NodePath("ecephys/lfp"), description)
///     try lfp.writeChunk([0, 0], from: bytes, layout: layout)
///     try store.commit()
///     try store.close()
///
/// Nothing is visible to others before ``commit()``, and then all of it; a process killed at any
/// instant leaves the last commit. Readers take no lock and never see a mixture of two commits.
/// Any number of processes and tasks may write distinct chunks. Thread-safe.
///
/// Direct calls (``createDataset(_:_:)-(NodePath,_)``, `writeChunk`, ``setAttribute(_:_:of:)``, …) are
/// published by ``commit()`` and by nothing else. Each `write` and `append` keeps its changes to itself,
/// commits them itself, and leaves nothing behind when it fails but what its own commits made permanent.
/// ``transaction(_:)`` does the same for several changes.
///
/// Direct calls see what the store's writes, appends and transactions commit as soon as that is done. So what
/// is read, changed and written back, as in `x = x + 1`, belongs in a transaction: a chunk that it changes, or an
/// attribute that it sets and has looked at, must still be what it was when it began. By direct calls it may undo
/// what came between.
public final class SlabStore: ChunkedStore {
  /// What a store is opened for.
  public enum Mode: Sendable {
    /// Reading; works on read-only media. A read that finds files of a newer commit moves to that.
    case readOnly
    /// Reading one commit and no other: a read that finds it overwritten throws `snapshot_changed`.
    case pinned
    /// Reading and writing; finishes an interrupted commit first.
    case readWrite
  }

  /// The version that `slab.json` names as its writer's.
  public static let version = "0.1.0"

  /// Where it is.
  public var path: FilePath { opened.path }
  let opened: OpenStore
  /// What is written through this handle; nil where the store is open for reading only.
  let changes: ChangeSet?
  /// Whose changes those are.
  let role: Role

  /// What a handle is for.
  enum Role {
    /// Direct calls, which only their own ``commit()`` publishes.
    case direct
    /// One write or append, with changes and commits of its own.
    case operation
    /// A transaction, which is published at its end and not before.
    case transaction
    /// An append within a transaction: what it looks at, nobody else has seen.
    case appending
  }

  /// Whether what is done is published with a transaction.
  var isInTransaction: Bool { role == .transaction || role == .appending }

  init(_ opened: OpenStore, _ changes: ChangeSet?, role: Role) {
    self.opened = opened
    self.changes = changes
    self.role = role
  }

  convenience init(
    path: FilePath, files: any FileSystem, mode: Mode, durability: Durability,
    patience: Duration = .seconds(60), synchronizerWidth: Int = 8,
    scheduling: (any Scheduling)? = nil, refusesForeign: Bool = true
  ) throws(HyperslabError) {
    let cache = RunCache(files: files)
    var snapshot = try Snapshot.read(files, cache: cache)
    var session: WriterSession?
    if mode == .readWrite {
      try Self.checkWritable(snapshot.index, durability, path)
      let lostBefore = files.lostNames()
      let recovered = try Recovery(
        files: files, durability: durability, cache: cache, patience: patience,
        refusesForeign: refusesForeign
      )
      .run()
      snapshot = recovered.newest
      session = WriterSession(
        files: files, durability: durability, patience: patience,
        synchronizerWidth: synchronizerWidth, scheduling: scheduling ?? SystemScheduling(),
        lostBefore: lostBefore, settled: recovered.isSettled ? snapshot.index.commit : nil,
        stuck: recovered.waiting)
    }
    let opened = OpenStore(
      path: path, files: files, cache: cache, session: session, isPinned: mode == .pinned,
      snapshot: snapshot)
    self.init(opened, session.map { ChangeSet(opened, $0, view: nil) }, role: .direct)
  }

  /// Creates an empty store and opens it for writing.
  ///
  /// - Parameters:
  ///   - path: Where; missing directories above are made. An empty directory that is there becomes
  ///     the store and keeps its mode and owner.
  ///   - durability: What commits outlive.
  ///   - overwrite: Whether a slab store that is there may be replaced; its data is gone when this
  ///     returns. Nothing but a slab store is ever replaced.
  /// - Throws: `already_exists`, `io`, `no_space`.
  public static func create(
    at path: FilePath, durability: Durability = .full, overwrite: Bool = false
  ) throws(HyperslabError) -> SlabStore {
    try StoreCreation.create(at: path, durability: durability, overwrite: overwrite)
    return try SlabStore(
      path: path, files: try LocalFileSystem(root: path), mode: .readWrite, durability: durability)
  }

  /// Opens the store that is there for writing, or creates it: of many that do so at once one creates
  /// it, and all have it open.
  ///
  /// - Throws: as ``open(_:mode:durability:patience:followingLinks:)`` and
  ///   ``create(at:durability:overwrite:)``.
  public static func openOrCreate(
    at path: FilePath, durability: Durability = .full
  ) throws(HyperslabError) -> SlabStore {
    // A store that is created and removed over and over is not waited for.
    for _ in 0..<8 where !StoreCreation.holdsStore(path) {
      do { return try create(at: path, durability: durability) } catch {
        guard error.code == .alreadyExists, StoreCreation.holdsStore(path) else { throw error }
      }
    }
    return try open(path, mode: .readWrite, durability: durability)
  }

  /// Opens a store.
  ///
  /// - Parameters:
  ///   - path: Where it is.
  ///   - mode: What for.
  ///   - durability: What commits outlive.
  ///   - patience: How long one and the same other writer is waited for while it holds the store's
  ///     lock, here and in every commit. The lock of a process that died is free at once.
  ///   - followsLinks: Whether to read through symbolic links in the store, as git-annex and DataLad
  ///     leave them, wherever they point. Never for writing.
  /// - Throws: `not_found`, `not_a_store`, `unsupported_version`, `unsupported_feature`, `index`;
  ///   for writing `locked`, naming the holder, and `older_index` where somebody put an older index back;
  ///   `foreign` for a link; `invalid_value` for links and writing.
  public static func open(
    _ path: FilePath, mode: Mode = .readOnly, durability: Durability = .full,
    patience: Duration = .seconds(60), followingLinks followsLinks: Bool = false
  ) throws(HyperslabError) -> SlabStore {
    if mode == .readWrite, followsLinks {
      throw HyperslabError(
        .invalidValue, "writing through symbolic links", at: path.string,
        remedy: "Open it for reading, or put the files themselves there")
    }
    return try SlabStore(
      path: path, files: try LocalFileSystem(root: path, followingLinks: followsLinks), mode: mode,
      durability: durability, patience: patience)
  }

  private static func checkWritable(
    _ index: StoreIndex, _ durability: Durability, _ path: FilePath
  ) throws(HyperslabError) {
    guard index.isWritable else {
      throw HyperslabError(
        .unsupportedFeature, "writing needs one of the features \(index.writeFeatures)",
        at: path.string, remedy: "Open it for reading, or use a newer version of Hyperslab")
    }
    // A cut of power after a fast commit can take durable commits before it, too.
    guard durability == .full || index.commit == 0 else {
      throw HyperslabError(
        .invalidValue, "fast durability on a store that has commits", at: path.string,
        remedy: "Use full durability, or write a new store")
    }
  }

  // MARK: - State

  var files: any FileSystem { opened.files }
  var cache: RunCache { opened.cache }
  var session: WriterSession? { opened.session }
  var isPinned: Bool { opened.isPinned }
  /// The commit that this handle reads from.
  var snapshot: Snapshot { changes?.snapshot ?? opened.snapshot }
  /// The store's identifier: 32 hexadecimal digits.
  public var uuid: String { snapshot.index.uuid }
  /// The number of the commit that this handle sees.
  public var commitNumber: Int { snapshot.index.commit }
  /// `complete` once its last writer closed it, else `open`.
  public var state: String { snapshot.index.state }

  /// Looks for newer commits of others; a pinned store stays where it is.
  ///
  /// - Returns: whether there was one.
  @discardableResult
  public func refresh() throws(HyperslabError) -> Bool {
    if let changes { return try changes.refresh() }
    return try opened.refresh()
  }

  /// The commit together with the state of what was written through this handle.
  func view(of slot: Int?) -> StoreView {
    guard let changes else { return StoreView(snapshot: snapshot, epoch: 0, createdID: nil) }
    return changes.state.withLock { state in
      StoreView(
        snapshot: state.snapshot(opened), epoch: state.epoch,
        createdID: slot.flatMap { state.ids[$0] })
    }
  }

  /// The change set of a store opened for writing.
  func writing() throws(HyperslabError) -> ChangeSet {
    if let changes { return changes }
    throw HyperslabError(
      .readOnly, "the store is open for reading only", at: path.string,
      remedy: "Open it with mode: .readWrite")
  }
}
