import HyperslabCore
import SystemPackage

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// What an output's path leads to, links followed as the system follows them.
enum OutputTarget {
  /// A file that this process has open, such as `/dev/stdout`.
  case open(Int32)
  /// Something that is written into as it is: a device, a named pipe.
  case stream
  /// A file, which is replaced, or nothing yet.
  case file(FilePath, existing: ExistingFile?)

  /// What a file that replaces another one keeps of it.
  struct ExistingFile {
    let owner: uid_t
    let group: gid_t
    let mode: mode_t

    /// Gives a file the same, as far as allowed.
    func apply(to descriptor: FileDescriptor) {
      if fchown(descriptor.rawValue, owner, group) != 0 {
        _ = fchown(descriptor.rawValue, .max, group)
      }
      _ = fchmod(descriptor.rawValue, mode)
    }
  }

  /// - Throws: `io` for what cannot be written to; `invalid_value` for a place inside a store.
  init(_ path: FilePath) throws(HyperslabError) {
    if let descriptor = Self.descriptor(path) {
      self = .open(descriptor)
      return
    }
    var status = stat()
    let isThere = unsafe path.withPlatformString { unsafe stat($0, &status) } == 0
    if isThere, status.st_mode & S_IFMT == S_IFDIR {
      try Self.checkOutsideStores(try Self.target(path.appending("out")), path)
      throw HyperslabError(
        .fileAccess, "a directory, not a file", at: path.string,
        remedy: "Name a file in it, for example \(path.appending("out").string)")
    }
    if isThere, status.st_mode & S_IFMT != S_IFREG {
      self = .stream
      return
    }
    let target = try Self.target(path)
    try Self.checkOutsideStores(target, path)
    guard isThere else {
      self = .file(target, existing: nil)
      return
    }
    let canWrite =
      unsafe target.withPlatformString { unsafe faccessat(AT_FDCWD, $0, W_OK, AT_EACCESS) } == 0
    guard canWrite else {
      throw HyperslabError(
        .fileAccess, "is there and must not be written to", at: path.string,
        remedy: "Choose another name, or allow it (chmod u+w)", cause: Errno(rawValue: errno))
    }
    self = .file(
      target,
      existing: ExistingFile(
        owner: status.st_uid, group: status.st_gid, mode: status.st_mode & 0o777))
  }

  /// The number in `/dev/fd/1` and what means the same: opened anew, a file would be overwritten from its
  /// start instead of continued.
  private static func descriptor(_ path: FilePath) -> Int32? {
    switch path.string {
    case "/dev/stdout": return 1
    case "/dev/stderr": return 2
    case let text:
      for prefix in ["/dev/fd/", "/proc/self/fd/"] where text.hasPrefix(prefix) {
        return Int32(text.dropFirst(prefix.utf8.count))
      }
      return nil
    }
  }

  /// The name that the last of a chain of links stands for, which need not be there yet.
  private static func target(_ path: FilePath) throws(HyperslabError) -> FilePath {
    var path = path
    for _ in 0..<40 {
      guard let next = linkTarget(path) else { return path }
      path = next.isAbsolute ? next : path.removingLastComponent().appending(next.components)
    }
    throw HyperslabError(
      .fileAccess, "a link that leads to itself", at: path.string,
      cause: Errno.tooManySymbolicLinkLevels)
  }

  private static func linkTarget(_ path: FilePath) -> FilePath? {
    var bytes = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
    let count = unsafe path.withPlatformString { unsafe readlink($0, &bytes, bytes.count - 1) }
    if count <= 0 { return nil }
    return FilePath(platformString: bytes)
  }

  /// A file of ours among a store's own would be damage to it, and may take a node's name.
  private static func checkOutsideStores(
    _ target: FilePath, _ path: FilePath
  ) throws(HyperslabError) {
    let parent = target.removingLastComponent()
    guard let store = StoreSearch.enclosingStore(of: parent.isEmpty ? "." : parent) else { return }
    let name = target.lastComponent?.string ?? "out"
    throw HyperslabError(
      .invalidValue, "nothing but its own files is written into a store", at: path.string,
      expected: "a place outside \(store.string)",
      remedy: "Write it beside the store: "
        + store.removingLastComponent().appending(name).string)
  }
}
