import CPlatform
import HyperslabCore
import SystemPackage

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Making a store: built whole beside its place, made permanent, and moved in under its name. In an empty
/// directory that is there, whose mode, owner or mount somebody chose, it is built in place, and is none
/// until its index takes its name; both times one of many that create it at once is the one who did.
enum StoreCreation {
  /// Creates an empty store, and the directories above it that are missing.
  ///
  /// - Throws: `already_exists`; with `overwrite` only where something that is no store stands.
  static func create(
    at path: FilePath, durability: Durability, overwrite: Bool
  ) throws(HyperslabError) {
    if let found = try entries(of: path) {
      if found.isEmpty || isUnfinished(path, found) {
        return try fillInPlace(path, durability: durability)
      }
      try checkReplaceable(path, found, overwrite: overwrite)
    }
    guard let name = path.lastComponent, name.kind == .regular else {
      throw HyperslabError(
        .invalidName, "a store needs a name", at: path.string,
        remedy: "End the path in one, such as recording.slab")
    }
    let parentPath = path.removingLastComponent()
    try makeDirectories(parentPath.isEmpty ? "." : parentPath, durability: durability)
    let parent = try LocalFileSystem(root: parentPath.isEmpty ? "." : parentPath)
    let target = StorePath(name.string)
    let isThere = try parent.status(target) != nil
    let identifier = StoreLayout.newIdentifier()
    let temporary = StorePath("\(name.string).tmp-\(identifier)")
    do throws(HyperslabError) { _ = try parent.makeDirectory(temporary) } catch {
      throw HyperslabError(
        error.code, "a store cannot be made here", at: path.string,
        remedy: "Choose a place where you may and can write", cause: error.cause)
    }
    let temporaryPath = parentPath.appending("\(name.string).tmp-\(identifier)")
    do throws(HyperslabError) {
      try fill(try LocalFileSystem(root: temporaryPath), durability: durability)
      if isThere, overwrite {
        let old = StorePath("\(name.string).old-\(identifier)")
        try parent.rename(target, to: old)
        do throws(HyperslabError) { try rename(temporaryPath, to: path) } catch {
          try? parent.rename(old, to: target)
          throw error
        }
        // The old one must not come back half removed.
        if durability == .full { try parent.synchronizeDirectory(.root) }
        try parent.removeTree(old)
      } else {
        try rename(temporaryPath, to: path)
      }
    } catch {
      try? parent.removeTree(temporary)
      throw error
    }
    if durability == .full { try parent.synchronizeDirectory(.root) }
  }

  /// Whether a directory holds a store, or the link to one's index.
  static func holdsStore(_ path: FilePath) -> Bool {
    var status = stat()
    return unsafe path.appending(StoreLayout.index.name).withPlatformString {
      unsafe lstat($0, &status)
    } == 0
  }

  /// Makes a directory and those above it that are missing, and their names permanent.
  private static func makeDirectories(
    _ path: FilePath, durability: Durability
  ) throws(HyperslabError) {
    while true {
      // What is there needs no right to be made.
      if unsafe path.withPlatformString({ unsafe access($0, F_OK) }) == 0 { return }
      if unsafe path.withPlatformString({ unsafe mkdir($0, 0o777) }) == 0 { break }
      let parent = path.removingLastComponent()
      switch errno {
      case EEXIST: return
      case ENOENT where !parent.isEmpty && parent != path:
        try makeDirectories(parent, durability: durability)
      default:
        throw HyperslabError(
          errno == ENOSPC || errno == EDQUOT ? .noSpace : .io, "this directory cannot be made",
          at: path.string, remedy: "Choose a place where you may and can write",
          cause: Errno(rawValue: errno))
      }
    }
    if durability == .full {
      let parent = path.removingLastComponent()
      try LocalFileSystem(root: parent.isEmpty ? "." : parent).synchronizeDirectory(.root)
    }
  }

  // MARK: - In place

  /// What a directory holds; nil where nothing of that name is.
  private static func entries(of path: FilePath) throws(HyperslabError) -> [DirectoryEntry]? {
    do throws(HyperslabError) { return try LocalFileSystem(root: path).list(.root) } catch {
      if error.code == .notFound { return nil }
      guard error.code == .foreign else { throw error }
      throw HyperslabError(
        .alreadyExists, "something that is no directory is there already", at: path.string,
        remedy: "Choose another name")
    }
  }

  /// Whether it is what a creation in place left that was killed before the index had its name, or one
  /// that is at work now: all its steps can be done again, by several at once.
  private static func isUnfinished(_ path: FilePath, _ entries: [DirectoryEntry]) -> Bool {
    guard entries.contains(where: { $0.name == StoreLayout.reserved.name }),
      let files = try? LocalFileSystem(root: path),
      let reserved = try? files.list(StoreLayout.reserved),
      (try? files.status(StoreLayout.writers)?.kind) != .file,
      ((try? files.list(StoreLayout.writers)) ?? []).isEmpty
    else { return false }
    return entries.allSatisfy { entry in
      entry.name == StoreLayout.reserved.name || entry.name == StoreLayout.zarr(.root).name
        || entry.name.hasPrefix("\(StoreLayout.index.name).tmp-")
    }
      && reserved.allSatisfy {
        ["lock", "w"].contains($0.name)
          || $0.name.hasPrefix(StoreLayout.temporaryDerivedPrefix)
      }
  }

  private static func fillInPlace(
    _ path: FilePath, durability: Durability
  ) throws(HyperslabError) {
    let files = try LocalFileSystem(root: path)
    let name = StoreLayout.temporaryIndex(writer: StoreLayout.newIdentifier())
    do throws(HyperslabError) {
      try fill(files, index: name, durability: durability)
      try rename(path.appending(name.name), to: path.appending(StoreLayout.index.name))
    } catch {
      try? files.remove(name)
      // Whoever was first may have swept away what others were at.
      guard holdsStore(path) else { throw error }
      throw HyperslabError(
        .alreadyExists, "somebody else made the store at the same time", at: path.string,
        remedy: "Open it", cause: error)
    }
    // What others who were at it left goes with the first recovery.
    if durability == .full { try files.synchronizeDirectory(.root) }
  }

  /// The files of an empty store; the index may wait for its name.
  static func fill(
    _ files: any FileSystem, index name: StorePath = StoreLayout.index, durability: Durability
  ) throws(HyperslabError) {
    let index = StoreIndex(
      uuid: StoreLayout.newIdentifier(), commit: 0, time: Timestamp.now(),
      writer: "hyperslab \(SlabStore.version)", state: "open",
      nodes: [.root: .group(attributes: [:], extensions: [:])])
    let isFull = durability == .full
    _ = try files.makeDirectories(StoreLayout.writers)
    do throws(HyperslabError) {
      try files.create(StoreLayout.lock, contents: [], synchronize: isFull)
    } catch { guard error.code == .alreadyExists else { throw error } }
    try files.create(name, contents: try index.encoded(), synchronize: isFull)
    if name == StoreLayout.index {
      var derived = DerivedFiles(files: files, durability: durability)
      try derived.put(ZarrMetadata.files(of: index, only: [.root]).map { ($0.key, $0.value) })
      if let (_, error) = derived.stuck.first { throw error }
    } else {
      try derive(index, in: files, synchronize: isFull)
    }
    if isFull {
      for directory in [StoreLayout.reserved, .root] {
        try files.synchronizeDirectory(directory)
      }
    }
  }

  /// Writes the root's derived file unless it is there, beside others who do the same: what whoever was
  /// first wrote into it since stays.
  private static func derive(
    _ index: StoreIndex, in files: any FileSystem, synchronize: Bool
  ) throws(HyperslabError) {
    let target = StoreLayout.zarr(.root)
    guard try files.status(target) == nil,
      let bytes = ZarrMetadata.files(of: index, only: [.root])[.root]
    else { return }
    let temporary =
      StoreLayout.reserved
      / "\(StoreLayout.temporaryDerivedPrefix)-\(StoreLayout.newIdentifier())"
    try files.create(temporary, contents: bytes, synchronize: synchronize)
    try files.rename(temporary, to: target)
  }

  private static func checkReplaceable(
    _ path: FilePath, _ entries: [DirectoryEntry], overwrite: Bool
  ) throws(HyperslabError) {
    guard overwrite else {
      let isStore = entries.contains { $0.name == StoreLayout.index.name }
      let names = entries.map(\.name).sorted()
      throw HyperslabError(
        .alreadyExists,
        isStore ? "a store is there already" : "a directory that is no store is there already",
        at: path.string, expected: "nothing, or an empty directory",
        found: names.prefix(3).joined(separator: ", ") + (names.count > 3 ? ", …" : ""),
        remedy: isStore
          ? "Open it, choose another name, or ask to overwrite it (overwrite: true)"
          : "Choose another name")
    }
    let files = try LocalFileSystem(root: path)
    guard try files.status(StoreLayout.index)?.kind == .file,
      try files.status(StoreLayout.lock)?.kind == .file
    else {
      throw HyperslabError(
        .alreadyExists, "only a slab store can be overwritten, and this is none", at: path.string,
        remedy: "Choose another name")
    }
  }

  private static func rename(_ from: FilePath, to: FilePath) throws(HyperslabError) {
    let result = unsafe from.withPlatformString { from in
      unsafe to.withPlatformString { unsafe hyperslab_rename_exclusive(from, $0) }
    }
    if result == 0 { return }
    // Some file systems know no exclusive rename; a directory still never replaces a full one.
    if errno == EINVAL || errno == ENOSYS || errno == ENOTSUP {
      let plain = unsafe from.withPlatformString { from in
        unsafe to.withPlatformString { unsafe rename_(from, $0) }
      }
      if plain == 0 { return }
    }
    throw systemError("the new store cannot take its name", to.string)
  }
}

private func rename_(_ from: UnsafePointer<CChar>, _ to: UnsafePointer<CChar>) -> Int32 {
  unsafe rename(from, to)
}
