import HyperslabCodecs
public import HyperslabCore
public import SystemPackage

extension SlabStore {
  /// Checks every file of a store, or of one node and what it holds: presence, length, every
  /// checksum, and that nothing is there that should not be.
  ///
  /// Works beside writers: what looks wrong is looked at again by the newest index before it is told, so
  /// that a commit that moves on is never taken for damage. What the system does not let be looked at is
  /// told apart from damage.
  ///
  /// - Parameters:
  ///   - path: The store.
  ///   - node: What to check; the root is everything.
  ///   - quick: Structure, lengths and headers only; no chunk data is read.
  ///   - threads: How many chunks at a time; nil for one a processor.
  ///   - followsLinks: Whether to read through symbolic links, wherever they point.
  /// - Throws: `not_found`, `not_a_store`, `unsupported_version`, `unsupported_feature`; `io` where not
  ///   even the index can be read; damage is no error but reported.
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
  let cache: RunCache
  var report = VerificationReport()
  /// What looked wrong and has to be looked at again before it is told.
  var suspects: [Subject] = []

  /// - Parameter indexes: Indexes that the caller has read already.
  init(
    files: any FileSystem, node: NodePath, quick: Bool, threads: Int,
    indexes: IndexCache = IndexCache()
  ) {
    self.files = files
    self.node = node
    self.quick = quick
    self.threads = threads
    cache = RunCache(files: files, indexes: indexes)
  }

  var finished: VerificationReport {
    var report = report
    report.problems = Set(report.problems).sorted {
      if !$0.path.hasSameBytes(as: $1.path) { return $0.path.precedesBytewise($1.path) }
      return ($0.kind.rawValue, $0.detail) < ($1.kind.rawValue, $1.detail)
    }
    report.unchecked = Set(report.unchecked).sorted { $0.path.precedesBytewise($1.path) }
    report.leftovers = Set(report.leftovers).sorted { $0.precedesBytewise($1) }
    return report
  }

  mutating func run() throws(HyperslabError) {
    let look: Look
    do { look = try newLook() } catch {
      switch error.code {
      case .damagedIndex, .limit, .foreign, .torn: noteDamagedIndex(error)
      // Another version that fails the self-check is far more likely a damaged version number.
      case .unsupportedVersion where !indexHolds(): noteDamagedIndex(error)
      default: throw error
      }
      return
    }
    guard look.index.nodes[node] != nil else {
      throw HyperslabError(.notFound, "no such node", at: "\(files.rootDescription)/\(node)")
    }
    examine([.newest, .copy(look.index.commit), .lock], look)
    examine(look.index.keptCommits.map { .keptIndex($0) }, look)
    examine(look.index.nodes.keys.filter(isAskedFor).map { .derived($0) }, look)
    for (path, record) in look.index.datasets where isAskedFor(path) {
      report.datasets += 1
      try checkDataset(path, record, look)
    }
    var walk = StoreWalk(look, node: node)
    walk.run()
    for (subject, findings) in walk.found { note(findings, of: subject) }
    try confirm()
    tellSwapped(look.snapshot)
    compareViews(try newLook().index)
  }

  func newLook() throws(HyperslabError) -> Look { try Look(files, quick: quick, cache: cache) }

  func isAskedFor(_ path: NodePath) -> Bool {
    path == node || path.isDescendant(of: node) || node == .root
  }

  private func indexHolds() -> Bool {
    guard let bytes = try? files.contents(StoreLayout.index, limit: StoreIndex.maximumFileByteCount)
    else { return false }
    return SelfCheck.holds(bytes)
  }

  /// An index is replaced whole, so that nothing that a writer does looks like this. Nothing else is
  /// known then but whether what repair goes by is sound.
  private mutating func noteDamagedIndex(_ error: HyperslabError) {
    var told = error
    // What repair cannot do is not to be promised.
    do throws(HyperslabError) {
      _ = try Repairer(files: files, threads: threads).findIndex()
    } catch { if error.isDamage { told.remedy = error.remedy } }
    tell(Finding(StoreLayout.index, .index, told))
    for entry in (try? files.list(StoreLayout.reserved)) ?? []
    where StoreLayout.kept(entry.name) != nil {
      let path = StoreLayout.reserved / entry.name
      do throws(HyperslabError) { _ = try KeptIndex.read(path, files, cache) } catch {
        tell(Finding(path, .index, error))
      }
    }
  }

  // MARK: - Findings

  private mutating func examine(_ subjects: [Subject], _ look: Look) {
    for subject in subjects { note(look.examine(subject), of: subject) }
  }

  /// Puts down what a first look found; what is wrong is not told yet.
  mutating func note(_ findings: [Finding], of subject: Subject) {
    for finding in findings {
      if case .problem(let problem) = finding, problem.kind.isDamage {
        suspects.append(subject)
      } else {
        tell(finding)
      }
    }
  }

  mutating func tell(_ finding: Finding) {
    switch finding {
    case .problem(let problem): report.problems.append(problem)
    case .leftover(let path): report.leftovers.append(path)
    case .unchecked(let unchecked): report.unchecked.append(unchecked)
    }
  }

  // MARK: - Data sets

  mutating func checkDataset(
    _ path: NodePath, _ record: DatasetRecord, _ look: Look
  ) throws(HyperslabError) {
    var isTableSound = true
    for reference in record.runs {
      report.bytesChecked += reference.byteCount
      if let finding = look.run(reference, of: path) {
        note([finding], of: .run(path, reference))
        isTableSound = false
      }
    }
    if !isTableSound { return }
    var stored: [(chunk: ChunkIndex, row: ChunkRow)] = []
    var totals = record
    totals.resetTotals()
    do throws(HyperslabError) {
      try look.table(record).forEachRow { chunk, row in
        totals.count(row, 1)
        totals.statistics.formUnion(row.statistics)
        if row.state == .stored { stored.append((chunk, row)) }
      }
    } catch {
      // Of more runs than are held in memory, one was just removed, or cannot be read.
      for reference in record.runs { suspects.append(.run(path, reference)) }
      return
    }
    if let finding = look.disagreement(of: totals, with: record, path) {
      note([finding], of: .totals(path))
    }
    try checkChunks(stored, path, record, look)
  }
}
