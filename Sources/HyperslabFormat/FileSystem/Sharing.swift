#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Whom a store is for, by its `slab.json`: everything that is made in it can be read and written by the
/// same group and others, whatever the maker's umask, and where the system allows it is the same
/// group's. So one member of a group never locks out the rest.
///
/// To share a store: `chmod -R g+rwX store`. To have its group kept where members belong to several:
/// `chgrp -R lab store`, and `chmod g+s` on its directories.
struct Sharing: Hashable {
  private let owner: uid_t
  private let group: gid_t
  /// What group and others may do with files; nobody runs them.
  private let bits: mode_t

  /// What a file says; nil where it is not there, or no file.
  init?(of directory: Int32, _ name: String) {
    var status = stat()
    guard unsafe fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) == 0,
      status.st_mode & S_IFMT == S_IFREG
    else { return nil }
    owner = status.st_uid
    group = status.st_gid
    bits = status.st_mode & 0o066
  }

  /// Opens a file to the same people. What is not allowed is left as it is.
  func apply(toFile descriptor: Int32) {
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0, mayChange(status) else { return }
    let isGiven = !isForeign(status) || fchown(descriptor, newOwner, group) == 0
    let mode = status.st_mode & 0o7711 | (isGiven ? bits : bitsOfAll)
    // A change of owner may take bits away.
    if mode != status.st_mode & 0o7777 { _ = fchmod(descriptor, mode) }
  }

  /// The same for a directory: who can read can look names up.
  func apply(toDirectory name: String, in parent: Int32) {
    var status = stat()
    guard unsafe fstatat(parent, name, &status, AT_SYMLINK_NOFOLLOW) == 0, mayChange(status),
      status.st_mode & S_IFMT == S_IFDIR
    else { return }
    let isGiven =
      unsafe !isForeign(status) || fchownat(parent, name, newOwner, group, AT_SYMLINK_NOFOLLOW) == 0
    let bits = isGiven ? bits : bitsOfAll
    let mode = status.st_mode & 0o7700 | bits | (bits & 0o044) >> 2
    if mode != status.st_mode & 0o7777 { _ = unsafe fchmodat(parent, name, mode, 0) }
  }

  /// What everybody may do, for whom another group's members are.
  private var bitsOfAll: mode_t { (bits & 0o006) << 3 | bits & 0o006 }

  private func mayChange(_ status: stat) -> Bool { status.st_uid == geteuid() || geteuid() == 0 }

  private func isForeign(_ status: stat) -> Bool {
    status.st_gid != group || newOwner != uid_t.max && status.st_uid != owner
  }

  /// Only root may give files away, and must: what it leaves in a user's store is the user's.
  private var newOwner: uid_t { geteuid() == 0 ? owner : .max }
}
