import HyperslabCore
import SystemPackage

@testable import HyperslabFormat

/// Work on a store on a simulated disk, with what the store holds after each commit.
final class CrashScript {
  static let home = "x.slab"

  let disk: SimulatedDisk
  /// What the store held or may hold after each commit; nil where there is none.
  private(set) var outcomes: [StoreContents?]
  /// Which data set stood at each path with each outcome: a number that grows where another is made.
  private(set) var generations: [[String: Int]]
  private var generation: [String: Int] = [:]
  /// The number of the outcome that stands.
  private(set) var standing = 0
  /// What the store will hold when all is committed.
  var contents: StoreContents

  /// A new disk without a store.
  ///
  /// - Parameters:
  ///   - apart: How many files or directories are made permanent one by one, where its file system
  ///     makes more than that permanent in one call.
  ///   - canExchange: Whether two names on it can change places.
  convenience init(apart: Int? = nil, canExchange: Bool = true) {
    self.init(disk: SimulatedDisk(), outcomes: [nil], standing: 0)
    disk.core.state.withLock { state in
      state.mostSynchronizedApart = apart
      state.canExchange = canExchange
    }
  }

  /// More work on a disk, on which one of the outcomes stands.
  init(disk: SimulatedDisk, outcomes: [StoreContents?], standing: Int) {
    self.disk = disk
    self.outcomes = outcomes
    self.standing = standing
    generations = outcomes.map { _ in [:] }
    contents = outcomes[standing] ?? StoreContents()
  }

  var store: SimulatedDisk { disk.at(Self.home) }

  /// Everything done to the disk so far.
  var trace: DiskTrace { disk.core.state.withLock { $0.trace } }

  func open(_ mode: SlabStore.Mode = .readWrite) throws -> SlabStore {
    try Self.open(store, mode)
  }

  static func open(_ files: SimulatedDisk, _ mode: SlabStore.Mode) throws -> SlabStore {
    try SlabStore(
      path: FilePath("/\(home)"), files: files, mode: mode, durability: .full, patience: .zero,
      synchronizerWidth: 0)
  }

  private func note(_ change: DiskOperation.Change) {
    disk.core.state.withLock {
      $0.note(DiskOperation(kind: .mark, path: .root, change: change))
    }
  }

  /// Lets `body` bring about the contents as they are now, and notes when that may have happened and
  /// when it was reported.
  func commit(_ body: () throws -> Void) throws {
    outcomes.append(contents)
    generations.append(generation)
    note(.begun(outcomes.count - 1))
    try body()
    stands(outcomes.count - 1)
  }

  /// Notes that an outcome was reported and can never be lost again.
  func stands(_ outcome: Int) {
    standing = outcome
    note(.acknowledged(outcome))
  }

  // MARK: - Steps

  func create(_ store: SlabStore, _ path: String, _ shape: [Int], chunks: [Int]) throws {
    let model = StoreContents.Dataset(shape, chunks: chunks)
    _ = try store.createDataset(NodePath(path), model.description)
    contents.datasets[path] = model
    generation[path, default: 0] += 1
    addGroups(above: path)
  }

  func replace(_ store: SlabStore, _ path: String, _ shape: [Int], chunks: [Int]) throws {
    let model = StoreContents.Dataset(shape, chunks: chunks)
    _ = try store.replaceDataset(NodePath(path), model.description)
    contents.datasets[path] = model
    generation[path, default: 0] += 1
  }

  private func addGroups(above path: String) {
    let components = path.split(separator: "/")
    for count in 1..<Swift.max(1, components.count) {
      let group = components.prefix(count).joined(separator: "/")
      contents.groups[group] = contents.groups[group] ?? [:]
    }
  }

  func put(_ store: SlabStore, _ path: String, _ chunk: ChunkIndex, _ start: Int32) throws {
    contents.datasets[path]?.put(chunk, start)
    guard let model = contents.datasets[path] else { return }
    try store.dataset(NodePath(path)).put(chunk, of: model)
  }

  /// Commits, and meanwhile puts a chunk before each call to the disk, each three times; those belong to
  /// the next commit.
  func commit(
    _ store: SlabStore, putting chunks: [ChunkIndex], _ path: String, _ start: Int32
  ) throws {
    guard let model = contents.datasets[path] else { return }
    let puts = PutsMeanwhile(try store.dataset(NodePath(path)), model, chunks, start)
    disk.core.beforeCall.withLock { hook in
      hook = { if store.isCommitting { puts.putNext() } }
    }
    defer { disk.core.beforeCall.withLock { $0 = nil } }
    try commit { try store.commit() }
    contents.datasets[path] = try puts.finish()
  }

  func setAttribute(_ store: SlabStore, _ key: String, _ value: JSONValue?, of path: String) throws
  {
    try store.setAttribute(key, value, of: NodePath(path))
    if contents.groups[path] != nil {
      contents.groups[path]?[key] = value
    } else {
      contents.datasets[path]?.attributes[key] = value
    }
  }

  /// Gives a data set another shape: what both have stays, what is new was never written.
  func resize(_ store: SlabStore, _ path: String, _ shape: [Int]) throws {
    _ = try store.dataset(NodePath(path)).resized(to: Shape(shape))
    guard let old = contents.datasets[path] else { return }
    contents.datasets[path] = old.resized(to: shape)
  }

  func remove(_ store: SlabStore, _ path: String) throws {
    try store.remove(NodePath(path))
    for name in contents.datasets.keys where name == path || name.hasPrefix(path + "/") {
      contents.datasets[name] = nil
    }
    for name in contents.groups.keys where name == path || name.hasPrefix(path + "/") {
      contents.groups[name] = nil
    }
  }
}
