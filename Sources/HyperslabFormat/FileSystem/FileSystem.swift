import HyperslabCodecs
package import HyperslabCore

/// What a name in a directory stands for; links are never followed.
package enum FileKind: Sendable { case file, directory, other }

/// A name in a directory.
package struct DirectoryEntry: Sendable {
  package let name: String
  package let kind: FileKind
}

/// What is known of a file without opening it.
package struct FileStatus: Sendable {
  package let kind: FileKind
  package let byteCount: Int
  /// When its contents changed, in seconds since 1970.
  package let modified: Int
  /// When anything about it changed, which nobody can set back, in seconds since 1970.
  package var changed = 0
}

/// An open file. Closed explicitly by a writer, who must know of errors, or when released.
package protocol FileHandle: AnyObject, Sendable {
  /// Its size when opened.
  var byteCount: Int { get }
  /// Reads up to the memory's size; returns less only at the end of the file.
  func read(at offset: Int, into memory: UnsafeMutableRawBufferPointer) throws(HyperslabError)
    -> Int
  /// Writes all of the bytes, anywhere in the file.
  func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(HyperslabError)
  /// Makes the contents permanent. After a failure nothing is known; never try twice.
  func synchronize() throws(HyperslabError)
  /// Lets the system begin to make the contents permanent; a wish.
  func beginSynchronizing()
  func close() throws(HyperslabError)
}

/// An advisory lock, held until released or the process ends.
package protocol FileLock: AnyObject, Sendable {
  func release()
  /// Replaces what the locked file says, for people who wonder who holds it; best effort.
  func describe(_ text: String)
}

/// The file operations below a store's root: the seam for fault injection and other disks.
///
/// Paths are resolved without following links; whatever is not a regular file is refused with
/// `foreign`, whatever is not there with `missing`.
package protocol FileSystem: Sendable {
  /// Where the root is, for messages.
  var rootDescription: String { get }
  func open(_ path: StorePath) throws(HyperslabError) -> any FileHandle
  /// Creates a file that must not be there yet.
  func create(_ path: StorePath) throws(HyperslabError) -> any FileHandle
  /// Renames, replacing a file that is there.
  func rename(_ from: StorePath, to: StorePath) throws(HyperslabError)
  /// Renames a file where nothing stands; `alreadyExists` where something does.
  func renameExclusively(_ from: StorePath, to: StorePath) throws(HyperslabError)
  /// Lets two names change places in one step; `unsupported` where the disk cannot do that.
  func exchange(_ one: StorePath, with other: StorePath) throws(HyperslabError)
  /// Gives a file a second name that must not be there yet.
  func link(_ from: StorePath, to: StorePath) throws(HyperslabError)
  func remove(_ path: StorePath) throws(HyperslabError)
  func removeDirectory(_ path: StorePath) throws(HyperslabError)
  /// Creates one directory; false when it was there.
  func makeDirectory(_ path: StorePath) throws(HyperslabError) -> Bool
  func list(_ path: StorePath) throws(HyperslabError) -> [DirectoryEntry]
  /// Makes a directory's names permanent.
  func synchronizeDirectory(_ path: StorePath) throws(HyperslabError)
  /// Above how many files or directories one ``synchronizeAll()`` is better than a call each; nil where
  /// there is no such call, or none that tells of every failure.
  var mostSynchronizedApart: Int? { get }
  /// Makes everything written so far permanent, contents and names, by whomever. A failure may be of
  /// any file since the file system was opened; never try twice.
  func synchronizeAll() throws(HyperslabError)
  /// Nil when nothing is there.
  func status(_ path: StorePath) throws(HyperslabError) -> FileStatus?
  /// The same in fewer calls, and perhaps of what lies behind a link; for a guess at what to look into.
  func glance(_ path: StorePath) throws(HyperslabError) -> FileStatus?
  /// Takes an exclusive lock on a file, created if missing; nil when `wait` is false and it is held.
  func lock(_ path: StorePath, wait: Bool) throws(HyperslabError) -> (any FileLock)?
}

extension FileHandle {
  package func beginSynchronizing() {}
}

extension FileSystem {
  package func renameExclusively(_ from: StorePath, to: StorePath) throws(HyperslabError) {
    if try status(to) != nil {
      throw HyperslabError(.alreadyExists, "something stands in its place", at: "\(to)")
    }
    try rename(from, to: to)
  }

  package func exchange(_ one: StorePath, with other: StorePath) throws(HyperslabError) {
    throw HyperslabError(.unsupported, "this disk cannot exchange two names", at: "\(other)")
  }

  package func glance(_ path: StorePath) throws(HyperslabError) -> FileStatus? { try status(path) }

  package var mostSynchronizedApart: Int? { nil }

  package func synchronizeAll() throws(HyperslabError) {
    throw HyperslabError(.unsupported, "this disk is not made permanent as a whole")
  }

  /// Whether so many files or directories are made permanent together.
  func synchronizesTogether(_ count: Int) -> Bool {
    mostSynchronizedApart.map { count > $0 } ?? false
  }

  /// The whole of a file, refusing more than `limit` bytes.
  package func contents(_ path: StorePath, limit: Int) throws(HyperslabError) -> [UInt8] {
    let file = try open(path)
    guard file.byteCount <= limit else {
      throw HyperslabError(
        .limit, "a file of \(file.byteCount) bytes", at: "\(path)", expected: "at most \(limit)")
    }
    // An array of Swift's ends the process where the system gives no memory: this asks for as much before.
    _ = try ElementBuffer(allocating: file.byteCount)
    var bytes = [UInt8](repeating: 0, count: file.byteCount)
    let result = unsafe bytes.withUnsafeMutableBytes { memory -> Result<Int, HyperslabError> in
      do throws(HyperslabError) { return unsafe .success(try file.read(at: 0, into: memory)) } catch
      {
        return .failure(error)
      }
    }
    guard try result.get() == bytes.count else {
      throw HyperslabError(.torn, "the file shrank while it was read", at: "\(path)")
    }
    return bytes
  }

  /// Creates a file with the given contents.
  package func create(
    _ path: StorePath, contents: [UInt8], synchronize: Bool
  ) throws(HyperslabError) {
    let file = try create(path)
    let result = unsafe contents.withUnsafeBytes { bytes -> Result<Void, HyperslabError> in
      do throws(HyperslabError) { return unsafe .success(try file.write(bytes, at: 0)) } catch {
        return .failure(error)
      }
    }
    try result.get()
    if synchronize { try file.synchronize() }
    try file.close()
  }

  /// Creates a directory and those above it; the directories that got a new name.
  package func makeDirectories(_ path: StorePath) throws(HyperslabError) -> Set<StorePath> {
    if path.isRoot { return [] }
    // Mostly it is there, or what it goes into is: one call tells both.
    do { return try makeDirectory(path) ? [path.parent] : [] } catch {
      guard error.code == .missing else { throw error }
    }
    var changed = try makeDirectories(path.parent)
    if try makeDirectory(path) { changed.insert(path.parent) }
    return changed
  }

  /// Removes a file, a directory with all it holds, or nothing, following no links.
  package func removeTree(_ path: StorePath) throws(HyperslabError) {
    guard let status = try status(path) else { return }
    guard status.kind == .directory else { return try remove(path) }
    // Deeper than anything that a store makes, and than a call stack should go.
    guard path.depth <= 1024 else {
      throw HyperslabError(.limit, "directories nested too deep", at: "\(path)")
    }
    for entry in try list(path) { try removeTree(path / entry.name) }
    try removeDirectory(path)
  }
}
