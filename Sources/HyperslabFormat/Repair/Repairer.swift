import HyperslabCodecs
import HyperslabCore
import SystemPackage

/// One repair of a store, from the root of the chain of trust to its ends: the index, the chunk
/// tables, the chunk files, the kept older indexes, and what nothing refers to.
///
/// Files are only ever moved to where the index on the disk already says they are, or out of the way
/// to `__slab/lost`, until one new index is published. So a repair that is cut short has lost
/// nothing that the next one needs, and the next one comes to the same result.
struct Repairer {
  let files: any FileSystem
  let threads: Int
  /// Names temporary files, as a writer's identifier does.
  let writer = StoreLayout.newIdentifier()
  let cache: RunCache
  var report = RepairReport()
  /// Directories with names that an index to be published relies on.
  var touched: Set<StorePath> = []
  /// Runs of the index to be published.
  var newRuns: [StorePath: [UInt8]] = [:]
  var storeUUID = ""
  /// The number of the index to be published.
  var nextCommit = 0
  /// Chunks that stay although something is wrong: sound ones that hold something beyond the array, of
  /// which no repair can tell the right, and those that another program wrote, for it to take in.
  var keptChunks: [VerificationReport.Problem] = []
  /// The last commit that came to be.
  var lastCommit = 0
  /// What may still be guessed of lost runs.
  var guessBudget = TableSalvage.guesses
  /// Whether rows were lost, so that files that no index lists may be worth keeping.
  var keepsOrphans = false
  /// What was in `__slab/lost` before, or was moved there and told.
  var lost: Set<String> = []
  /// Whether the index in memory is another than the one on the disk.
  var isChanged = false

  init(files: any FileSystem, threads: Int) {
    self.files = files
    self.threads = threads
    cache = RunCache(files: files)
  }

  mutating func run() throws(HyperslabError) {
    // Before the lock, which may have to be created: where nothing can be done nothing is touched.
    _ = try findIndex()
    let lock = try takeLock()
    defer { lock.release() }
    try files.refuseLivingWriters()
    lost = files.lostNames()
    let found = try findIndex()
    report.commitBefore = found.commitOnDisk
    nextCommit = found.nextCommit
    storeUUID = found.index.uuid
    isChanged = found.isRebuilt
    let isDoubtful = try NewerIndex.isDoubtful(found.index, files)
    keepsOrphans = found.isRebuilt || found.isOneOfSeveral || isDoubtful
    var index = try found.index.confirmingPending(files, cache)
    lastCommit = index.commit
    try adopt(found)
    // An index that a power cut can still take back must not have its chunks in place.
    try files.synchronizeDirectory(.root)
    try clearWay(index)
    try settleRemovals(index)
    for (path, record) in index.datasets {
      if let repaired = try repairTable(path, record, index) {
        index.nodes[path] = .dataset(repaired)
        isChanged = true
      }
      if let later = found.later[path], let base = index.dataset(path) {
        index.nodes[path] = .dataset(try rollForward(path, base, later, index))
      }
    }
    try repairChunks(&index)
    try synchronize(&touched)
    if isChanged { try publish(&index) }
    try repairKeptIndexes(&index)
    try sweep(index)
    report.commitAfter = index.commit
  }

  // MARK: - Who else is there

  private mutating func takeLock() throws(HyperslabError) -> any FileLock {
    try makeReserved()
    let status = try files.status(StoreLayout.lock)
    let isOwn = status?.kind == .file ? try files.hasOwnLock() : false
    if status != nil, !isOwn {
      try setAside(StoreLayout.lock, named: "lock", .foreign)
    } else if status == nil {
      note(StoreLayout.lock, .missing, "created")
    }
    return try StoreLock(files: files, patience: .zero).acquire(writer: writer)
  }

  // MARK: - Report

  mutating func note(
    _ path: StorePath, _ kind: VerificationReport.Problem.Kind, _ action: String,
    chunk: ChunkIndex? = nil
  ) {
    report.actions.append(.init(path: "\(path)", chunk: chunk, kind: kind, action: action))
  }
}

extension HyperslabError {
  /// Whether it tells of what lies on the disk, and not of a disk that did not answer or of rights
  /// that are missing: nothing may be given up for those.
  var isDamage: Bool {
    switch code {
    case .io: cause as? Errno == .ioError
    case .noSpace, .outOfMemory: false
    default: true
    }
  }

  /// Whether it is of a symbolic link where a file should be.
  var tellsOfLink: Bool { code == .foreign && cause as? Errno == .tooManySymbolicLinkLevels }
}
