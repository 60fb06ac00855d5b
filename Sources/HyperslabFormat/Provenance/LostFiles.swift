import HyperslabCore

/// `__slab/lost`: where things go that stand in the way and that nobody may delete.
struct LostFiles {
  let files: any FileSystem
  /// The commit that names begin with, to tell when it was.
  let commit: Int

  /// A name that is not taken; the text tells whence it comes.
  func freeName(_ name: String) throws(HyperslabError) -> StorePath {
    // A component may have 255 bytes, and what is appended needs some.
    let base = "\(commit)-" + String(decoding: name.utf8.prefix(200), as: UTF8.self)
    func target(_ count: Int) -> StorePath {
      StoreLayout.lost / (count == 1 ? base : "\(base).\(count)")
    }
    var free = 1
    while try files.status(target(free)) != nil { free *= 2 }
    // The first that is free, where none in between is.
    var taken = free / 2
    while free - taken > 1 {
      let middle = (taken + free) / 2
      if try files.status(target(middle)) != nil { taken = middle } else { free = middle }
    }
    return target(free)
  }

  /// Writes something there, for good.
  ///
  /// - Parameter name: Tells what it is of.
  func keep(_ bytes: [UInt8], named name: String) throws(HyperslabError) -> StorePath {
    var touched = try files.makeDirectories(StoreLayout.lost)
    let target = try freeName(name)
    do throws(HyperslabError) {
      try files.create(target, contents: bytes, synchronize: true)
    } catch {
      if error.code != .alreadyExists { try? files.remove(target) }
      throw error
    }
    touched.insert(StoreLayout.lost)
    try Settle(files: files, durability: .full).synchronize(touched)
    return target
  }

  /// Moves something there, whatever it is, without looking into it.
  ///
  /// - Parameter name: Where it comes from, if not from where it stands.
  /// - Returns: its new place.
  @discardableResult
  func take(_ path: StorePath, named name: String? = nil) throws(HyperslabError) -> StorePath {
    _ = try files.makeDirectories(StoreLayout.lost)
    let target = try freeName(name ?? path.lostName)
    try files.rename(path, to: target)
    return target
  }
}

extension StorePath {
  /// What it is called in `__slab/lost`, unless another name tells more.
  var lostName: String { components.joined(separator: ".") }
}

extension FileSystem {
  /// The names of what is in `__slab/lost`, as far as they can be told.
  func lostNames() -> Set<String> {
    Set(((try? list(StoreLayout.lost)) ?? []).map(\.name))
  }
}
