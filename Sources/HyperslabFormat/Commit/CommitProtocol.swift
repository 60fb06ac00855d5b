import HyperslabCodecs
import HyperslabCore

/// The commit, step by step (Spec, "Commit"). The order is the guarantee: each step was shown to
/// matter by leaving it out.
struct CommitProtocol {
  let files: any FileSystem
  let durability: Durability
  let writer: String
  let cache: RunCache
  let patience: Duration
  /// Whether the private directory holds no more of this batch than what the changes list, so that whole
  /// directories of it may take their names.
  let movesDirectories: Bool
  /// Whether the names in it are permanent like the files.
  let namesArePermanent: Bool
  /// Nodes whose files another program wrote and which may be replaced.
  var adopting: Set<NodePath> = []
  /// What others wrote and was taken in.
  var taken = TakenFiles()
  /// The commit of which this session knows that all is in its place and permanent.
  let settled: Int?

  /// What a commit leaves that did not go well.
  struct Aftermath {
    /// What makes it unsure what the disk holds, if anything does; also after a commit that stands but
    /// whose overwrites could not take their names.
    var doubt: HyperslabError?
    /// Whether the changes can never be published any more, since their files were given up.
    var isSpent = false
    /// What of a commit that stands could not be brought to its place.
    var stuck: Settle.Stuck?
    /// The commit, where all of it is in its place and permanent.
    var settled: Int?
  }

  /// Publishes changes made against `base`.
  ///
  /// - Returns: the snapshot that readers now see.
  func run(
    _ changes: Changes, base: StoreIndex, closing: Bool, aftermath: inout Aftermath
  ) throws(HyperslabError) -> Snapshot {
    var unsure = false
    do throws(HyperslabError) {
      return try attempt(
        changes, base: base, closing: closing, unsure: &unsure, aftermath: &aftermath)
    } catch {
      if !unsure { throw error }
      aftermath.doubt = error
      throw error.remedied(
        "It may have been committed all the same: close the store, open it again and look before "
          + "you repeat it")
    }
  }

  /// - Throws: `conflict` or `locked` with nothing done; with `unsure` the outcome is unknown.
  private func attempt(
    _ changes: Changes, base: StoreIndex, closing: Bool, unsure: inout Bool,
    aftermath: inout Aftermath
  ) throws(HyperslabError) -> Snapshot {
    // 1. The staged files are permanent: the session waited for that.
    // 2. Lock, newest index, claim.
    let lock = try StoreLock(files: files, patience: patience).acquire(writer: writer)
    defer { lock.release() }
    let newest = try Snapshot.read(files, cache: cache)
    guard newest.index.uuid == base.uuid else {
      throw HyperslabError(
        .conflict, "the store was replaced by another one", at: files.rootDescription,
        remedy: "Close it and open the one that is there")
    }
    guard newest.index.commit >= base.commit else {
      throw HyperslabError(
        .olderIndex, "slab.json is older than what this session began with",
        at: files.rootDescription,
        expected: "commit \(base.commit) or later", found: "commit \(newest.index.commit)",
        remedy: "Close the store and put the newest back with SlabStore.repair (slab repair)")
    }
    let claim = Claim(files: files, writer: writer)
    let isTakenOver = try claim.take(commit: newest.index.commit + 1)
    var keepsClaim = false
    defer { if !keepsClaim { try? claim.release(commit: newest.index.commit + 1) } }
    // The claim keeps others out even where somebody took the lock's file away; until here nothing did.
    try newest.checkNewest(files)
    // What tells of the one who died in this commit goes with it.
    if isTakenOver {
      var sweep = OrphanSweep(files: files, snapshot: newest, commit: newest.index.commit)
      sweep.run()
      try synchronize(sweep.touched)
    }
    // 3. An older commit's pending files reach their names, for good, before an index forgets them.
    var settle = Settle(files: files, durability: durability)
    var stuck: Settle.Stuck = [:]
    if newest.index.commit != settled {
      unsure = true
      stuck = try settle.finish(newest.index.confirmingPending(files, cache), cache)
      unsure = false
    }
    // 4. Conflicts.
    var plan = try CommitPlan(
      changes, newest: newest, base: base, writer: writer,
      stuck: stuck.filter { !adopting.contains($0.key) },
      adopting: adopting, taken: taken)
    let derived = DerivedFiles.changed(plan.described, from: newest.index, to: plan.index)
    var known = FoundDocuments(files: files, snapshot: newest)
    try known.checkReplaceable(
      derived.union(plan.described).subtracting(adopting), described: plan.described,
      keeping: plan.index)
    let isLast = closing && !plan.index.hasPending
    if isLast, try !hasOtherWriters() {
      plan.index.state = "complete"
    } else {
      plan.index.state = "open"
    }
    plan.index.isCopied = plan.index.state == "complete"
    plan.index.predecessors = newest.predecessors
    plan.index.time = Timestamp.now()
    plan.index.writer = "hyperslab \(SlabStore.version)"
    let root = try plan.index.encode()
    try refuseOthers(plan.orphans)

    unsure = true
    var canTakeBack = true
    do throws(HyperslabError) { try make(plan, root, &canTakeBack) } catch {
      aftermath.isSpent = true
      unsure = !takeBack(plan) || !canTakeBack
      throw error
    }
    unsure = false
    keepsClaim = true
    let isCopied = keepNewIndex(root, plan.index)
    let outdated = StoreLayout.oldIndex(commit: newest.index.commit - 2)
    try? KeptIndex.clear(outdated, of: newest.index.uuid, files)
    for path in plan.unneeded { try? files.remove(path) }
    // 8 and 9. What was replaced or removed changes places, overwrites take their names, derived files
    // follow. The claim stays until all of it is done: whoever opens next does the rest.
    do throws(HyperslabError) {
      known.successor = DerivedForms(plan.index)
      (settle.known, settle.taken) = (known, taken)
      let own = try settle.finishOwn(plan.index, before: newest, deriving: derived)
      // What an older commit left stays so, unless this one wrote it anew.
      let left = own.merging(
        stuck.filter { !derived.contains($0.key) || plan.index.dataset($0.key)?.pending != nil }
      ) { own, _ in own }
      keepsClaim = !left.isEmpty || !isCopied
      aftermath.stuck = left
      // Overwrites are made permanent by the next commit.
      if !keepsClaim, !plan.index.hasPending { aftermath.settled = plan.index.commit }
    } catch {
      // The index stands, but not what it lists.
      unsure = error.code == .missing
      if unsure { throw error }
      aftermath.doubt = error
    }
    // While the lock is held, so that of writers that close at once the last one sees no other.
    if isLast { try? files.removeTree(StoreLayout.staging(writer: writer)) }
    cache.insert(plan.index, root)
    return Snapshot(index: plan.index, cache: cache)
  }

  /// Steps 5 to 7. The runs come first: they tell whoever finds that this writer died what it has placed.
  ///
  /// - Parameter canTakeBack: Whether a failure leaves nothing that cannot be taken back. A file whose
  ///   fsync failed is given up; what became of a directory then nobody knows, nor of the index once it is
  ///   being renamed.
  private func make(
    _ plan: CommitPlan, _ root: [UInt8], _ canTakeBack: inout Bool
  ) throws(HyperslabError) {
    // 5. Chunk-table runs.
    try keepOldIndex(plan.newest.index)
    let tables = try write(plan.runs)
    canTakeBack = false
    try synchronize(tables.union([StoreLayout.reserved]))
    canTakeBack = true
    // 6. Fresh chunks take their names; overwrites stay staged until the commit stands.
    try clear(plan.orphans)
    var placement = Placement(
      files: files, movesDirectories: movesDirectories && plan.unneeded.isEmpty,
      namesArePermanent: namesArePermanent)
    for (path, record) in plan.index.datasets {
      // What an earlier commit could not settle, it has set aside.
      guard let pending = record.pending,
        !pending.isOfSameBatch(as: plan.newest.index.dataset(path)?.pending)
      else { continue }
      try placement.setAside(pending)
    }
    for chunks in plan.fresh { try placement.place(chunks) }
    let staging: Set = [StoreLayout.staging(writer: writer), StoreLayout.writers]
    let touched = placement.touched.union(try prepare(plan))
    canTakeBack = false
    try synchronize(touched.union(plan.index.hasPending ? staging : []))
    canTakeBack = true
    files.removeEmptied(placement.emptied, below: StoreLayout.staging(writer: writer))
    // 7. The commit.
    let temporary = StoreLayout.temporaryIndex(writer: writer)
    if try files.status(temporary) != nil { try files.remove(temporary) }
    try files.create(temporary, contents: root, synchronize: durability == .full)
    canTakeBack = false
    try files.rename(temporary, to: StoreLayout.index)
    try synchronize([.root])
  }

  /// Whether another writer is at work, or died and left what recovery has still to look at.
  private func hasOtherWriters() throws(HyperslabError) -> Bool {
    guard try files.status(StoreLayout.writers) != nil else { return false }
    return try files.list(StoreLayout.writers).contains {
      $0.name != writer && StoreLayout.isIdentifier($0.name)
    }
  }

  /// What stands where a new data set's chunks go, and in another shape than these would stand in their
  /// way. What a writer that died left there was swept; this may be another store's, copied here.
  private func clear(_ orphans: [StorePath]) throws(HyperslabError) {
    for path in orphans where try files.status(path) != nil {
      _ = try files.setAside(path)
    }
  }

  /// Completes the directories that take others' places after the commit: what describes each, and the
  /// mark that it has yet to.
  ///
  /// - Returns: the directories with new names.
  private func prepare(_ plan: CommitPlan) throws(HyperslabError) -> Set<StorePath> {
    var touched: Set<StorePath> = []
    let documents = ZarrMetadata.files(of: plan.index, only: Set(plan.incoming))
    for path in plan.incoming {
      guard let record = plan.index.dataset(path), let document = documents[path] else { continue }
      let directory = StoreLayout.incoming(writer: writer, dataset: record.id)
      touched.formUnion(try files.makeDirectories(directory))
      let isFull = durability == .full
      try files.create(directory / "zarr.json", contents: document, synchronize: isFull)
      try files.create(
        directory / StoreLayout.arrivalMark, contents: [], synchronize: isFull)
      touched.insert(directory)
    }
    return touched
  }

  /// The last two indexes stay under other names, for repair only; sure to be there before the commit.
  /// So is the claim on it then, which tells of a writer that died what may be left of it.
  private func keepOldIndex(_ index: StoreIndex) throws(HyperslabError) {
    let kept = StoreLayout.oldIndex(commit: index.commit)
    // What its own commit left is not permanent, and may be half a copy.
    try KeptIndex.clear(kept, of: index.uuid, files)
    do { try files.link(StoreLayout.index, to: kept) } catch {
      // Some disks know no links.
      let bytes = try files.contents(StoreLayout.index, limit: StoreIndex.maximumFileByteCount)
      try files.create(kept, contents: bytes, synchronize: durability == .full)
    }
  }

  /// - Returns: the directories with new names.
  private func write(
    _ runs: [(path: StorePath, bytes: [UInt8])]
  ) throws(HyperslabError) -> Set<StorePath> {
    var touched: Set<StorePath> = []
    for run in runs {
      touched.formUnion(try files.makeDirectories(run.path.parent))
      // The same rows in the same commit of a writer that died: the name tells the contents.
      if try files.status(run.path) != nil { try files.remove(run.path) }
      do { try files.create(run.path, contents: run.bytes, synchronize: durability == .full) } catch
      {
        try? files.remove(run.path)
        throw error
      }
      touched.insert(run.path.parent)
    }
    return touched
  }

  func synchronize(_ directories: Set<StorePath>) throws(HyperslabError) {
    if durability == .full {
      try Settle(files: files, durability: durability).synchronize(directories)
    }
  }
}
