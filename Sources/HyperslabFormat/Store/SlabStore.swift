import HyperslabCodecs
public import HyperslabCore
import Synchronization
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
/// Any number of processes may write distinct chunks. Thread-safe.
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
  public let path: FilePath
  let files: any FileSystem
  let cache: RunCache
  let session: WriterSession?
  let isPinned: Bool
  private let current: Mutex<Snapshot>

  init(
    path: FilePath, files: any FileSystem, mode: Mode, durability: Durability,
    patience: Duration = .seconds(60), synchronizerWidth: Int = 8
  ) throws(HyperslabError) {
    self.path = path
    isPinned = mode == .pinned
    self.files = files
    cache = RunCache(files: files)
    var snapshot = try Snapshot.read(files, cache: cache)
    switch mode {
    case .readOnly, .pinned: session = nil
    case .readWrite:
      try Self.checkWritable(snapshot.index, durability, path)
      snapshot = try Recovery(
        files: files, durability: durability, cache: cache, patience: patience
      )
      .run()
      session = WriterSession(
        files: files, base: snapshot.index, durability: durability, patience: patience,
        synchronizerWidth: synchronizerWidth)
    }
    current = Mutex(snapshot)
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
  ///   `locked`, naming the holder; `foreign` for a link; `invalid_value` for links and writing.
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

  /// The commit that this handle reads from.
  var snapshot: Snapshot { current.withLock { $0 } }
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
    if isPinned { return false }
    let newest = try Snapshot.read(files, cache: cache)
    let isNewer = current.withLock { snapshot in
      guard newest.index.commit > snapshot.index.commit || newest.index.uuid != snapshot.index.uuid
      else { return false }
      snapshot = newest
      return true
    }
    // With nothing written yet, what is written next starts from here.
    if isNewer {
      session?.state.withLock { state in
        let isBehind =
          state.base.commit < newest.index.commit || state.base.uuid != newest.index.uuid
        if isBehind, state.changes.isEmpty { state.base = newest.index }
      }
    }
    return isNewer
  }

  /// Shows a commit of this session; a newer one that was seen meanwhile stays.
  func publish(_ snapshot: Snapshot) {
    current.withLock { if $0.index.commit < snapshot.index.commit { $0 = snapshot } }
    cache.keep(snapshot.index)
  }

  /// The commit together with the state of this session's own writes.
  var view: StoreView {
    guard let session else { return StoreView(snapshot: snapshot, batch: 0) }
    return session.state.withLock { StoreView(snapshot: snapshot, batch: $0.batch) }
  }

  /// The session of a store opened for writing.
  func writing() throws(HyperslabError) -> WriterSession {
    if let session { return session }
    throw HyperslabError(
      .readOnly, "the store is open for reading only", at: path.string,
      remedy: "Open it with mode: .readWrite")
  }
}
