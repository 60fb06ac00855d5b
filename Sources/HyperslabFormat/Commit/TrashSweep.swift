import HyperslabCore

/// Empties the trash. What proves to be the store's own is removed; whatever else lay in a data set's
/// directory is moved to `__slab/lost`, under its name.
struct TrashSweep {
  /// A data set that lies in the trash, as the indexes before the newest list it.
  struct Known {
    var path: NodePath
    var tables: [ChunkTable] = []
    var forms: [DerivedForms] = []
  }

  let files: any FileSystem
  /// The store's UUID.
  let store: String
  /// Those that are known, by their numbers.
  let known: [Int: Known]

  /// Begins the names of arrays of other programs that were taken in, chunks and all.
  static let adopted = "adopted-"

  /// Whether a commit gives such names to what it moves to the trash.
  static func isOwnName(_ name: String) -> Bool {
    let rest = name.hasPrefix(adopted) ? String(name.dropFirst(adopted.count)) : name
    return DatasetRecord.id(rest) != nil || StoreLayout.isIdentifier(rest)
  }

  /// Removes what stands at a place in the trash.
  func run(_ entry: StorePath) throws(HyperslabError) {
    let path = DatasetRecord.id(entry.name).flatMap { known[$0]?.path }
    let name = path.map { $0.components.joined(separator: ".") } ?? entry.name
    try remove(entry, [], named: name)
  }

  /// - Parameter place: The names that lead to it from what was moved to the trash.
  private func remove(
    _ path: StorePath, _ place: [String], named name: String
  ) throws(HyperslabError) {
    guard let kind = try files.status(path)?.kind else { return }
    switch kind {
    case .directory where isOwnDirectory(place):
      for entry in try files.list(path) {
        try remove(path / entry.name, place + [entry.name], named: "\(name).\(entry.name)")
      }
      // Fails while something in it could not be removed.
      try files.removeDirectory(path)
    case .file where try isOwnFile(path, place): try files.remove(path)
    default: try setAside(path, named: name)
    }
  }

  /// Of a data set: itself, `c`, and what is named by coordinates; once, `c` alone was moved here.
  private func isOwnDirectory(_ place: [String]) -> Bool {
    guard place.count <= 64 else { return false }
    return place.allSatisfy { $0 == "c" || StoreLayout.coordinate($0) != nil }
  }

  private func isOwnFile(_ path: StorePath, _ place: [String]) throws(HyperslabError) -> Bool {
    let isAdopted = path.components.contains { $0.hasPrefix(Self.adopted) }
    if isAdopted, place.first == "c", isOwnDirectory(place) { return true }
    if place == ["zarr.json"] { return try isOwnDocument(path) }
    if place == [StoreLayout.arrivalMark] { return try files.status(path)?.byteCount == 0 }
    guard isOwnDirectory(place) else { return false }
    let dataset = path.components.dropFirst(StoreLayout.trash.depth).first ?? ""
    guard let tables = DatasetRecord.id(dataset).flatMap({ known[$0]?.tables }) else {
      return try Provenance(files: files, quick: true).isFrame(path)
    }
    // A chunk of another store, copied here, is sealed like one of this.
    let chunk = ChunkIndex(place.compactMap { StoreLayout.coordinate($0) })
    guard let told = Verifier.toldHeader(path, files), let status = try files.status(path) else {
      return false
    }
    return tables.contains { table in
      guard table.record.grid.contains(chunk), let row = try? table.row(chunk) else { return false }
      return row.state == .stored && row.crc == told && row.byteCount == status.byteCount
    }
  }

  /// Whether a document is as some commit, or one in the middle of it, left it.
  private func isOwnDocument(_ path: StorePath) throws(HyperslabError) -> Bool {
    let bytes = try files.contents(path, limit: StoreIndex.maximumFileByteCount)
    if DocumentSeal.holds(bytes, store: store) { return true }
    guard let known = DatasetRecord.id(path.parent.name).flatMap({ known[$0] }) else {
      return Provenance.isDerived(bytes) || !FoundDocuments.isDocument(bytes)
    }
    let hash = DerivedForms.hash(bytes)
    return bytes.isEmpty
      || known.forms.contains {
        $0.forms(of: [known.path])[known.path]?.all.contains(hash) ?? false
      }
  }

  private func setAside(_ path: StorePath, named name: String) throws(HyperslabError) {
    _ = try files.setAside(path, named: name)
  }
}

extension FileSystem {
  /// Moves something that is not the store's own to `__slab/lost`, for good, whatever it is.
  ///
  /// - Parameter name: Where it comes from, if not from where it stands.
  /// - Returns: its new place.
  func setAside(
    _ path: StorePath, named name: String? = nil
  ) throws(HyperslabError) -> StorePath {
    var touched = try makeDirectories(StoreLayout.lost)
    // A component may have 255 bytes, and a number may come behind it.
    let name = name ?? path.lostName
    let base = String(decoding: name.utf8.prefix(200), as: UTF8.self)
    var target = StoreLayout.lost / base
    var count = 1
    while try status(target) != nil {
      count += 1
      target = StoreLayout.lost / "\(base).\(count)"
    }
    try rename(path, to: target)
    touched.formUnion([path.parent, StoreLayout.lost])
    try Settle(files: self, durability: .full).synchronize(touched)
    return target
  }
}
