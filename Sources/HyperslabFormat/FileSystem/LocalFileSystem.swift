import CPlatform
package import HyperslabCore
import Synchronization
package import SystemPackage

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// A directory of the local disk. Every component below it is opened relative to its parent and
/// without following links, so that nothing in a store can point out of it, unless a reader wants that.
///
/// What is made in a store is open to whom its `slab.json` is; see ``Sharing``.
package final class LocalFileSystem: FileSystem {
  /// Opened before anything is written, so that ``synchronizeAll()`` hears of every failed write.
  let root: Int32
  private let canSynchronizeAll: Bool
  private let resolvesByComponents: Bool
  private let followsLinks: Bool
  private let sharing = Mutex<Sharing?>(nil)
  package let rootDescription: String

  /// Opens the directory.
  ///
  /// - Parameters:
  ///   - byComponents: Whether to do without the call that resolves a path as a whole.
  ///   - followsLinks: Whether to read through symbolic links, wherever they point; for reading only.
  /// - Throws: `not_found` when there is none.
  package init(
    root path: FilePath, resolvingByComponents byComponents: Bool = false,
    followingLinks followsLinks: Bool = false
  ) throws(HyperslabError) {
    resolvesByComponents = byComponents || followsLinks
    self.followsLinks = followsLinks
    rootDescription = path.string
    let root = unsafe path.withPlatformString { unsafe openDirectory(AT_FDCWD, $0, O_CLOEXEC) }
    self.root = root
    guard root >= 0 else {
      throw systemError("cannot be opened as a directory", path.string, .notFound)
    }
    canSynchronizeAll = hyperslab_can_synchronize_file_system(root) != 0
    lookAtSharing()
  }

  /// Whom what is made from now on is for.
  private func lookAtSharing() {
    let found = Sharing(of: root, StoreLayout.index.name)
    sharing.withLock { $0 = found }
  }

  deinit { close(root) }

  package func open(_ path: StorePath) throws(HyperslabError) -> any FileHandle {
    let descriptor = try openFile(path, "cannot be opened", O_RDONLY | O_NONBLOCK)
    let status = try regularFile(descriptor, path)
    return LocalFile(descriptor, byteCount: Int(status.st_size), path, below: rootDescription)
  }

  package func create(_ path: StorePath) throws(HyperslabError) -> any FileHandle {
    let descriptor = try openFile(path, "cannot be created", O_RDWR | O_CREAT | O_EXCL)
    sharing.withLock { $0 }?.apply(toFile: descriptor)
    return LocalFile(descriptor, byteCount: 0, path, below: rootDescription)
  }

  package func rename(_ from: StorePath, to: StorePath) throws(HyperslabError) {
    let target = try directory(to.parent)
    defer { close(target) }
    let source = try directory(from.parent)
    defer { close(source) }
    while unsafe renameat(source, from.name, target, to.name) != 0 {
      switch errno {
      case EINTR: continue
      case ENOTDIR, EISDIR: throw obstructed(to)
      default: throw systemError("cannot be renamed to \(to)", place(from))
      }
    }
  }

  package func renameExclusively(_ from: StorePath, to: StorePath) throws(HyperslabError) {
    let target = try directory(to.parent)
    defer { close(target) }
    let source = try directory(from.parent)
    let result = unsafe from.name.withCString { name in
      unsafe to.name.withCString { unsafe hyperslab_rename_exclusive_at(source, name, target, $0) }
    }
    let error = errno
    close(source)
    errno = error
    if result == 0 { return }
    guard [ENOSYS, EINVAL, ENOTSUP, EPERM].contains(error) else {
      throw systemError("cannot be renamed to \(to)", place(from))
    }
    // Some disks cannot; what comes between the two calls is replaced.
    if try status(to) != nil {
      throw HyperslabError(.alreadyExists, "something stands in its place", at: place(to))
    }
    try rename(from, to: to)
  }

  package func exchange(_ one: StorePath, with other: StorePath) throws(HyperslabError) {
    let target = try directory(other.parent)
    defer { close(target) }
    let source = try directory(one.parent)
    defer { close(source) }
    let result = unsafe one.name.withCString { name in
      unsafe other.name.withCString { unsafe hyperslab_exchange(source, name, target, $0) }
    }
    if result == 0 { return }
    // Sandboxes answer EPERM to calls that they do not know; so do disks for what only they forbid,
    // and renaming one after the other then tells that.
    if [ENOSYS, EINVAL, ENOTSUP, EPERM].contains(errno) {
      throw HyperslabError(.unsupported, "this disk cannot exchange two names", at: place(other))
    }
    throw systemError("cannot change places with \(one)", place(other))
  }

  package func link(_ from: StorePath, to: StorePath) throws(HyperslabError) {
    let target = try directory(to.parent)
    defer { close(target) }
    _ = try unsafe inDirectory(from, "cannot be linked as \(to)") { directory, name in
      unsafe to.name.withCString { unsafe linkat(directory, name, target, $0, 0) }
    }
  }

  package func remove(_ path: StorePath) throws(HyperslabError) {
    _ = try unsafe inDirectory(path, "cannot be removed") { unsafe unlinkat($0, $1, 0) }
  }

  package func removeDirectory(_ path: StorePath) throws(HyperslabError) {
    _ = try unsafe inDirectory(path, "cannot be removed") { unsafe unlinkat($0, $1, AT_REMOVEDIR) }
  }

  package func makeDirectory(_ path: StorePath) throws(HyperslabError) -> Bool {
    let parent = try directory(path.parent)
    defer { close(parent) }
    if unsafe mkdirat(parent, path.name, 0o777) == 0 {
      sharing.withLock { $0 }?.apply(toDirectory: path.name, in: parent)
      return true
    }
    if errno == EEXIST { return false }
    throw systemError("cannot be created", place(path))
  }

  package func list(_ path: StorePath) throws(HyperslabError) -> [DirectoryEntry] {
    let descriptor = try directory(path)
    guard let stream = unsafe fdopendir(descriptor) else {
      close(descriptor)
      throw systemError("cannot be listed", place(path))
    }
    defer { unsafe closedir(stream) }
    var entries: [DirectoryEntry] = []
    while true {
      errno = 0
      guard let entry = unsafe readdir(stream) else {
        if errno == 0 { return entries }
        throw systemError("cannot be listed", place(path))
      }
      let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) {
        unsafe $0.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
      }
      if name == "." || name == ".." { continue }
      entries.append(DirectoryEntry(name: name, kind: kind(of: name, in: descriptor)))
    }
  }

  /// Measured on ext4: 40 directories one by one take 10 ms, all at once 1 to 2.
  package var mostSynchronizedApart: Int? { canSynchronizeAll ? 16 : nil }

  package func synchronizeAll() throws(HyperslabError) {
    guard hyperslab_synchronize_file_system(root) == 0 else {
      throw systemError("cannot be made permanent", rootDescription)
    }
  }

  package func synchronizeDirectory(_ path: StorePath) throws(HyperslabError) {
    let descriptor = try directory(path)
    defer { close(descriptor) }
    try flush(descriptor, place(path))
  }

  package func status(_ path: StorePath) throws(HyperslabError) -> FileStatus? {
    do throws(HyperslabError) {
      var status = stat()
      var leadsUp = false
      _ = try unsafe inDirectory(path, "cannot be examined") { directory, name in
        let result = unsafe fstatat(directory, name, &status, linkFlag)
        leadsUp = unsafe result == 0 && self.leadsUp(name, status, in: directory)
        return result
      }
      return FileStatus(status, kind: leadsUp ? .other : FileKind(status.st_mode))
    } catch {
      if error.code == .missing { return nil }
      throw error
    }
  }

  package func glance(_ path: StorePath) throws(HyperslabError) -> FileStatus? {
    var status = stat()
    if unsafe fstatat(root, path.isRoot ? "." : path.description, &status, AT_SYMLINK_NOFOLLOW) == 0
    {
      return FileStatus(status)
    }
    return try self.status(path)
  }

  package func lock(_ path: StorePath, wait: Bool) throws(HyperslabError) -> (any FileLock)? {
    while true {
      let descriptor = try openLockFile(path)
      let status = try regularFile(descriptor, path)
      while flock(descriptor, wait ? LOCK_EX : LOCK_EX | LOCK_NB) != 0 {
        let error = errno
        if error == EINTR { continue }
        close(descriptor)
        if error == EWOULDBLOCK { return nil }
        errno = error
        throw systemError("cannot be locked", place(path))
      }
      // Another program may have put another file in its place meanwhile, which others lock.
      do throws(HyperslabError) {
        if try !isNamed(status, path) {
          close(descriptor)
          continue
        }
      } catch {
        close(descriptor)
        throw error
      }
      // Who holds it may be about to replace `slab.json`, which somebody may have opened to others.
      lookAtSharing()
      return LocalLock(descriptor: descriptor)
    }
  }

  /// The status of an open file; closes it where that cannot be had, and where it is another kind of file.
  private func regularFile(
    _ descriptor: Int32, _ path: StorePath
  ) throws(HyperslabError) -> stat {
    var status = stat()
    let isKnown = unsafe fstat(descriptor, &status) == 0
    if isKnown, status.st_mode & S_IFMT == S_IFREG { return status }
    let error = isKnown ? nil : systemError("cannot be examined", place(path))
    close(descriptor)
    throw error ?? HyperslabError(.foreign, "not a regular file", at: place(path))
  }

  private func isNamed(_ file: stat, _ path: StorePath) throws(HyperslabError) -> Bool {
    let descriptor: Int32
    do { descriptor = try openFile(path, "cannot be locked", O_RDWR | O_NONBLOCK) } catch {
      if error.code == .missing { return false }
      throw error
    }
    defer { close(descriptor) }
    var now = stat()
    return unsafe fstat(descriptor, &now) == 0 && now.st_ino == file.st_ino
      && now.st_dev == file.st_dev
  }

  private func openLockFile(_ path: StorePath) throws(HyperslabError) -> Int32 {
    do { return try openFile(path, "cannot be locked", O_RDWR | O_NONBLOCK) } catch {
      guard error.code == .missing else { throw error }
    }
    let made = try openFile(path, "cannot be locked", O_RDWR | O_CREAT | O_NONBLOCK)
    sharing.withLock { $0 }?.apply(toFile: made)
    return made
  }

  // MARK: - Resolving

  func place(_ path: StorePath) -> String { path.description(below: rootDescription) }

  var linkFlag: Int32 { followsLinks ? 0 : AT_SYMLINK_NOFOLLOW }

  /// Opens or creates a file.
  private func openFile(
    _ path: StorePath, _ what: String, _ flags: Int32
  ) throws(HyperslabError) -> Int32 {
    let flags = flags | (followsLinks ? 0 : O_NOFOLLOW) | O_CLOEXEC
    if let descriptor = openBeneath(path, flags) {
      if descriptor < 0 { throw failure(what, path) }
      return descriptor
    }
    return try unsafe inDirectory(path, what) { directory, name in
      let descriptor = unsafe openat(directory, name, flags, 0o666)
      if descriptor < 0, followsLinks { unsafe tellDanglingLink(name, in: directory) }
      return descriptor
    }
  }

  /// Opens what lies at a path in one call, -1 with `errno` set if that fails; nil where the system
  /// has no call that follows no links.
  private func openBeneath(_ path: StorePath, _ flags: Int32) -> Int32? {
    if resolvesByComponents { return nil }
    let name = path.isRoot ? "." : path.description
    while true {
      let descriptor = unsafe hyperslab_open_beneath(root, name, flags, 0o666)
      if descriptor >= 0 { return descriptor }
      switch errno {
      case EINTR, EAGAIN: continue
      // Sandboxes answer EPERM to calls that they do not know.
      case ENOSYS, EPERM: return nil
      default: return descriptor
      }
    }
  }

  /// Opens a directory.
  private func directory(_ path: StorePath) throws(HyperslabError) -> Int32 {
    if let descriptor = openBeneath(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) {
      if descriptor >= 0 { return descriptor }
      throw failure("cannot be opened as a directory", path)
    }
    return try directoryByComponents(path)
  }

  private func directoryByComponents(_ path: StorePath) throws(HyperslabError) -> Int32 {
    var descriptor = unsafe openDirectory(root, ".", O_CLOEXEC)
    for component in path.components {
      guard descriptor >= 0 else { break }
      let next = unsafe openDirectory(
        descriptor, component, (followsLinks ? 0 : O_NOFOLLOW) | O_CLOEXEC)
      // A link is no directory, says the call; that it is one is the better answer.
      if next < 0, errno == ENOTDIR, !followsLinks, unsafe isLink(component, in: descriptor) {
        errno = ELOOP
      }
      let error = errno
      close(descriptor)
      errno = error
      descriptor = next
    }
    guard descriptor >= 0 else { throw failure("cannot be opened as a directory", path) }
    return descriptor
  }

  /// Runs a system call on a name in its directory; a negative result is an error.
  private func inDirectory(
    _ path: StorePath, _ what: String, _ call: (Int32, UnsafePointer<CChar>) -> Int32
  ) throws(HyperslabError) -> Int32 {
    let directory = try directory(path.parent)
    defer { close(directory) }
    while true {
      // The root is in no directory but itself.
      let name = path.isRoot ? "." : path.name
      let result = unsafe name.withCString { unsafe call(directory, $0) }
      if result >= 0 { return result }
      if errno != EINTR { throw failure(what, path) }
    }
  }

  private func kind(of name: String, in directory: Int32) -> FileKind {
    var status = stat()
    guard unsafe fstatat(directory, name, &status, linkFlag) == 0 else { return .other }
    return unsafe leadsUp(name, status, in: directory) ? .other : FileKind(status.st_mode)
  }

  /// Whether a name is a link to the directory that it is in, or to one above: who follows it never ends.
  private func leadsUp(
    _ name: UnsafePointer<CChar>, _ target: stat, in directory: Int32
  ) -> Bool {
    guard followsLinks, FileKind(target.st_mode) == .directory, unsafe isLink(name, in: directory)
    else {
      return false
    }
    var current = dup(directory)
    defer { close(current) }
    var last = stat()
    while true {
      var status = stat()
      guard current >= 0, unsafe fstat(current, &status) == 0 else { return true }
      if status.st_dev == target.st_dev, status.st_ino == target.st_ino { return true }
      if status.st_dev == last.st_dev, status.st_ino == last.st_ino { return false }
      last = status
      let above = unsafe openat(current, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
      close(current)
      current = above
    }
  }

  private func isLink(_ name: UnsafePointer<CChar>, in directory: Int32) -> Bool {
    var status = stat()
    return unsafe fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) == 0
      && status.st_mode & S_IFMT == S_IFLNK
  }

  /// Makes `errno` say it where a link is there and what it points to is not.
  private func tellDanglingLink(_ name: UnsafePointer<CChar>, in directory: Int32) {
    guard errno == ENOENT else { return }
    errno = unsafe isLink(name, in: directory) ? ENXIO : ENOENT
  }
}

extension FileStatus {
  fileprivate init(_ status: stat, kind: FileKind? = nil) {
    #if os(Linux)
      let (modified, changed) = (status.st_mtim.tv_sec, status.st_ctim.tv_sec)
    #else
      let (modified, changed) = (status.st_mtimespec.tv_sec, status.st_ctimespec.tv_sec)
    #endif
    self.init(
      kind: kind ?? FileKind(status.st_mode), byteCount: Int(status.st_size), modified: modified,
      changed: changed)
  }
}

extension FileKind {
  init(_ mode: mode_t) {
    self =
      switch mode & S_IFMT {
      case S_IFREG: .file
      case S_IFDIR: .directory
      default: .other
      }
  }
}

private func openDirectory(_ directory: Int32, _ name: UnsafePointer<CChar>, _ flags: Int32)
  -> Int32
{
  unsafe openat(directory, name, O_RDONLY | O_DIRECTORY | flags)
}
