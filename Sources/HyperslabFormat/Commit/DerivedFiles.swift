import HyperslabCore

/// Keeps the `zarr.json` files in step with the index; they are derived, so failures do no harm.
struct DerivedFiles {
  let files: any FileSystem

  /// Writes those that differ; removes those of removed data sets.
  func write(_ index: StoreIndex) {
    let wanted = ZarrMetadata.files(of: index)
    // What is held before what holds it.
    for removal in index.removed.sorted(by: { $1.path < $0.path })
    where index.nodes[removal.path] == nil {
      try? files.remove(StoreLayout.zarr(removal.path))
      try? files.removeDirectory(StoreLayout.node(removal.path))
    }
    for path in wanted.keys.sorted() {
      guard let bytes = wanted[path] else { continue }
      let target = StoreLayout.zarr(path)
      if let found = try? files.contents(target, limit: bytes.count), found == bytes { continue }
      try? replace(target, with: bytes)
    }
  }

  private func replace(_ target: StorePath, with bytes: [UInt8]) throws(HyperslabError) {
    _ = try files.makeDirectories(target.parent)
    // Beside no node, any of which may be called so.
    let temporary = StoreLayout.temporaryDerived
    if try files.status(temporary) != nil { try files.remove(temporary) }
    try files.create(temporary, contents: bytes, synchronize: false)
    try files.rename(temporary, to: target)
  }
}
