import HyperslabCore

/// Finishing what an index lists as pending: data sets that were replaced or removed change places,
/// staged overwrites reach their final names, derived files follow. Every step may have been done
/// before; doing all again changes nothing.
///
/// What cannot be done for one node keeps none of the others from being settled.
struct Settle {
  let files: any FileSystem
  let durability: Durability
  /// What this store's own programs may have written into derived files.
  var known: FoundDocuments?
  /// What others wrote and was taken in.
  var taken = TakenFiles()

  /// Nodes that could not be settled, and why; the commit stands all the same, and whoever comes next
  /// tries again.
  typealias Stuck = [NodePath: HyperslabError]

  /// Finishes the index of another writer, which may have been killed before that was permanent: an
  /// index that a power cut can still take back must not have its chunks in place.
  ///
  /// - Throws: what leaves it unsure what the disk holds.
  func finish(_ index: StoreIndex, _ cache: RunCache) throws(HyperslabError) -> Stuck {
    if durability == .full { try synchronize([.root]) }
    // Whoever was killed may have been about to do so.
    try? KeptIndex.completeCopy(of: index, files, cache, isPermanent: durability == .full)
    let claim = StoreLayout.claim(commit: index.commit)
    let isClaimed = try files.status(claim) != nil
    // Whoever made the commit removes its claim last.
    let areMoved = try DirectoryMoves.areDone(index, in: files)
    if areMoved, !isClaimed {
      let before = needsRows(index) ? keptIndex(before: index, cache) : nil
      let (touched, stuck) = try placeChunks(
        index, before: before.map { Snapshot(index: $0, cache: cache) }, isOwn: false)
      if durability == .full { try synchronize(touched) }
      return stuck
    }
    let snapshot = Snapshot(index: index, cache: cache)
    var stuck = try move(
      index, before: keptIndex(before: index, cache).map { Snapshot(index: $0, cache: cache) },
      isOwn: false, isPermanent: true, known: FoundDocuments(files: files, snapshot: snapshot))
    var derived = DerivedFiles(files: files, durability: durability)
    // What still is as it was is described as it was.
    try derived.restore(snapshot, only: Set(index.nodes.keys).subtracting(stuck.keys))
    stuck.merge(derived.stuck) { first, _ in first }
    if isClaimed, stuck.isEmpty { try? files.remove(claim) }
    return stuck
  }

  /// Finishes a commit that has just been published.
  ///
  /// - Parameter nodes: Those whose derived files change.
  /// - Throws: what leaves it unsure what the disk holds.
  func finishOwn(
    _ index: StoreIndex, before: Snapshot, deriving nodes: Set<NodePath>
  ) throws(HyperslabError) -> Stuck {
    // What is told of overwritten data sets, a greater length perhaps, must not outlive the chunks.
    let tells = nodes.contains { index.dataset($0)?.pending != nil }
    var stuck = try move(index, before: before, isOwn: true, isPermanent: tells, known: known)
    var derived = DerivedFiles(files: files, durability: durability, known: known)
    derived.taken = taken
    // What still is as it was is described as it was.
    try derived.write(nodes.subtracting(stuck.keys), of: index)
    stuck.merge(derived.stuck) { first, _ in first }
    if let (path, error) = stuck.first(where: { $0.value.code == .missing }) {
      throw HyperslabError(
        .missing, "another program removed what was committed before it had its place",
        at: StoreLayout.node(path).description(below: files.rootDescription), cause: error)
    }
    return stuck
  }

  /// The index before one whose writer was killed.
  private func keptIndex(before index: StoreIndex, _ cache: RunCache) -> StoreIndex? {
    try? KeptIndex.read(StoreLayout.oldIndex(commit: index.commit - 1), files, cache).index
  }

  private func move(
    _ index: StoreIndex, before: Snapshot?, isOwn: Bool, isPermanent: Bool,
    known: FoundDocuments?
  ) throws(HyperslabError) -> Stuck {
    var moves = DirectoryMoves(
      files: files, durability: durability, before: before?.index, isOwn: isOwn, known: known,
      taken: taken)
    try moves.run(index)
    let (touched, stuck) = try placeChunks(index, before: before, isOwn: isOwn)
    // Overwrites of one's own are made permanent by the next commit, which is the first to forget them.
    if durability == .full {
      try synchronize(isPermanent ? touched.union(moves.touched) : moves.touched)
    }
    return stuck.merging(moves.stuck) { first, _ in first }
  }

  /// Whether chunks are yet to be replaced or removed.
  private func needsRows(_ index: StoreIndex) -> Bool {
    index.datasets.contains { $0.record.pending != nil }
  }

  /// What a chunk's file can be that the last commit replaces or removes; nil where that is not known.
  private func rows(
    _ chunk: ChunkIndex, of path: NodePath, in index: StoreIndex, before: Snapshot?
  ) -> [ChunkRow]? {
    guard let before, let record = index.dataset(path) else { return nil }
    guard let old = before.index.dataset(path), old.id == record.id else { return [] }
    // Where a commit before the last left it waiting, what was before that is not known.
    if let pending = old.pending, pending.isOfSameBatch(as: record.pending) { return nil }
    guard old.grid.contains(chunk) else { return [] }
    return (try? before.table(old).row(chunk)).map { [$0] }
  }

  /// Brings staged overwrites to their final names, and removes chunks that are stored no more.
  ///
  /// - Parameter before: What was before, which knows what they replace.
  /// - Returns: the directories whose names may have changed, now or by whoever began.
  private func placeChunks(
    _ index: StoreIndex, before: Snapshot?, isOwn: Bool
  ) throws(HyperslabError) -> (touched: Set<StorePath>, stuck: Stuck) {
    var touched: Set<StorePath> = []
    var stuck: Stuck = [:]
    let places = ChunkPlaces(files: files, taken: taken)
    var gone: Stuck = [:]
    var waiting: [(from: StorePath, to: StorePath, path: NodePath, rows: [ChunkRow]?)] = []
    let presence = Presence(files: files)
    for (path, record) in index.datasets {
      guard let pending = record.pending else { continue }
      attempt(path, &stuck) { () throws(HyperslabError) in
        for (chunk, staged) in pending.staged {
          let target = StoreLayout.chunk(path, chunk)
          if try presence.holds(staged) {
            let rows = rows(chunk, of: path, in: index, before: before)
            waiting.append((staged, target, path, rows))
          } else if isOwn, !pending.isOfSameBatch(as: before?.index.dataset(path)?.pending) {
            gone[path] = HyperslabError(
              .missing, "a staged chunk is gone", at: "\(staged)", chunk: chunk)
          }
          if try presence.canHold(target.parent) { touched.insert(target.parent) }
        }
      }
    }
    stuck.merge(gone) { first, _ in first }
    var parents: Set<StorePath> = []
    var made: Set<StorePath> = []
    for (_, to, path, _) in waiting where made.insert(to.parent).inserted {
      attempt(path, &stuck) { () throws(HyperslabError) in
        parents.formUnion(try files.makeDirectories(to.parent))
      }
      if !isOwn { parents.insert(to.parent.parent) }
    }
    // A power cut that takes a new directory must not take with it what was moved into it.
    if durability == .full { try synchronize(parents) }
    for (from, to, path, rows) in waiting {
      attempt(path, &stuck) { () throws(HyperslabError) in
        try places.replace(to, with: from, rows: rows)
      }
    }
    // Only who crafts an index lists a chunk there that it drops.
    let newest = isOwn ? nil : before.map { Snapshot(index: index, cache: $0.cache) }
    // Directories were made since.
    let after = Presence(files: files)
    for (path, record) in index.datasets {
      guard let pending = record.pending else { continue }
      for number in pending.drop.joined() {
        let chunk = pending.numbering.chunk(number)
        let target = StoreLayout.chunk(path, chunk)
        attempt(path, &stuck) { () throws(HyperslabError) in
          let row = try? newest?.table(record).row(chunk)
          guard row?.state != .stored, try after.canHold(target.parent) else { return }
          try places.remove(target, rows: rows(chunk, of: path, in: index, before: before))
          touched.insert(target.parent)
        }
      }
    }
    return (touched.union(parents).union(waiting.map(\.to.parent)), stuck)
  }

  private func attempt(
    _ path: NodePath, _ stuck: inout Stuck, _ body: () throws(HyperslabError) -> Void
  ) {
    do { try body() } catch { stuck[path] = stuck[path] ?? error }
  }

  /// Makes directories permanent, and the names of those above: who made them may have been killed
  /// before that. One that is gone again has nothing to keep.
  func synchronize(_ directories: Set<StorePath>) throws(HyperslabError) {
    var all = directories
    for directory in directories where !directory.isRoot {
      var above = directory
      // The name of `__slab` became permanent with the store, or when it was opened.
      while !above.isRoot, above != StoreLayout.reserved {
        above = above.parent
        if !all.insert(above).inserted { break }
      }
    }
    if files.synchronizesTogether(all.count) { return try files.synchronizeAll() }
    for directory in all.sorted(by: { $0.description < $1.description }) {
      do { try files.synchronizeDirectory(directory) } catch {
        if error.code != .missing { throw error }
      }
    }
  }
}
