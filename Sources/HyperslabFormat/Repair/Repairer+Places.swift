import HyperslabCore

// Moving things out of the way, and files into their places.

extension Repairer {
  /// Makes the store's own directories; something else in their place is set aside.
  mutating func makeReserved() throws(HyperslabError) {
    for directory in [
      StoreLayout.reserved, StoreLayout.lost, StoreLayout.writers, StoreLayout.tables,
    ] {
      try makeOwn(directory, isNeeded: directory != StoreLayout.lost)
    }
    if try files.status(StoreLayout.trash) != nil {
      try makeOwn(StoreLayout.trash, isNeeded: false)
    }
  }

  private mutating func makeOwn(_ path: StorePath, isNeeded: Bool) throws(HyperslabError) {
    let status = try files.status(path)
    if status?.kind == .directory { return }
    if status == nil {
      if isNeeded, try files.makeDirectory(path) {
        touched.insert(path.parent)
        // What a store without any data set yet need not have is not missed.
        if path != StoreLayout.tables { note(path, .missing, "created") }
      }
      return
    }
    try Self.refuseLink(path, status)
    // It cannot be moved below itself in one step.
    let aside = StorePath("__slab-\(path.name)-\(writer)")
    try files.rename(path, to: aside)
    _ = try files.makeDirectory(path)
    let target = try freeName(path.name)
    try files.rename(aside, to: target)
    touched.formUnion([path.parent, .root, StoreLayout.lost])
    note(path, .foreign, "moved to \(target)")
  }

  /// Moves something to `__slab/lost`, whatever it is, without looking into it.
  ///
  /// - Returns: its new place.
  @discardableResult
  mutating func setAside(
    _ path: StorePath, named name: String? = nil, _ kind: VerificationReport.Problem.Kind? = nil,
    _ consequence: String? = nil, chunk: ChunkIndex? = nil
  ) throws(HyperslabError) -> StorePath {
    let target = try freeName(name ?? path.lostName)
    try files.rename(path, to: target)
    touched.formUnion([path.parent, StoreLayout.lost])
    if let kind {
      note(
        path, kind, "moved to \(target)" + (consequence.map { "; \($0)" } ?? ""), chunk: chunk)
    }
    return target
  }

  /// Makes a directory for good: a power cut that takes it must not take what is moved into it.
  mutating func makeDirectory(_ path: StorePath) throws(HyperslabError) {
    let new = try files.makeDirectories(path)
    try Settle(files: files, durability: .full).synchronize(new)
  }

  mutating func freeName(_ name: String) throws(HyperslabError) -> StorePath {
    try makeDirectory(StoreLayout.lost)
    let target = try LostFiles(files: files, commit: nextCommit).freeName(name)
    lost.insert(target.name)
    return target
  }

  /// The name under which a chunk's file is set aside: what it was the chunk of.
  static func lostName(_ record: DatasetRecord, _ chunk: ChunkIndex) -> String {
    "d\(record.id)-\(chunk.key)"
  }

  /// Sets aside whatever is no directory where one must be for `path` to stand.
  mutating func clearAncestors(of path: StorePath) throws(HyperslabError) {
    for ancestor in path.ancestors.dropFirst() where try !clearDirectory(ancestor) { return }
  }

  /// - Returns: whether there is a directory.
  @discardableResult
  private mutating func clearDirectory(_ path: StorePath) throws(HyperslabError) -> Bool {
    guard let status = try files.status(path) else { return false }
    if status.kind == .directory { return true }
    try Self.refuseLink(path, status)
    try setAside(path, .foreign)
    return false
  }

  /// Behind a link in a directory's place all may be well, so nothing is given up for it.
  static func refuseLink(_ path: StorePath, _ status: FileStatus?) throws(HyperslabError) {
    guard status?.kind == .other else { return }
    throw linkError.located(at: "\(path)")
  }

  /// Nor for one in a file's place.
  func refuseLink(_ path: StorePath) throws(HyperslabError) {
    do { _ = try files.open(path) } catch {
      if error.tellsOfLink { throw Self.linkError.located(at: "\(path)") }
    }
  }

  static let linkError = HyperslabError(
    .foreign, "a link or a special file stands in place of the store's own",
    remedy:
      "Put what the link leads to there (git annex unlock), or remove it to give up what it held")

  /// Sets aside what is no file where a file of the store's has to be, with what is above it.
  mutating func clear(_ path: StorePath) throws(HyperslabError) {
    try clearAncestors(of: path)
    try clearFile(path)
  }

  private mutating func clearFile(_ path: StorePath) throws(HyperslabError) {
    if let status = try files.status(path), status.kind != .file {
      try setAside(path, .foreign)
    }
  }

  /// Directories of nodes and tables, and what is no file under a derived file's name.
  mutating func clearWay(_ index: StoreIndex) throws(HyperslabError) {
    // Each group comes before what it holds, so that what is above is clear.
    for path in index.nodes.keys {
      let directory = StoreLayout.node(path)
      if !directory.isRoot { try clearDirectory(directory) }
      try clearFile(StoreLayout.zarr(path))
    }
    for (_, record) in index.datasets { try clearAncestors(of: record.tableDirectory / "run") }
  }

  /// Puts a file with the given contents in its place, for good.
  mutating func replace(_ path: StorePath, with bytes: [UInt8]) throws(HyperslabError) {
    try clear(path)
    try makeDirectory(path.parent)
    let temporary = StoreLayout.temporaryIndex(writer: writer)
    if try files.status(temporary) != nil { try files.remove(temporary) }
    try files.create(temporary, contents: bytes, synchronize: true)
    try files.rename(temporary, to: path)
    touched.insert(path.parent)
  }

  func synchronize(_ directories: inout Set<StorePath>) throws(HyperslabError) {
    try Settle(files: files, durability: .full).synchronize(directories)
    directories = []
  }
}
