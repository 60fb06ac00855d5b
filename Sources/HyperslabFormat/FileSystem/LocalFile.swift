import CPlatform
import HyperslabCore
import Synchronization
import SystemPackage

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// A lock on a file of the local disk, held by an open description of it.
final class LocalLock: FileLock {
  private let descriptor: Int32
  private let isDescribed = Atomic<Bool>(false)
  init(descriptor: Int32) { self.descriptor = descriptor }
  /// Closing the last descriptor of an open file releases its lock.
  deinit { close(descriptor) }
  func release() {
    if isDescribed.load(ordering: .relaxed) { _ = ftruncate(descriptor, 0) }
    flock(descriptor, LOCK_UN)
  }
  func describe(_ text: String) {
    isDescribed.store(true, ordering: .relaxed)
    let bytes = Array(text.utf8)
    guard ftruncate(descriptor, 0) == 0 else { return }
    _ = unsafe pwrite(descriptor, bytes, bytes.count, 0)
  }
}

/// An open file of the local disk.
final class LocalFile: FileHandle, @unchecked Sendable {
  // Reads are positioned and writes come from one owner at a time, who is also who counts them;
  // `isOpen` changes only in close.
  private let descriptor: Int32
  private let path: StorePath
  private let rootDescription: String
  private var isOpen = true
  private var writtenByteCount = 0
  let byteCount: Int

  init(_ descriptor: Int32, byteCount: Int, _ path: StorePath, below rootDescription: String) {
    self.descriptor = descriptor
    self.byteCount = byteCount
    self.path = path
    self.rootDescription = rootDescription
  }

  /// For messages.
  private var place: String { path.description(below: rootDescription) }

  deinit { if isOpen { closeDescriptor(descriptor) } }

  func read(
    at offset: Int, into memory: UnsafeMutableRawBufferPointer
  ) throws(HyperslabError) -> Int {
    guard let base = memory.baseAddress else { return 0 }
    let done = transferAll(memory.count) { done in
      unsafe pread(descriptor, base + done, memory.count - done, off_t(offset + done))
    }
    guard let done else { throw systemError("cannot be read", place) }
    return done
  }

  func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(HyperslabError) {
    guard let base = bytes.baseAddress else { return }
    let done = transferAll(bytes.count) { done in
      unsafe pwrite(descriptor, base + done, bytes.count - done, off_t(offset + done))
    }
    guard let done else { throw systemError("cannot be written", place) }
    writtenByteCount += done
    guard done == bytes.count else {
      throw HyperslabError(
        .io, "takes no more bytes", at: place, expected: "\(bytes.count)", found: "\(done)")
    }
  }

  func synchronize() throws(HyperslabError) { try flush(descriptor, place) }

  private static let smallestBegunByteCount = 1 << 17

  /// Only for a file of some size: for thousands of small ones the calls cost more than waiting for all.
  func beginSynchronizing() {
    if writtenByteCount >= Self.smallestBegunByteCount { hyperslab_begin_writing(descriptor) }
  }

  func close() throws(HyperslabError) {
    guard isOpen else { return }
    isOpen = false
    // After EINTR the descriptor is gone on Linux; a second close could hit somebody else's file.
    if closeDescriptor(descriptor) != 0, errno != EINTR {
      throw systemError("cannot be closed", place)
    }
  }
}

/// `close` under a name that a method of that name does not hide.
@discardableResult
private func closeDescriptor(_ descriptor: Int32) -> Int32 { close(descriptor) }

/// The current `errno` as an error with a code that callers can act on.
func systemError(
  _ what: @autoclosure () -> String, _ place: @autoclosure () -> String,
  _ missing: HyperslabError.Code = .missing
) -> HyperslabError {
  // Before anything is allocated for a message, which may leave another number where memory is short.
  let error = Errno(rawValue: errno)
  let (what, place) = (what(), place())
  if let explained = linkError(error, place) { return explained }
  let code: HyperslabError.Code =
    switch error {
    case .noSuchFileOrDirectory: missing
    case .notDirectory, .isDirectory: .foreign
    case .noSpace, .diskQuotaExceeded: .noSpace
    case .fileExists, .directoryNotEmpty: .alreadyExists
    default: .io
    }
  let remedy: String? =
    switch error {
    case .tooManyOpenFiles, .tooManyOpenFilesInSystem:
      "Allow more open files, as with ulimit -n 256"
    case .permissionDenied:
      "Whoever owns the store can share it with its group: chmod -R g+rX, for writing g+rwX"
    case .notPermitted:
      "In a directory with the sticky bit only a file's owner removes or renames it: let the owner do "
        + "it, or take the bit off (chmod -R -t); where a file is immutable, chattr -i"
    case .noSpace, .diskQuotaExceeded:
      "Free space elsewhere on that disk, then try again; removing from a store, too, needs some "
        + "kilobytes first"
    case .fileTooLarge:
      "Allow larger files, as with ulimit -f unlimited, or use a disk that takes them"
    default: nil
    }
  return HyperslabError(code, what, at: place, remedy: remedy, cause: error)
}

/// What to say of links in a store: to something, or to nothing.
private func linkError(_ error: Errno, _ place: String) -> HyperslabError? {
  switch error {
  case .tooManySymbolicLinkLevels:
    HyperslabError(
      .foreign, "a symbolic link, or behind one, as git-annex and DataLad make them", at: place,
      expected: "files of the store's own",
      remedy: "Open the store for reading with followingLinks: true; to write, put the files "
        + "themselves there (git annex unlock)",
      cause: error)
  case .noSuchAddressOrDevice:
    HyperslabError(
      .foreign, "neither a file nor a link to one that is there", at: place,
      remedy: "Where git-annex or DataLad keeps the contents, fetch them (datalad get)",
      cause: error)
  default: nil
  }
}

/// Makes a descriptor's contents permanent; on Apple's systems through the drive's own cache.
func flush(_ descriptor: Int32, _ place: @autoclosure () -> String) throws(HyperslabError) {
  #if canImport(Darwin)
    if fcntl(descriptor, F_FULLFSYNC) == 0 { return }
  #endif
  guard fsync(descriptor) == 0 else { throw systemError("cannot be made permanent", place()) }
}
