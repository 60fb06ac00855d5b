import HyperslabCore

/// Takes away directories that only writers of the store use: those of dead writers, and the trash. What
/// somebody else put into them moves to `__slab/lost`.
struct PrivateSweep {
  let files: any FileSystem
  let commit: Int

  /// A dead writer's directory: what is left of chunks may be torn, so names of the writer's own giving
  /// are enough here.
  func removeStaging(of writer: String) throws(HyperslabError) {
    let directory = StoreLayout.staging(writer: writer)
    try remove(directory, named: "w.\(writer.prefix(8))") { (path, kind) in
      kind == .file
        && (path.name == "lock" || StoreLayout.isStaged(path.name)
          || Self.isIncoming(path.components.dropFirst(directory.depth)))
    }
  }

  /// Whether names below a writer's directory are those of a data set that was to take another's place.
  private static func isIncoming(_ names: some Collection<String>) -> Bool {
    guard let first = names.first, DatasetRecord.id(first) != nil else { return false }
    let rest = names.dropFirst()
    if rest.count == 1, let name = rest.first,
      ["zarr.json", StoreLayout.arrivalMark].contains(name)
    {
      return true
    }
    return rest.first == "c" && rest.dropFirst().allSatisfy { StoreLayout.coordinate($0) != nil }
  }

  /// Removes a file or a directory with all that is the store's, or nobody's, and moves the rest away.
  private func remove(
    _ path: StorePath, named name: String,
    _ isOwn: (StorePath, FileKind) throws(HyperslabError) -> Bool
  ) throws(HyperslabError) {
    guard let kind = try files.status(path)?.kind else { return }
    if kind == .directory, path.depth <= 1024 {
      for entry in try files.list(path) {
        try remove(path / entry.name, named: "\(name).\(entry.name)", isOwn)
      }
      return try files.removeDirectory(path)
    }
    if HarmlessFiles.contains(path.name, kind) {
      try files.remove(path)
    } else if try isOwn(path, kind) {
      try files.remove(path)
    } else {
      try LostFiles(files: files, commit: commit).take(path, named: name)
    }
  }
}
