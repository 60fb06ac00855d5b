import HyperslabCodecs
public import HyperslabCore
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
  ///   - followsLinks: Whether to read through symbolic links, wherever they point.
  /// - Throws: `not_found`, `not_a_store`, `unsupported_version`, `unsupported_feature`; damage is
  ///   no error but reported.
  public static func verify(
    _ path: FilePath, node: NodePath = .root, quick: Bool = false, threads: Int? = nil,
    followingLinks followsLinks: Bool = false
  ) throws(HyperslabError) -> VerificationReport {
    var verifier = Verifier(
      files: try LocalFileSystem(root: path, followingLinks: followsLinks), node: node,
      quick: quick,
      threads: threads ?? Machine.processorCount)
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
  var report = VerificationReport()
  /// Every file that may be there, as far as the index tells.
  var expected: Set<StorePath> = []

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
        checkOldIndexes(newest: nil)
        return
      // Another version that fails the self-check is far more likely a damaged version number.
      case .unsupportedVersion where !indexHolds():
        add("slab.json", .index, error)
        checkOldIndexes(newest: nil)
        return
      default: throw error
      }
    }
    guard snapshot.index.nodes[node] != nil else {
      throw HyperslabError(.notFound, "no such node", at: "\(files.rootDescription)/\(node)")
    }
    let index = snapshot.index
    expected.insert(StoreLayout.index)
    checkOldIndexes(newest: index)
    checkDerived(index)
    for (path, record) in index.datasets
    where path == node || path.isDescendant(of: node) || node == .root {
      try checkDataset(path, record, snapshot)
    }
    tellSwapped(snapshot)
    try StoreWalk(files: files, index: index, expected: expected, node: node).run(&report)
    compareViews(index)
  }

  private func indexHolds() -> Bool {
    guard let bytes = try? files.contents(StoreLayout.index, limit: StoreIndex.maximumFileByteCount)
    else { return false }
    return SelfCheck.holds(bytes)
  }

  mutating func add(
    _ path: String, _ kind: VerificationReport.Problem.Kind, _ error: HyperslabError,
    chunk: ChunkIndex? = nil
  ) {
    var plain = error
    plain.place = nil
    plain.chunk = nil
    report.problems.append(.init(path: path, chunk: chunk, kind: kind, detail: "\(plain)"))
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
    var stored: [(chunk: ChunkIndex, row: ChunkRow)] = []
    if isTableSound {
      var totals = record
      totals.resetTotals()
      try table.forEachRow { chunk, row in
        totals.count(row, 1)
        totals.statistics.formUnion(row.statistics)
        if row.state == .stored { stored.append((chunk, row)) }
      }
      if !totals.hasTotals(of: record) {
        add(
          "slab.json", .index,
          HyperslabError(
            .damagedIndex, "the totals of \(path) and its chunk table disagree",
            expected: record.totals, found: totals.totals))
      }
    }
    try checkChunks(stored, path, record, snapshot)
    if !isTableSound { expected.insert(StoreLayout.chunks(path)) }
  }
}
