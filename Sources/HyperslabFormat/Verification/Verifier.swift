import HyperslabCodecs
public import HyperslabCore
import Synchronization
public import SystemPackage

extension SlabStore {
  /// Checks every file of a store, or of one node and what it holds: presence, length, every
  /// checksum, and that nothing is there that should not be.
  ///
  /// - Parameters:
  ///   - path: The store.
  ///   - node: What to check; the root is everything.
  ///   - quick: Structure, lengths and headers only; no chunk data is read.
  ///   - threads: How many chunks at a time; nil for one a processor.
  /// - Throws: `not_found`, `not_a_store`, `unsupported_version`, `unsupported_feature`; damage is
  ///   no error but reported.
  public static func verify(
    _ path: FilePath, node: NodePath = .root, quick: Bool = false, threads: Int? = nil
  ) throws(HyperslabError) -> VerificationReport {
    var verifier = Verifier(
      files: try LocalFileSystem(root: path), node: node, quick: quick,
      threads: threads ?? ProcessorCount.active)
    try verifier.run()
    return verifier.finished
  }
}

/// One check of a store.
struct Verifier {
  let files: any FileSystem
  let node: NodePath
  let quick: Bool
  let threads: Int
  private var report = VerificationReport()
  /// Every file that may be there, as far as the index tells.
  private var expected: Set<StorePath> = []

  init(files: any FileSystem, node: NodePath, quick: Bool, threads: Int) {
    self.files = files
    self.node = node
    self.quick = quick
    self.threads = threads
  }

  var finished: VerificationReport {
    var report = report
    report.problems.sort { ($0.path, $0.kind.rawValue) < ($1.path, $1.kind.rawValue) }
    return report
  }

  mutating func run() throws(HyperslabError) {
    let cache = RunCache(files: files)
    let snapshot: Snapshot
    do { snapshot = try Snapshot.read(files, cache: cache) } catch {
      switch error.code {
      case .damagedIndex, .limit, .foreign, .torn:
        add("slab.json", .index, error)
        checkOldIndexes()
        return
      default: throw error
      }
    }
    guard snapshot.index.nodes[node] != nil else {
      throw HyperslabError(.notFound, "no such node", at: "\(files.rootDescription)/\(node)")
    }
    let index = snapshot.index
    expected.insert(StoreLayout.index)
    checkOldIndexes()
    checkDerived(index)
    for (path, record) in index.datasets
    where path == node || path.isDescendant(of: node) || node == .root {
      try checkDataset(path, record, snapshot)
    }
    try StoreWalk(files: files, index: index, expected: expected, node: node).run(&report)
  }

  private mutating func add(
    _ path: String, _ kind: VerificationReport.Problem.Kind, _ error: HyperslabError,
    chunk: ChunkIndex? = nil
  ) {
    var plain = error
    plain.place = nil
    plain.chunk = nil
    report.problems.append(.init(path: path, chunk: chunk, kind: kind, detail: "\(plain)"))
  }

  /// The kept older indexes are what repair would fall back to.
  private mutating func checkOldIndexes() {
    for entry in (try? files.list(StoreLayout.reserved)) ?? [] where entry.name.hasPrefix("root-") {
      let path = StoreLayout.reserved / entry.name
      expected.insert(path)
      do throws(HyperslabError) {
        let bytes = try files.contents(path, limit: StoreIndex.maximumFileByteCount)
        let old = try StoreIndex(bytes, place: "\(path)")
        guard entry.name == "root-\(old.commit)" else {
          throw HyperslabError(.damagedIndex, "an index of commit \(old.commit) under this name")
        }
      } catch { add("\(path)", .index, error) }
    }
    switch (try? files.status(StoreLayout.lock)) ?? nil {
    case nil:
      add("\(StoreLayout.lock)", .missing, HyperslabError(.missing, "the lock file is not there"))
    case .some(let status) where status.kind != .file:
      add("\(StoreLayout.lock)", .foreign, HyperslabError(.foreign, "the lock is no file"))
    default: break
    }
    expected.insert(StoreLayout.lock)
  }

  private mutating func checkDerived(_ index: StoreIndex) {
    let current = ZarrMetadata.files(of: index)
    for path in current.keys.sorted()
    where path == node || path.isDescendant(of: node) || node == .root {
      let file = StoreLayout.zarr(path)
      expected.insert(file)
      guard let wanted = current[path] else { continue }
      do throws(HyperslabError) {
        let found = try files.contents(file, limit: StoreIndex.maximumFileByteCount)
        if found == wanted { continue }
        try noteOutdated(file, found, index)
      } catch {
        let kind: VerificationReport.Problem.Kind =
          error.code == .missing ? .missing : error.code == .foreign ? .foreign : .stale
        if error.code == .missing, index.state == "open" {
          report.leftovers.append("\(file)")
        } else {
          add("\(file)", kind, error)
        }
      }
    }
  }

  /// A write that was cut short may have left the derivation of an index that is kept.
  private mutating func noteOutdated(
    _ file: StorePath, _ found: [UInt8], _ index: StoreIndex
  ) throws(HyperslabError) {
    for commit in [index.commit - 1, index.commit - 2] where index.state == "open" {
      let old = StoreLayout.oldIndex(commit: commit)
      guard let bytes = try? files.contents(old, limit: StoreIndex.maximumFileByteCount),
        let older = try? StoreIndex(bytes, place: "\(old)")
      else { continue }
      if ZarrMetadata.files(of: older).values.contains(found) {
        report.leftovers.append("\(file)")
        return
      }
    }
    throw HyperslabError(
      .damagedIndex, "the derived metadata is not what the index implies",
      remedy: "The next writer derives it again")
  }

  // MARK: - Data sets

  private mutating func checkDataset(
    _ path: NodePath, _ record: DatasetRecord, _ snapshot: Snapshot
  ) throws(HyperslabError) {
    report.datasets += 1
    let table = snapshot.table(record)
    var isTableSound = true
    for reference in record.runs {
      let file = StoreLayout.run(record.tableDirectory, reference)
      expected.insert(file)
      report.bytesChecked += reference.byteCount
      do { _ = try snapshot.cache.run(reference, of: record, store: snapshot.index.uuid) } catch {
        add("\(file)", .table, error)
        isTableSound = false
      }
    }
    var stored: [(number: Int, row: ChunkRow)] = []
    if isTableSound {
      var filled = 0
      try table.forEachRow { number, row in
        if row.state == .fill { filled += 1 }
        if row.state == .stored { stored.append((number, row)) }
      }
      checkTotals(path, record, stored, filled: filled)
    }
    stored.sort { $0.number < $1.number }
    try checkChunks(stored, path, record, snapshot)
    if !isTableSound { expected.insert(StoreLayout.chunks(path)) }
  }

  private mutating func checkTotals(
    _ path: NodePath, _ record: DatasetRecord, _ stored: [(number: Int, row: ChunkRow)],
    filled: Int
  ) {
    let bytes = stored.reduce(0) { $0 + $1.row.byteCount }
    if stored.count == record.storedChunks, filled == record.fillChunks,
      bytes == record.storedByteCount
    {
      return
    }
    add(
      "slab.json", .index,
      HyperslabError(
        .damagedIndex, "the totals of \(path) and its chunk table disagree",
        expected: "\(record.storedChunks) chunks of \(record.storedByteCount) bytes, "
          + "\(record.fillChunks) of fill",
        found: "\(stored.count) of \(bytes), \(filled)"))
  }

  private mutating func checkChunks(
    _ stored: [(number: Int, row: ChunkRow)], _ path: NodePath, _ record: DatasetRecord,
    _ snapshot: Snapshot
  ) throws(HyperslabError) {
    let format = try record.frameFormat(filter: record.filter ?? .none)
    var places: [UInt32: Int] = [:]
    for (number, row) in stored { places[row.crc] = number }
    let known = places
    let found = Mutex<[VerificationReport.Problem]>([])
    let files = files
    let quick = quick
    try parallelLoop(
      count: stored.count, threads: threads, makeWorker: { ChunkReader(format: format) }
    ) { (reader, position) throws(HyperslabError) in
      let (number, row) = stored[position]
      let chunk = record.grid.index(ofNumber: number)
      let final = StoreLayout.chunk(path, chunk)
      var candidates = [final]
      if let pending = record.pending, pending.rows.contains(where: { $0.contains(number) }) {
        candidates.insert(
          StoreLayout.staged(
            writer: pending.writer, slot: pending.slot, chunk: number, batch: pending.batch), at: 0)
      }
      var failure: HyperslabError?
      for candidate in candidates {
        do throws(HyperslabError) {
          try reader.check(candidate, in: files, row: row, quick: quick)
          failure = nil
          break
        } catch { failure = error }
      }
      guard var failure else { return }
      let kind = Self.kind(of: failure, final, files, format, row, known)
      failure.place = nil
      let problem = VerificationReport.Problem(
        path: "\(final)", chunk: chunk, kind: kind, detail: "\(failure)")
      found.withLock { $0.append(problem) }
    }
    report.problems += found.withLock { $0 }
    report.chunksChecked += stored.count
    report.bytesChecked += quick ? 0 : stored.reduce(0) { $0 + $1.row.byteCount }
    for (number, _) in stored {
      expected.insert(StoreLayout.chunk(path, record.grid.index(ofNumber: number)))
    }
  }

  /// Tells a sound file in the wrong place from a broken one.
  private static func kind(
    of failure: HyperslabError, _ path: StorePath, _ files: any FileSystem, _ format: FrameFormat,
    _ row: ChunkRow, _ known: [UInt32: Int]
  ) -> VerificationReport.Problem.Kind {
    switch failure.code {
    case .missing: return .missing
    case .foreign: return .foreign
    case .swapped, .torn:
      if let crc = soundHeader(path, files, format), crc != row.crc {
        return known[crc] != nil ? .swapped : .stale
      }
      return failure.code == .torn ? .torn : .stale
    default: return .checksum
    }
  }

  /// The header checksum of a file that is a sound frame in itself.
  private static func soundHeader(
    _ path: StorePath, _ files: any FileSystem, _ format: FrameFormat
  ) -> UInt32? {
    guard let file = try? files.open(path), file.byteCount >= format.minimumFileByteCount else {
      return nil
    }
    let memory = ElementBuffer(byteCount: format.prefixByteCount + 4)
    let prefix = UnsafeMutableRawBufferPointer(
      start: memory.pointer, count: format.prefixByteCount)
    let trailer = UnsafeMutableRawBufferPointer(
      start: memory.pointer + format.prefixByteCount, count: 4)
    guard (try? file.read(at: 0, into: prefix)) == prefix.count,
      (try? file.read(at: file.byteCount - 4, into: trailer)) == 4,
      let parsed = try? FramePrefix(
        UnsafeRawBufferPointer(prefix), format: format, fileByteCount: file.byteCount),
      trailer.loadUnaligned(as: UInt32.self) == parsed.trailer
    else { return nil }
    return parsed.headerCRC
  }
}
