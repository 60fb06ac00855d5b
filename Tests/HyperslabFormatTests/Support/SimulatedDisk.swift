import HyperslabCore

@testable import HyperslabFormat

/// A disk in memory that remembers every change, so that a test can say what a power cut would have
/// left of it, and that can let any call fail.
///
/// As POSIX promises no more: fsync of a file makes its contents permanent but not its name, fsync of
/// a directory makes its names permanent but not what they stand for.
final class SimulatedDisk: FileSystem {
  let core: SimulatedDiskCore
  private let home: StorePath
  let rootDescription: String

  /// A running computer's disk: what the trace left, fsynced or not.
  init(_ trace: DiskTrace, home: StorePath = .root) {
    core = SimulatedDiskCore(trace, image: trace.volatileImage(after: trace.operations.count))
    self.home = home
    rootDescription = "/\(home)"
  }

  /// A disk after a power cut, or a new one; all that is on it is permanent.
  convenience init(_ image: DiskImage = DiskImage(), home: StorePath = .root) {
    self.init(DiskTrace(start: image), home: home)
  }

  private init(_ core: SimulatedDiskCore, home: StorePath) {
    self.core = core
    self.home = home
    rootDescription = "/\(home)"
  }

  /// The same disk seen from a directory of it.
  func at(_ name: String) -> SimulatedDisk { SimulatedDisk(core, home: home / name) }

  private func full(_ path: StorePath) -> StorePath {
    path.isRoot ? home : home / "\(path)"
  }

  // MARK: - Files

  func open(_ path: StorePath) throws(HyperslabError) -> any FileHandle {
    let path = full(path)
    return try core.call(.open, path) { (state, _) throws(HyperslabError) in
      let number = try state.file(path)
      return SimulatedFile(
        core, number, path, byteCount: state.image.files[number]?.bytes.count ?? 0, &state)
    }
  }

  func create(_ path: StorePath) throws(HyperslabError) -> any FileHandle {
    let path = full(path)
    return try core.call(.create, path) { (state, _) throws(HyperslabError) in
      try state.checkFree(path)
      return SimulatedFile(core, try state.make(.create, path), path, byteCount: 0, &state)
    }
  }

  func rename(_ from: StorePath, to: StorePath) throws(HyperslabError) {
    let (from, to) = (full(from), full(to))
    try core.call(.rename, to) { (state, _) throws(HyperslabError) in
      let target = try state.directory(to.parent)
      let source = try state.directory(from.parent)
      guard let number = state.number(from) else { throw SimulatedDiskCore.State.missing(from) }
      if let replaced = state.number(to) {
        if let names = state.image.directories[replaced], !names.isEmpty {
          throw HyperslabError(.alreadyExists, "not empty", at: "\(to)")
        }
        guard (state.image.files[replaced] == nil) == (state.image.files[number] == nil) else {
          throw HyperslabError(.foreign, "of another kind", at: "\(to)")
        }
      }
      let entries: [DiskImage.Entry] = [
        .init(directory: source, name: from.name, number: nil),
        .init(directory: target, name: to.name, number: number),
      ]
      state.note(
        DiskOperation(
          kind: .rename, path: to, from: from, change: .names(entries, durableWith: target)))
    }
  }

  func exchange(_ one: StorePath, with other: StorePath) throws(HyperslabError) {
    let (one, other) = (full(one), full(other))
    try core.call(.exchange, other) { (state, _) throws(HyperslabError) in
      guard state.canExchange else {
        throw HyperslabError(.unsupported, "no exchange", at: "\(other)")
      }
      let first = try state.directory(one.parent)
      let second = try state.directory(other.parent)
      guard let from = state.number(one) else { throw SimulatedDiskCore.State.missing(one) }
      guard let to = state.number(other) else { throw SimulatedDiskCore.State.missing(other) }
      let entries: [DiskImage.Entry] = [
        .init(directory: first, name: one.name, number: to),
        .init(directory: second, name: other.name, number: from),
      ]
      state.note(
        DiskOperation(
          kind: .exchange, path: other, from: one, change: .names(entries, durableWith: second)))
    }
  }

  func link(_ from: StorePath, to: StorePath) throws(HyperslabError) {
    let (from, to) = (full(from), full(to))
    try core.call(.link, to) { (state, _) throws(HyperslabError) in
      let target = try state.directory(to.parent)
      let number = try state.file(from)
      try state.checkFree(to)
      let entry = DiskImage.Entry(directory: target, name: to.name, number: number)
      state.note(
        DiskOperation(
          kind: .link, path: to, from: from, change: .names([entry], durableWith: target)))
    }
  }

  func remove(_ path: StorePath) throws(HyperslabError) {
    let path = full(path)
    try core.call(.remove, path) { (state, _) throws(HyperslabError) in
      _ = try state.file(path)
      try state.remove(.remove, path)
    }
  }

  func status(_ path: StorePath) throws(HyperslabError) -> FileStatus? {
    let path = full(path)
    return try core.call(.status, path) { (state, _) throws(HyperslabError) in
      guard let number = state.number(path) else { return nil }
      let file = state.image.files[number]
      // As old as can be: whatever age protects must be protected by something else, too.
      return FileStatus(
        kind: file == nil ? .directory : .file, byteCount: file?.bytes.count ?? 0, modified: 0)
    }
  }

  // MARK: - Directories

  func removeDirectory(_ path: StorePath) throws(HyperslabError) {
    let path = full(path)
    try core.call(.removeDirectory, path) { (state, _) throws(HyperslabError) in
      let number = try state.directory(path)
      guard state.image.directories[number]?.isEmpty == true else {
        throw HyperslabError(.alreadyExists, "not empty", at: "\(path)")
      }
      try state.remove(.removeDirectory, path)
    }
  }

  func makeDirectory(_ path: StorePath) throws(HyperslabError) -> Bool {
    let path = full(path)
    return try core.call(.makeDirectory, path) { (state, _) throws(HyperslabError) in
      if state.number(path) != nil { return false }
      _ = try state.make(.makeDirectory, path)
      return true
    }
  }

  func list(_ path: StorePath) throws(HyperslabError) -> [DirectoryEntry] {
    let path = full(path)
    return try core.call(.list, path) { (state, _) throws(HyperslabError) in
      let names = state.image.directories[try state.directory(path)] ?? [:]
      return names.sorted { $0.key < $1.key }.map { name, number in
        DirectoryEntry(name: name, kind: state.image.files[number] == nil ? .directory : .file)
      }
    }
  }

  func synchronizeDirectory(_ path: StorePath) throws(HyperslabError) {
    let path = full(path)
    try core.call(.synchronizeDirectory, path) { (state, _) throws(HyperslabError) in
      let number = try state.directory(path)
      state.note(
        DiskOperation(
          kind: .synchronizeDirectory, path: path, change: .synchronizedDirectory(number)))
    }
  }

  var mostSynchronizedApart: Int? { core.state.withLock { $0.mostSynchronizedApart } }

  func synchronizeAll() throws(HyperslabError) {
    try core.call(.synchronizeAll, home) { (state, fault) throws(HyperslabError) in
      if let fault {
        for (number, file) in state.image.files where file.isDirty {
          state.image.files[number]?.isLost = true
        }
        throw fault.error(home)
      }
      state.note(DiskOperation(kind: .synchronizeAll, path: home, change: .synchronizedAll))
    }
  }

  // MARK: - Locks

  func lock(_ path: StorePath, wait: Bool) throws(HyperslabError) -> (any FileLock)? {
    let path = full(path)
    while true {
      if let lock = try tryLock(path, wait: wait) { return lock }
      guard path == StoreLayout.lock, let waiting = core.waiting.withLock({ $0 }) else {
        return nil
      }
      waiting.wait {
        core.state.withLock { state in state.number(path).map { !state.locked.contains($0) } ?? true
        }
      }
    }
  }

  private func tryLock(
    _ path: StorePath, wait: Bool
  ) throws(HyperslabError) -> (any FileLock)? {
    try core.call(.lock, path) { (state, _) throws(HyperslabError) in
      let number: Int
      if state.number(path) == nil {
        number = try state.make(.create, path)
      } else {
        number = try state.file(path)
      }
      if state.locked.insert(number).inserted {
        state.openFiles += 1
        return SimulatedLock(core, number, path)
      }
      // One thread plays all writers, so nobody could ever release it.
      if wait { throw HyperslabError(.locked, "waiting for ever", at: "\(path)") }
      return nil
    }
  }
}
