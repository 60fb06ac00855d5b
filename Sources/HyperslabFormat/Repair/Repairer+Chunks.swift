import HyperslabCodecs
import HyperslabCore
import Synchronization

// The chunk files that sound tables list.

extension Repairer {
  /// A stored row whose file is not where it should be.
  struct LostRow: Sendable {
    var path: NodePath
    var record: DatasetRecord
    var chunk: ChunkIndex
    var row: ChunkRow
    var format: FrameFormat
    var kind: VerificationReport.Problem.Kind
    /// The header checksum of the file that stands there, if that is sound.
    var foundCRC: UInt32?

    var place: StorePath { StoreLayout.chunk(path, chunk) }
  }

  /// Settles what is pending, puts files that were moved back, and gives up rows without a file.
  mutating func repairChunks(_ index: inout StoreIndex) throws(HyperslabError) {
    var lost: [LostRow] = []
    for (path, record) in index.datasets {
      var rows: [(chunk: ChunkIndex, row: ChunkRow)] = []
      try Snapshot(index: index, cache: cache).table(record).forEachRow { chunk, row in
        if row.state == .stored { rows.append((chunk, row)) }
      }
      lost += try examine(path, record, rows)
      try settleDrops(path, record)
    }
    if lost.isEmpty { return }
    lost = lost.map { (name: "\($0.place)", row: $0) }.sorted { $0.name.precedesBytewise($1.name) }
      .map(\.row)
    lost = try moveBack(lost, index)
    let presence = Presence(files: files)
    var clear: Set<StorePath> = []
    for row in lost {
      let parent = row.place.parent
      if try presence.canHold(parent), clear.insert(parent).inserted {
        try clearAncestors(of: row.place)
      }
      try giveUp(row, presence)
    }
    for (path, rows) in Dictionary(grouping: lost, by: \.path) {
      guard let record = index.dataset(path) else { continue }
      var kept: [ChunkIndex: ChunkRow] = [:]
      try Snapshot(index: index, cache: cache).table(record).forEachRow { chunk, row in
        if row.state != .neverWritten { kept[chunk] = row }
      }
      for row in rows { kept[row.chunk] = nil }
      // A table that was to be written anyway is written once.
      newRuns = newRuns.filter { $0.key.parent != record.tableDirectory }
      index.nodes[path] = .dataset(try rewritten(path, record, rows: kept))
      isChanged = true
    }
  }

  /// Checks every stored chunk and brings those that are staged to their final names.
  private mutating func examine(
    _ path: NodePath, _ record: DatasetRecord, _ stored: [(chunk: ChunkIndex, row: ChunkRow)]
  ) throws(HyperslabError) -> [LostRow] {
    guard let filter = record.filter, !stored.isEmpty else { return [] }
    let format = try record.frameFormat(filter: filter)
    let known = Set(stored.map(\.row.crc))
    let lost = Mutex<[LostRow]>([])
    let staged = Mutex<[(chunk: ChunkIndex, place: StorePath)]>([])
    let impure = Mutex<[VerificationReport.Problem]>([])
    let anothers = Mutex<[VerificationReport.Problem]>([])
    let files = files
    let presence = Presence(files: files)
    try parallelLoop(
      count: stored.count, threads: threads,
      makeWorker: { () throws(HyperslabError) in try ChunkReader(format: format) }
    ) { (reader, position) throws(HyperslabError) in
      let (chunk, row) = stored[position]
      var failure: HyperslabError?
      let candidates = record.places(of: chunk, at: path)
      for candidate in candidates {
        do throws(HyperslabError) {
          guard try presence.canHold(file: candidate) else {
            throw HyperslabError(.missing, "is not there")
          }
          try reader.check(candidate, in: files, row: row, quick: false)
          if candidate != candidates.last { staged.withLock { $0.append((chunk, candidate)) } }
          // Its values are right all the same; no reason to give them up.
          do throws(HyperslabError) {
            try Verifier.checkPadding(of: candidate, in: files, chunk, row, record, reader)
          } catch {
            guard error.code == .checksum else { throw error }
            let problem = VerificationReport.Problem(
              path: "\(candidate)", chunk: chunk, kind: .checksum, detail: error.what)
            impure.withLock { $0.append(problem) }
          }
          return
        } catch {
          guard error.isDamage else { throw error }
          if error.code == .missing { try presence.miss(candidate) }
          failure = error
        }
      }
      guard let failure, let final = candidates.last else { return }
      // Behind a link all may be well.
      if failure.tellsOfLink {
        for above in final.ancestors.dropFirst() { try Self.refuseLink(above, files.status(above)) }
        let problem = VerificationReport.Problem(
          path: "\(final)", chunk: chunk, kind: .foreign, detail: "\(Self.linkError)")
        return anothers.withLock { $0.append(problem) }
      }
      // The values are there, for Zarr readers: nothing is given up that can be taken in.
      if failure.code != .missing, try Provenance(files: files).isAnothersChunk(final) {
        let problem = VerificationReport.Problem(
          path: "\(final)", chunk: chunk, kind: .foreign, detail: "\(Look.anothersChunk)")
        return anothers.withLock { $0.append(problem) }
      }
      let isThere = failure.code == .missing ? try presence.canHold(file: final) : true
      let found = isThere ? try Verifier.soundHeader(final, files, format) : nil
      var kind = try Verifier.kind(of: failure, final, files, format, row)
      if kind == .stale, let found, known.contains(found) { kind = .swapped }
      lost.withLock {
        $0.append(
          LostRow(
            path: path, record: record, chunk: chunk, row: row, format: format, kind: kind,
            foundCRC: found))
      }
    }
    for (chunk, place) in staged.withLock({ $0 }).sorted(by: { "\($0.chunk)" < "\($1.chunk)" }) {
      let target = StoreLayout.chunk(path, chunk)
      try clear(target)
      if try Provenance(files: files).isAnothersChunk(target) {
        try setAside(target, named: Self.lostName(record, chunk), .foreign, chunk: chunk)
      }
      try makeDirectory(target.parent)
      try files.rename(place, to: target)
      touched.insert(target.parent)
      note(target, .stale, "the committed chunk took its place", chunk: chunk)
    }
    keptChunks += (impure.withLock { $0 } + anothers.withLock { $0 })
    return lost.withLock { $0 }
  }

  /// Also the directories in which somebody else may have settled rows.
  private mutating func settleDrops(
    _ path: NodePath, _ record: DatasetRecord
  ) throws(HyperslabError) {
    guard let pending = record.pending else { return }
    let presence = Presence(files: files)
    for number in pending.rows.joined() {
      let directory = StoreLayout.chunk(path, pending.numbering.chunk(number)).parent
      if try presence.canHold(directory) { touched.insert(directory) }
    }
    for number in pending.drop.joined() {
      let chunk = pending.numbering.chunk(number)
      let place = StoreLayout.chunk(path, chunk)
      guard try presence.canHold(place.parent), let status = try files.status(place) else {
        continue
      }
      if status.kind == .file, try Provenance(files: files).isFrame(place) {
        try files.remove(place)
        touched.insert(place.parent)
        note(place, .stale, "removed, as the last commit asks", chunk: chunk)
      } else {
        try setAside(place, named: Self.lostName(record, chunk), .foreign, chunk: chunk)
      }
    }
  }

  /// Sets aside what stands in a chunk's place; its row goes.
  private mutating func giveUp(_ lost: LostRow, _ presence: Presence) throws(HyperslabError) {
    var aside: [String] = []
    for place in lost.record.places(of: lost.chunk, at: lost.path) {
      guard try presence.canHold(file: place) else { continue }
      guard try files.status(place) != nil else {
        try presence.miss(place)
        continue
      }
      let target = try setAside(place, named: Self.lostName(lost.record, lost.chunk))
      aside.append("\(target)")
    }
    let moved = aside.isEmpty ? "" : "moved to \(aside.joined(separator: " and ")); "
    note(lost.place, lost.kind, moved + "never written now", chunk: lost.chunk)
  }
}
