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

/// Making a store: built whole beside its place, made permanent, and moved in under its name.
enum StoreCreation {
  /// Creates an empty store.
  ///
  /// - Throws: `already_exists`; with `overwrite` only where something that is no store stands.
  static func create(
    at path: FilePath, durability: Durability, overwrite: Bool
  ) throws(HyperslabError) {
    guard let name = path.lastComponent else {
      throw HyperslabError(.invalidName, "a store needs a name", at: path.string)
    }
    let parentPath = path.removingLastComponent()
    let parent = try LocalFileSystem(root: parentPath.isEmpty ? "." : parentPath)
    let target = StorePath(name.string)
    let isThere = try parent.status(target) != nil
    if isThere { try checkReplaceable(path, overwrite: overwrite) }
    let identifier = StoreLayout.newIdentifier()
    let temporary = StorePath("\(name.string).tmp-\(identifier)")
    guard try parent.makeDirectory(temporary) else {
      throw HyperslabError(.alreadyExists, "the temporary name is taken", at: "\(temporary)")
    }
    let temporaryPath = parentPath.appending("\(name.string).tmp-\(identifier)")
    do throws(HyperslabError) {
      try fill(try LocalFileSystem(root: temporaryPath), durability: durability)
      if isThere {
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

  /// The files of an empty store.
  static func fill(_ files: any FileSystem, durability: Durability) throws(HyperslabError) {
    let index = StoreIndex(
      uuid: StoreLayout.newIdentifier(), commit: 0, time: Timestamp.now(),
      writer: "hyperslab \(SlabStore.version)", state: "open",
      nodes: [.root: .group(attributes: [:], extensions: [:])])
    let isFull = durability == .full
    _ = try files.makeDirectories(StoreLayout.writers)
    try files.create(StoreLayout.lock, contents: [], synchronize: isFull)
    try files.create(StoreLayout.index, contents: try index.encoded(), synchronize: isFull)
    var derived = DerivedFiles(files: files, durability: durability)
    try derived.write([.root], of: index)
    if let (_, error) = derived.stuck.first { throw error }
    if isFull {
      for directory in [StoreLayout.writers, StoreLayout.reserved, .root] {
        try files.synchronizeDirectory(directory)
      }
    }
  }

  private static func checkReplaceable(
    _ path: FilePath, overwrite: Bool
  ) throws(HyperslabError) {
    guard overwrite else {
      throw HyperslabError(
        .alreadyExists, "something is there already", at: path.string,
        remedy: "Choose another name, open the store that is there, or ask to overwrite it")
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
    let result = from.withPlatformString { from in
      to.withPlatformString { hyperslab_rename_exclusive(from, $0) }
    }
    if result == 0 { return }
    // Some file systems know no exclusive rename; a directory still never replaces a full one.
    if errno == EINVAL || errno == ENOSYS || errno == ENOTSUP {
      let plain = from.withPlatformString { from in
        to.withPlatformString { rename_(from, $0) }
      }
      if plain == 0 { return }
    }
    throw systemError("the new store cannot take its name", to.string)
  }
}

private func rename_(_ from: UnsafePointer<CChar>, _ to: UnsafePointer<CChar>) -> Int32 {
  rename(from, to)
}
