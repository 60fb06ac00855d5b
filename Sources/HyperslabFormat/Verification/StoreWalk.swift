import HyperslabCore

/// Walks a store's directories for what no index speaks of.
struct StoreWalk {
  let look: Look
  let node: NodePath
  private(set) var found: [(subject: Subject, findings: [Finding])] = []

  init(_ look: Look, node: NodePath) {
    self.look = look
    self.node = node
  }

  mutating func run() {
    walkNode(node)
    if node == .root { walkReserved() }
  }

  /// The names in a directory; none where it is gone or is none, which is told elsewhere.
  private mutating func list(_ directory: StorePath) -> [DirectoryEntry] {
    do throws(HyperslabError) { return try look.files.list(directory) } catch {
      if error.leavesUnchecked {
        found.append((.extra(directory), [Finding(directory, .foreign, error)]))
      }
      return []
    }
  }

  /// - Parameter node: The node in whose directory it is, where it is known.
  private mutating func note(_ path: StorePath, of node: NodePath? = nil) {
    for extra in look.extra(path, of: node) { found.append((.extra(extra.path), [extra.finding])) }
  }

  private mutating func walkNode(_ path: NodePath) {
    let directory = StoreLayout.node(path)
    let record = look.index.dataset(path)
    let entries = list(directory)
    for entry in entries {
      let place = directory / entry.name
      if place == StoreLayout.index || place == StoreLayout.reserved || entry.name == "zarr.json" {
        continue
      }
      if let record, entry.name == "c" {
        if look.hasWholeTable(record) { walkChunks(place, entry.kind, [], record) }
      } else if entry.kind == .directory, let child = path.child(named: entry.name),
        let own = look.index.nodes.spelling(of: child),
        (try? look.isSpelled(place, as: own, among: { entries })) == true
      {
        walkNode(own)
      } else {
        note(place, of: path)
      }
    }
  }

  private mutating func walkChunks(
    _ place: StorePath, _ kind: FileKind, _ coordinates: [Int], _ record: DatasetRecord
  ) {
    if coordinates.count == record.grid.rank {
      let chunk = ChunkIndex(coordinates)
      // In memory, and nearly all are listed.
      if record.grid.contains(chunk),
        (try? look.table(record).row(chunk).state == .stored) ?? true
      {
        return
      }
    } else if kind == .directory {
      for entry in list(place) {
        if let coordinate = StoreLayout.coordinate(entry.name) {
          walkChunks(place / entry.name, entry.kind, coordinates + [coordinate], record)
        } else {
          note(place / entry.name)
        }
      }
      return
    }
    note(place)
  }

  private mutating func walkReserved() {
    guard let status = try? look.files.status(StoreLayout.reserved), status.kind == .directory
    else {
      return note(StoreLayout.reserved)
    }
    for entry in list(StoreLayout.reserved) {
      let path = StoreLayout.reserved / entry.name
      switch (entry.name, entry.kind) {
      case ("t", .directory): walkTables()
      case ("w", .directory): for writer in list(path) { note(path / writer.name) }
      case ("trash", .directory), ("lost", .directory):
        for old in list(path) where !HarmlessFiles.contains(old.name, old.kind) {
          note(path / old.name)
        }
      default: note(path)
      }
    }
  }

  private mutating func walkTables() {
    let listed = look.listing.runs(look.files, look.snapshot.cache)
    for directory in list(StoreLayout.tables) {
      let table = StoreLayout.tables / directory.name
      guard directory.kind == .directory, DatasetRecord.id(directory.name) != nil else {
        note(table)
        continue
      }
      for entry in list(table) where !listed.contains(table / entry.name) {
        let path = table / entry.name
        if HarmlessFiles.contains(entry.name, entry.kind) {
          note(path)
        } else if let finding = look.unlistedRun(path, entry.kind) {
          found.append((.extra(path), [finding]))
        }
      }
    }
  }
}
