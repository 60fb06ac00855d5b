import HyperslabCodecs
import HyperslabCore

// What no index speaks of.

extension Look {
  struct Extra {
    let path: StorePath
    let finding: Finding
  }

  /// What something is that was met where nothing is expected: nothing, if the index speaks of it after
  /// all, or it is gone.
  ///
  /// - Parameter node: The node in whose directory it is, where it is known already.
  func extra(_ path: StorePath, of node: NodePath? = nil) -> [Extra] {
    do throws(HyperslabError) {
      if path == StoreLayout.reserved {
        if try files.status(path)?.kind == .directory { return [] }
        let error = HyperslabError(.missing, "the store's own directory is not there")
        return [Extra(path: path, finding: Finding(path, .missing, error))]
      }
      guard let status = try files.status(path) else {
        return try isUnspeakable(path)
          ? [Extra(path: path, finding: Finding(path, .foreign, "its name is no UTF-8. Rename it"))]
          : []
      }
      if try isListed(path, status.kind, of: node) { return [] }
      // What a new data set brought along; whoever opens the store next takes it away.
      if path.name == StoreLayout.arrivalMark, status.byteCount == 0 {
        return [Extra(path: path, finding: .leftover("\(path)"))]
      }
      if path.isIn(StoreLayout.reserved) {
        return reserved(path, status.kind).map { [Extra(path: path, finding: $0)] } ?? []
      }
      return try outside(path, status.kind)
    } catch {
      // Gone while it was looked at, or a directory made something else.
      if !error.leavesUnchecked { return [] }
      return [Extra(path: path, finding: Finding(path, .foreign, error))]
    }
  }

  /// Whether there is something of which the name was not told as it is.
  private func isUnspeakable(_ path: StorePath) throws(HyperslabError) -> Bool {
    guard Provenance.isUnspeakable(path.name) else { return false }
    return try files.list(path.parent).contains { $0.name == path.name }
  }

  /// Whether the index speaks of a path below no reserved name. Where a table cannot be read nothing is
  /// concluded from that.
  private func isListed(
    _ path: StorePath, _ kind: FileKind, of node: NodePath?
  ) throws(HyperslabError) -> Bool {
    if path == StoreLayout.index || path == StoreLayout.reserved { return true }
    if let parent = node ?? (try? NodePath(path.parent.description)) {
      if path.name == "zarr.json" { return index.nodes[parent] != nil }
      if let child = parent.child(named: path.name) {
        guard let own = index.nodes.spelling(of: child), kind == .directory else { return false }
        return try isSpelled(path, as: own) { () throws(HyperslabError) in
          try files.list(path.parent)
        }
      }
    }
    guard let (record, coordinates) = chunkPlace(path) else { return false }
    if coordinates.count < record.grid.rank { return kind == .directory }
    // What else than a file stands there is told of the chunk.
    let chunk = ChunkIndex(coordinates)
    guard record.grid.contains(chunk) else { return false }
    do { return try !hasWholeTable(record) || table(record).row(chunk).state == .stored } catch {
      return true
    }
  }

  /// Whether a directory is a node's, and not one beside it of another spelling of the name. On some disks
  /// names come back in another spelling than they were given.
  func isSpelled(
    _ place: StorePath, as node: NodePath,
    among entries: () throws(HyperslabError) -> [DirectoryEntry]
  ) throws(HyperslabError) -> Bool {
    let own = StoreLayout.node(node)
    if place.name.hasSameBytes(as: own.name) { return true }
    return try !entries().contains { $0.name.hasSameBytes(as: own.name) }
  }

  /// Whether every run of a data set can be read; nothing is known of its chunk files otherwise.
  func hasWholeTable(_ record: DatasetRecord) -> Bool {
    record.runs.allSatisfy { reference in
      (try? snapshot.cache.run(reference, of: record, store: index.uuid)) != nil
    }
  }

  /// The data set and grid coordinates that a path below its `c` stands for.
  private func chunkPlace(_ path: StorePath) -> (record: DatasetRecord, coordinates: [Int])? {
    guard let (node, chunk) = StoreLayout.chunkPlace(path), let record = index.dataset(node),
      chunk.coordinates.count <= record.grid.rank
    else { return nil }
    return (record, chunk.coordinates)
  }

  /// Whether the last commit has yet to move or remove it.
  private func isPending(_ path: StorePath) -> Bool {
    if listing.isRemoved(path) { return true }
    guard let (record, coordinates) = chunkPlace(path), let pending = record.pending,
      coordinates.count == record.grid.rank
    else { return false }
    return pending.numbering.number(of: ChunkIndex(coordinates)).map { number in
      pending.drop.holds(number)
    } ?? false
  }

  private func outside(_ path: StorePath, _ kind: FileKind) throws(HyperslabError) -> [Extra] {
    if path.depth == 1, kind == .file, StoreLayout.temporaryIndexWriter(path.name) != nil {
      return [Extra(path: path, finding: .leftover("\(path)"))]
    }
    let (_, parts) = try Provenance(files: files, quick: quick).judge(path, kind)
    return parts.map { part in
      Extra(path: part.path, finding: finding(part.path, part.origin, kind))
    }
  }

  private func finding(_ path: StorePath, _ origin: Origin, _ kind: FileKind) -> Finding {
    switch origin {
    case .nobodys:
      let detail =
        HarmlessFiles.contains(path.name, .file) || HarmlessFiles.contains(path.name, .directory)
        ? "systems drop it everywhere; no harm" : "nothing is in it; no harm"
      return Finding(path, .foreignHarmless, detail)
    case .ours:
      // What an unfinished write may leave is no damage while somebody may still be at it.
      if hasWork || isPending(path) { return .leftover("\(path)") }
      let isChunk = chunkPlace(path) != nil
      return Finding(
        path, .orphan,
        isChunk ? "a chunk file that the table does not list" : "of a data set that no commit has")
    case .anothers, .mixed: return Finding(path, .foreign, foreignDetail(path))
    }
  }

  private func foreignDetail(_ path: StorePath) -> String {
    if chunkPlace(path) != nil || Provenance.canBeChunk(path) {
      if (try? Provenance(files: files).isAnothersChunk(path)) == true {
        let isInside = chunkPlace(path).map { $0.record.grid.contains(ChunkIndex($0.coordinates)) }
        return isInside != true
          ? "a chunk that another program wrote beyond the array. slab adopt takes it in with the "
            + "zarr.json that says so, which repair may have put into \(StoreLayout.lost); or move it elsewhere"
          : "a chunk that another program wrote. slab adopt takes it in, or says why it cannot"
      }
      return "no chunk of the store's. Move it elsewhere"
    }
    if path.name == "zarr.json" || hasDocument(path) {
      return "what another program saved here. slab adopt takes it in, or says why it cannot; "
        + "or move it elsewhere"
    }
    return "nothing of the store's. Move it elsewhere"
  }

  /// Whether a directory is described as a node.
  func hasDocument(_ path: StorePath) -> Bool {
    // Below a file there is nothing to ask for: which of the names above stands in the way is slow to find.
    guard let status = try? files.status(path), status.kind == .directory else { return false }
    return ((try? files.status(path / "zarr.json")) ?? nil) != nil
  }

  // MARK: - Below the store's own directory

  private func reserved(_ path: StorePath, _ kind: FileKind) -> Finding? {
    if HarmlessFiles.contains(path.name, kind) { return finding(path, .nobodys, kind) }
    if path.parent == StoreLayout.reserved { return ownName(path, kind) }
    if path.parent == StoreLayout.writers {
      return StoreLayout.isIdentifier(path.name) && kind == .directory
        ? .leftover("\(path)") : Finding(path, .foreign, "no writer's directory. Move it elsewhere")
    }
    if path.parent == StoreLayout.tables {
      return kind == .directory && DatasetRecord.id(path.name) != nil
        ? nil : Finding(path, .foreign, "no data set's runs. Move it elsewhere")
    }
    if path.parent.parent == StoreLayout.tables {
      return listing.runs(files, snapshot.cache).contains(path) ? nil : unlistedRun(path, kind)
    }
    if path.parent == StoreLayout.trash, kind != .directory || !TrashSweep.isOwnName(path.name) {
      return Finding(path, .foreign, "nothing that a commit moved here. Move it elsewhere")
    }
    return .leftover("\(path)")
  }

  private func ownName(_ path: StorePath, _ kind: FileKind) -> Finding? {
    switch (path.name, kind) {
    case ("t", .directory), ("w", .directory): return nil
    case ("trash", .directory), ("lost", .directory): return nil
    case ("lock", _): return nil
    case (let name, .file) where name.hasPrefix(StoreLayout.temporaryDerivedPrefix):
      return .leftover("\(path)")
    default: break
    }
    if let commit = StoreLayout.kept(path.name) {
      // Those are looked at by themselves.
      if index.keptCommits.contains(commit) || commit == index.commit { return nil }
      do throws(HyperslabError) {
        let bytes = try files.contents(path, limit: StoreIndex.maximumFileByteCount)
        // One that a power cut brought back, or kept the commit away after.
        if Provenance.isIndexOrRemains(bytes, of: index.uuid, snapshot.cache) {
          return .leftover("\(path)")
        }
      } catch {
        if error.code == .missing { return nil }
        if error.leavesUnchecked { return Finding(path, .index, error) }
      }
      return Finding(path, .foreign, "no index of this store's. Move it elsewhere")
    }
    if StoreLayout.claimed(path.name) != nil, kind == .file,
      (try? files.contents(path, limit: 4096)).map(Provenance.isHolderOrRemains) ?? true
    {
      return .leftover("\(path)")
    }
    return Finding(path, .foreign, "nothing of the store's. Move it elsewhere")
  }

  /// Runs that are not listed any more are kept a while for readers; their name tells their sum.
  func unlistedRun(_ path: StorePath, _ kind: FileKind) -> Finding? {
    guard kind == .file, path.name.hasSuffix(".json"),
      let commit = Int(path.name.prefix { $0 != "-" })
    else { return Finding(path, .foreign, "no run's name. Move it elsewhere") }
    let bytes: [UInt8]
    do throws(HyperslabError) {
      bytes = try files.contents(path, limit: StoreIndex.maximumFileByteCount)
    } catch {
      if error.code == .missing { return nil }
      return error.leavesUnchecked ? Finding(path, .table, error) : .leftover("\(path)")
    }
    let isItself = CRC32C.hex(CRC32C.of(bytes)) == path.name.dropLast(5).suffix(8)
    if !isItself, SelfCheck.holds(bytes) {
      return Finding(path, .table, "an unlisted run that is not what its name says")
    }
    if !isItself, !Provenance.isRunOrRemains(bytes, of: index.uuid) {
      return Finding(path, .foreign, "no run. Move it elsewhere")
    }
    // No index that could be needed lists it: of a commit that was cut short, perhaps in the middle of
    // this file and long before others made theirs.
    let isOfDataset = index.datasets.contains { $0.record.tableDirectory == path.parent }
    return !isItself || commit > index.commit || !isOfDataset ? .leftover("\(path)") : nil
  }
}
