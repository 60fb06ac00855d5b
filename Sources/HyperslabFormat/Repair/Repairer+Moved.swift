import HyperslabCodecs
import HyperslabCore

// Chunk files that stand where their row is not.

extension Repairer {
  /// What a file must have in common with a row to be its.
  private struct FileMark: Hashable {
    let crc: UInt32
    let byteCount: Int
    let format: FrameFormat
  }

  /// Moves files that belong to another chunk to where they belong; by way of `__slab/lost`, where a
  /// repair that is cut short leaves them for the next one to find.
  ///
  /// - Returns: the rows that are still without a file.
  mutating func moveBack(
    _ lost: [LostRow], _ index: StoreIndex
  ) throws(HyperslabError) -> [LostRow] {
    var open: [FileMark: [Int]] = [:]
    for (index, row) in lost.enumerated().reversed() {
      open[
        FileMark(crc: row.row.crc, byteCount: row.row.byteCount, format: row.format), default: []
      ]
      .append(index)
    }
    var moves: [(from: StorePath, to: Int)] = []
    var found: Set<Int> = []
    let formats = Set(lost.map(\.format))
    let near = try sources(lost)
    let strays = Set(try strays(lost, index))
    for source in near + strays.sorted(by: { "\($0)".precedesBytewise("\($1)") }) {
      guard let byteCount = try files.status(source)?.byteCount else { continue }
      for format in formats {
        guard let crc = try Verifier.soundHeader(source, files, format) else { continue }
        let mark = FileMark(crc: crc, byteCount: byteCount, format: format)
        // Rows of one mark are alike: what is not the file of one is that of none.
        guard let index = open[mark]?.last, try isWhole(source, lost[index]) else { continue }
        open[mark]?.removeLast()
        moves.append((source, index))
        found.insert(index)
      }
    }
    var waiting: [(from: StorePath, to: Int)] = []
    for (source, index) in moves {
      if source.parent == StoreLayout.lost {
        waiting.append((source, index))
      } else if let copy = strays.contains(source) ? try secondName(source) : nil {
        waiting.append((copy, index))
      } else {
        waiting.append((try setAside(source, named: source.lostName), index))
      }
    }
    for (source, index) in waiting {
      let row = lost[index]
      try clearAncestors(of: row.place)
      if try files.status(row.place) != nil {
        try setAside(
          row.place, named: Self.lostName(row.record, row.chunk), row.kind, chunk: row.chunk)
      }
      try makeDirectory(row.place.parent)
      try files.rename(source, to: row.place)
      touched.insert(row.place.parent)
      note(row.place, row.kind, "its file was found elsewhere and moved back", chunk: row.chunk)
    }
    return lost.indices.filter { !found.contains($0) }.map { lost[$0] }
  }

  /// Files that may be those of lost rows: in the places of lost rows, in those of no row at all, and
  /// in what earlier repairs set aside.
  private func sources(_ lost: [LostRow]) throws(HyperslabError) -> [StorePath] {
    var sources = lost.filter { $0.foundCRC != nil }.map(\.place)
    if try files.status(StoreLayout.lost)?.kind == .directory {
      for entry in try files.list(StoreLayout.lost).sorted(by: { $0.name < $1.name })
      where entry.kind == .file {
        sources.append(StoreLayout.lost / entry.name)
      }
    }
    for (path, rows) in Dictionary(grouping: lost, by: \.path).sorted(by: { $0.key < $1.key }) {
      guard let record = rows.first?.record,
        let examiner = try ChunkExaminer(files: files, path: path, record: record)
      else { continue }
      var listed: Set<ChunkIndex> = []
      let table = ChunkTable(record: record, store: storeUUID, cache: cache)
      try table.forEachRow { chunk, row in if row.state == .stored { listed.insert(chunk) } }
      for chunk in try examiner.inventory() where !listed.contains(chunk) {
        sources.append(StoreLayout.chunk(path, chunk))
      }
    }
    return sources
  }

  /// Whether a file is, to the last byte, that of a row.
  private func isWhole(_ file: StorePath, _ lost: LostRow) throws(HyperslabError) -> Bool {
    let reader = try ChunkReader(format: lost.format)
    do throws(HyperslabError) {
      try reader.check(file, in: files, row: lost.row, quick: false)
      return true
    } catch {
      guard error.isDamage else { throw error }
      return false
    }
  }

  /// Files anywhere in the store that no table lists and that are as long as a lost row's: somebody may have
  /// given a directory another name.
  private func strays(
    _ lost: [LostRow], _ index: StoreIndex
  ) throws(HyperslabError) -> [StorePath] {
    let byteCounts = Set(lost.map(\.row.byteCount))
    var strays: [StorePath] = []
    var waiting = [StorePath.root]
    while let directory = waiting.popLast() {
      let entries = try files.list(directory)
      // The index and its like, and what was looked at before.
      let hasOthers = directory == StoreLayout.reserved || directory == StoreLayout.lost
      // Of another store inside this one nothing is this one's.
      if !directory.isRoot,
        entries.contains(where: {
          $0.name == StoreLayout.index.name || $0.name == StoreLayout.reserved.name
        })
      {
        continue
      }
      for entry in entries {
        let place = directory / entry.name
        switch entry.kind {
        case .directory where directory == StoreLayout.reserved && place != StoreLayout.lost: break
        case .directory where place.depth < 1024: waiting.append(place)
        case .file where entry.name != "zarr.json" && !hasOthers:
          guard let status = try files.status(place), byteCounts.contains(status.byteCount),
            try !isListed(place, index)
          else { continue }
          strays.append(place)
        default: break
        }
      }
    }
    return strays
  }

  /// Whether a place is that of a stored chunk.
  private func isListed(_ place: StorePath, _ index: StoreIndex) throws(HyperslabError) -> Bool {
    var coordinates: [Int] = []
    var above = place
    while let coordinate = StoreLayout.coordinate(above.name) {
      coordinates.insert(coordinate, at: 0)
      above = above.parent
    }
    // Of two spellings of a name the store has one.
    guard above.name == "c", let name = try? NodePath(above.parent.description),
      let path = index.nodes.spelling(of: name),
      place == StoreLayout.chunk(path, ChunkIndex(coordinates)),
      let record = index.dataset(path), record.grid.contains(ChunkIndex(coordinates))
    else { return false }
    let table = ChunkTable(record: record, store: storeUUID, cache: cache)
    return try table.row(ChunkIndex(coordinates)).state == .stored
  }

  /// Gives a file that somebody may have copied a second name in `__slab/lost`; nil where the disk knows no
  /// links.
  private mutating func secondName(_ place: StorePath) throws(HyperslabError) -> StorePath? {
    let target = try freeName(place.lostName)
    guard (try? files.link(place, to: target)) != nil else { return nil }
    touched.insert(StoreLayout.lost)
    return target
  }
}
