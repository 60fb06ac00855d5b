import HyperslabCore

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

// Something that is not the store's, under a name that the store needs.

extension LocalFileSystem {
  /// What `errno` says of a path: where a file stands for a directory, or the reverse, of what that is.
  func failure(_ what: String, _ path: StorePath) -> HyperslabError {
    let error = errno
    if error == ENOTDIR || error == EISDIR { return obstructed(path) }
    return systemError(what, place(path))
  }

  /// Names the first on a path that is not what it has to be.
  func obstructed(_ path: StorePath) -> HyperslabError {
    let isThrough = { (above: StorePath) in self.kind(of: above) == .directory }
    let obstacle = path.ancestors.dropFirst().first { !isThrough($0) } ?? path
    let kind = kind(of: obstacle)
    let found: String? =
      switch kind {
      case .file: "a file"
      case .directory: "a directory"
      case .other: "neither a file nor a directory"
      case nil: nil
      }
    return HyperslabError(
      .foreign, "something is in the way that is not the store's", at: place(obstacle),
      expected: kind == .directory ? "a file, or nothing" : "a directory, or nothing",
      found: found, remedy: "Move it elsewhere, and try again")
  }

  /// What has a name; nil where nothing does. For messages: links on the way are followed.
  private func kind(of path: StorePath) -> FileKind? {
    var status = stat()
    guard unsafe fstatat(root, path.description, &status, linkFlag) == 0 else { return nil }
    return FileKind(status.st_mode)
  }
}
