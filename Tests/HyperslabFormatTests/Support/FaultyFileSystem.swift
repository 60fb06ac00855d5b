import HyperslabCore
import SystemPackage
import Synchronization

@testable import HyperslabFormat

/// The local disk with faults: one chosen operation fails, and those that match it after.
final class FaultyFileSystem: FileSystem {
  enum Operation: String, Sendable {
    case open, create, rename, exchange, link, remove, makeDirectory, list, synchronize, write, lock
  }

  private struct State {
    var count = 0
    var questionCount = 0
    var fault: (@Sendable (Operation, StorePath, Int) -> Bool)?
  }

  private let disk: LocalFileSystem
  private let state = Mutex(State())

  init(root: FilePath) throws(HyperslabError) { disk = try LocalFileSystem(root: root) }

  var rootDescription: String { disk.rootDescription }

  /// From now on, operations for which `fault` is true fail; it sees their number, from 0.
  func fail(_ fault: (@Sendable (Operation, StorePath, Int) -> Bool)?) {
    state.withLock {
      $0.fault = fault
      $0.count = 0
    }
  }

  /// From the first operation on for which `begin` is true, every one fails that would change something:
  /// as if the process had been killed there.
  func failAsIfKilled(from begin: @escaping @Sendable (Operation, StorePath) -> Bool) {
    let isDead = Mutex(false)
    fail { operation, path, _ in
      isDead.withLock { isDead in
        isDead = isDead || begin(operation, path)
        return isDead && operation != .open && operation != .list
      }
    }
  }

  /// Operations since the last call of ``fail(_:)``.
  var operationCount: Int { state.withLock { $0.count } }

  /// How often somebody asked what has a name.
  var questionCount: Int { state.withLock { $0.questionCount } }

  func check(_ operation: Operation, _ path: StorePath) throws(HyperslabError) {
    let (fault, count) = state.withLock { state in
      defer { state.count += 1 }
      return (state.fault, state.count)
    }
    if fault?(operation, path, count) ?? false {
      throw HyperslabError(.io, "fault in \(operation)", at: "\(path)")
    }
  }

  func open(_ path: StorePath) throws(HyperslabError) -> any FileHandle {
    try check(.open, path)
    return FaultyHandle(try disk.open(path), path, self)
  }
  func create(_ path: StorePath) throws(HyperslabError) -> any FileHandle {
    try check(.create, path)
    return FaultyHandle(try disk.create(path), path, self)
  }
  func rename(_ from: StorePath, to: StorePath) throws(HyperslabError) {
    try check(.rename, to)
    try disk.rename(from, to: to)
  }
  func exchange(_ one: StorePath, with other: StorePath) throws(HyperslabError) {
    try check(.exchange, other)
    try disk.exchange(one, with: other)
  }
  func link(_ from: StorePath, to: StorePath) throws(HyperslabError) {
    try check(.link, to)
    try disk.link(from, to: to)
  }
  func remove(_ path: StorePath) throws(HyperslabError) {
    try check(.remove, path)
    try disk.remove(path)
  }
  func removeDirectory(_ path: StorePath) throws(HyperslabError) {
    try check(.remove, path)
    try disk.removeDirectory(path)
  }
  func makeDirectory(_ path: StorePath) throws(HyperslabError) -> Bool {
    try check(.makeDirectory, path)
    return try disk.makeDirectory(path)
  }
  func list(_ path: StorePath) throws(HyperslabError) -> [DirectoryEntry] {
    try check(.list, path)
    return try disk.list(path)
  }
  func synchronizeDirectory(_ path: StorePath) throws(HyperslabError) {
    try check(.synchronize, path)
    try disk.synchronizeDirectory(path)
  }
  var mostSynchronizedApart: Int? { disk.mostSynchronizedApart }
  func synchronizeAll() throws(HyperslabError) {
    try check(.synchronize, .root)
    try disk.synchronizeAll()
  }
  func status(_ path: StorePath) throws(HyperslabError) -> FileStatus? {
    state.withLock { $0.questionCount += 1 }
    return try disk.status(path)
  }
  func lock(_ path: StorePath, wait: Bool) throws(HyperslabError) -> (any FileLock)? {
    try check(.lock, path)
    return try disk.lock(path, wait: wait)
  }
}

private final class FaultyHandle: FileHandle {
  private let file: any FileHandle
  private let path: StorePath
  private let files: FaultyFileSystem

  init(_ file: any FileHandle, _ path: StorePath, _ files: FaultyFileSystem) {
    self.file = file
    self.path = path
    self.files = files
  }

  var byteCount: Int { file.byteCount }
  func read(
    at offset: Int, into memory: UnsafeMutableRawBufferPointer
  ) throws(HyperslabError) -> Int { try file.read(at: offset, into: memory) }
  func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(HyperslabError) {
    try files.check(.write, path)
    try file.write(bytes, at: offset)
  }
  func synchronize() throws(HyperslabError) {
    try files.check(.synchronize, path)
    try file.synchronize()
  }
  func close() throws(HyperslabError) { try file.close() }
}

/// Opens a store for writing on a disk that can be made to fail, with every fsync in order.
func openFaulty(_ path: FilePath) throws -> (SlabStore, FaultyFileSystem) {
  let files = try FaultyFileSystem(root: path)
  let store = try SlabStore(
    path: path, files: files, mode: .readWrite, durability: .full, synchronizerWidth: 0)
  return (store, files)
}
