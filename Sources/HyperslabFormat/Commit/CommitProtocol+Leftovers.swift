import HyperslabCore

// What a commit leaves so that others can tell what became of it, and what one that failed takes back.

extension CommitProtocol {
  /// A copy of the index under its own number, once it stands for good: proof that it was, should somebody
  /// put an older one back. A copy and no link, since whoever writes into `slab.json` must not write into
  /// it. The commit does not depend on it; but it is sure to be there once nobody is at work any more, so
  /// that damage to it is told as such.
  ///
  /// - Returns: whether nothing of that has still to be done.
  func keepNewIndex(_ root: [UInt8], _ index: StoreIndex) -> Bool {
    let isLast = index.state == "complete"
    do throws(HyperslabError) {
      try KeptIndex.copy(root, of: index, files, isPermanent: isLast && durability == .full)
      return true
    } catch { return !isLast }
  }

  /// Refuses to begin where another program's files stand in the place of a new data set's chunks.
  func refuseOthers(_ places: [StorePath]) throws(HyperslabError) {
    for place in places {
      guard let kind = try files.status(place)?.kind else { continue }
      switch try Provenance(files: files).judge(place, kind).origin {
      case .ours, .nobodys: continue
      case .anothers, .mixed:
        throw HyperslabError(
          .alreadyExists, "another program's files stand where the data set's chunks go",
          at: place.description(below: files.rootDescription),
          remedy: "Take them in with slab adopt, move them elsewhere, or choose another name")
      }
    }
  }

  /// Takes back what a commit placed that failed before its index was published, while the lock is held;
  /// best effort. What stays is found by the next writer, by the runs, which then stay, too.
  ///
  /// - Returns: whether nothing stays, for good.
  func takeBack(_ plan: CommitPlan) -> Bool {
    guard let now = try? Snapshot.read(files, cache: cache).index,
      now.commit == plan.newest.index.commit, now.uuid == plan.newest.index.uuid
    else { return false }
    var emptied: Set<StorePath> = []
    var isDone = true
    for fresh in plan.fresh {
      for chunk in fresh.chunks {
        let (from, to) = (fresh.from / chunk, fresh.to / chunk)
        guard let status = try? files.status(to), status.kind == .file,
          isGone(from),
          (try? Provenance(files: files, quick: true).isFrame(to)) == true
        else { continue }
        if (try? files.remove(to)) == nil { isDone = false }
        emptied.insert(to.parent)
      }
    }
    let changed = emptied
    for directory in emptied {
      var directory = directory
      while !directory.isRoot, !isNode(directory, of: plan.newest.index),
        (try? files.removeDirectory(directory)) != nil
      {
        directory = directory.parent
      }
    }
    for path in plan.incoming {
      guard let record = plan.index.dataset(path) else { continue }
      try? files.removeTree(StoreLayout.incoming(writer: writer, dataset: record.id))
    }
    let temporary = StoreLayout.temporaryIndex(writer: writer)
    try? files.remove(temporary)
    if !isGone(temporary) { isDone = false }
    // A power cut must not bring it back when nobody looks for it any more.
    if (try? synchronize(changed)) == nil { isDone = false }
    if !isDone { return false }
    for run in plan.runs {
      try? files.remove(run.path)
      if !isGone(run.path) { isDone = false }
    }
    return isDone
  }

  private func isGone(_ path: StorePath) -> Bool {
    do { return try files.status(path) == nil } catch { return false }
  }

  private func isNode(_ directory: StorePath, of index: StoreIndex) -> Bool {
    (try? NodePath(directory.description)).map { index.nodes[$0] != nil } ?? false
  }
}
