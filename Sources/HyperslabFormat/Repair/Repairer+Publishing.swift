import HyperslabCodecs
import HyperslabCore

// New indexes, and the two kept before the newest.

extension Repairer {
  /// Publishes the index in memory, in the order of a commit: files and tables first, then the
  /// index, then nothing more that matters.
  mutating func publish(_ index: inout StoreIndex) throws(HyperslabError) {
    guard nextCommit <= StoreIndex.maximumCommit else {
      throw HyperslabError(.limit, "commit \(index.commit) is the last that can be")
    }
    let previous = try currentIndex()
    index.commit = nextCommit
    index.removed = []
    for (path, record) in index.datasets where record.pending != nil || record.incoming != nil {
      var settled = record
      settled.pending = nil
      settled.incoming = nil
      index.nodes[path] = .dataset(settled)
    }
    index.isCopied = true
    index.predecessors = previous?.predecessors ?? []
    index.time = Timestamp.now()
    index.writer = "hyperslab \(SlabStore.version)"
    let bytes = try index.encode()
    cache.insert(index, bytes)
    for path in newRuns.keys.sorted(by: { $0.description < $1.description }) {
      if let bytes = newRuns[path] { try replace(path, with: bytes) }
    }
    newRuns = [:]
    if let previous {
      let kept = StoreLayout.oldIndex(commit: previous.index.commit)
      try clearKept(kept)
      try replace(kept, with: previous.bytes)
    }
    try synchronize(&touched)
    try replace(StoreLayout.index, with: bytes)
    try synchronize(&touched)
    let (copy, oldest) = (
      StoreLayout.oldIndex(commit: index.commit), StoreLayout.oldIndex(commit: index.commit - 3)
    )
    for path in [copy, oldest] { try clearKept(path) }
    try replace(copy, with: bytes)
    if !keepsOrphans, try files.status(oldest) != nil { try files.remove(oldest) }
    nextCommit += 1
    isChanged = false
  }

  /// What stands under the name of a kept index and does not begin as one is somebody's.
  private mutating func clearKept(_ path: StorePath) throws(HyperslabError) {
    guard let status = try files.status(path) else { return }
    if status.kind == .file, try Provenance.beginsAsIndex(path, of: storeUUID, in: files) { return }
    try setAside(path, named: path.name, .index)
  }

  /// The index on the disk, if it is sound.
  private func currentIndex() throws(HyperslabError) -> KnownIndex? {
    guard let bytes = try contents(StoreLayout.index) else { return nil }
    return try? cache.indexes.older(bytes, place: "\(StoreLayout.index)")
  }

  /// The contents of a file; nil for one that is missing, damaged beyond reading, or none at all.
  func contents(_ path: StorePath) throws(HyperslabError) -> [UInt8]? {
    do { return try files.contents(path, limit: StoreIndex.maximumFileByteCount) } catch {
      guard error.isDamage else { throw error }
      return nil
    }
  }

  /// Restores the two indexes before the newest, and the runs that they list; where that cannot be,
  /// publishes the newest again until the two before it are sound.
  mutating func repairKeptIndexes(_ index: inout StoreIndex) throws(HyperslabError) {
    for _ in 0..<2 {
      var areSound = true
      for commit in [index.commit - 1, index.commit - 2] where commit >= 0 {
        areSound = try repairKeptIndex(commit, of: index) && areSound
      }
      if areSound { break }
      note(
        StoreLayout.index, .index,
        "published again as commit \(nextCommit), since an index kept before it is lost")
      try publish(&index)
    }
    let copy = StoreLayout.oldIndex(commit: index.commit)
    if index.isCopied, try files.status(copy) == nil { try repairCopy(copy, nil, of: index) }
    for entry in try files.list(StoreLayout.reserved) where entry.name.hasPrefix("root-") {
      let path = StoreLayout.reserved / entry.name
      guard let commit = StoreLayout.kept(entry.name) else { continue }
      if index.keptCommits.contains(commit) { continue }
      let bytes = entry.kind == .file ? try contents(path) : nil
      if commit == index.commit {
        try repairCopy(path, bytes, of: index)
        continue
      }
      // Intact ones that a commit could not remove are nobody's loss, nor are copies that were cut short.
      let isNewer = commit > index.commit
      if let bytes, !isNewer, !keepsOrphans,
        Provenance.isIndexOrRemains(bytes, of: index.uuid, cache)
      {
        try files.remove(path)
        note(path, .orphan, "removed")
      } else {
        try setAside(path, named: entry.name, .index)
      }
    }
    try synchronize(&touched)
  }

  /// The copy of the newest index, where there is one that is not that.
  private mutating func repairCopy(
    _ path: StorePath, _ found: [UInt8]?, of index: StoreIndex
  ) throws(HyperslabError) {
    guard let newest = try contents(StoreLayout.index), found != newest else { return }
    if found == nil, try files.status(path) == nil {
      note(path, .missing, "copied again")
    } else if let found, Provenance.isIndexOrRemains(found, of: index.uuid, cache) {
      note(path, .index, "copied again")
    } else {
      try setAside(path, named: path.name, .index)
    }
    try replace(path, with: newest)
  }

  private func soundIndex(_ bytes: [UInt8], _ path: StorePath, of index: StoreIndex) -> StoreIndex?
  {
    let old = try? KeptIndex.check(bytes, path, cache).index
    return old?.uuid == index.uuid ? old : nil
  }

  private mutating func repairKeptIndex(
    _ commit: Int, of index: StoreIndex
  ) throws(HyperslabError) -> Bool {
    let path = StoreLayout.oldIndex(commit: commit)
    guard let bytes = try contents(path) else { return false }
    var sound = soundIndex(bytes, path, of: index)
    if sound == nil, let corrected = Correction.ofIndex(bytes) {
      sound = soundIndex(corrected.bytes, path, of: index)
      if sound != nil {
        try replace(path, with: corrected.bytes)
        note(path, .index, corrected.action)
      }
    }
    guard let old = sound else { return false }
    for (_, record) in old.datasets {
      for reference in record.runs {
        let file = StoreLayout.run(record.tableDirectory, reference)
        guard let found = try contents(file) else { return false }
        if found.count == reference.byteCount, CRC32C.of(found) == reference.crc { continue }
        guard try correct(file, found, reference) else { return false }
      }
    }
    return true
  }

  /// Corrects a run where its checksum tells what it was.
  mutating func correct(
    _ file: StorePath, _ found: [UInt8], _ reference: DatasetRecord.RunReference
  ) throws(HyperslabError) -> Bool {
    guard let corrected = Correction.of(found, crc: reference.crc),
      corrected.bytes.count == reference.byteCount, SelfCheck.holds(corrected.bytes)
    else { return false }
    try replace(file, with: corrected.bytes)
    note(file, .table, corrected.action)
    return true
  }
}
