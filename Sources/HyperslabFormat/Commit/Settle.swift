import HyperslabCore

/// Finishing what an index lists as pending: removed data sets to the trash, staged overwrites to
/// their final names. Every step may have been done before; doing all again changes nothing.
struct Settle {
  let files: any FileSystem
  let durability: Durability

  /// Finishes the index of another writer, which may have been killed before that was permanent: an
  /// index that a power cut can still take back must not have its chunks in place.
  func finish(_ index: StoreIndex) throws(HyperslabError) {
    if durability == .full { try synchronize([.root]) }
    let touched = try run(index, isOwn: false)
    if durability == .full { try synchronize(touched) }
  }

  /// Carries out what is missing.
  ///
  /// - Parameter isOwn: Whether nobody else can have begun with it.
  /// - Returns: the directories whose names may have changed, now or by whoever began.
  func run(_ index: StoreIndex, isOwn: Bool) throws(HyperslabError) -> Set<StorePath> {
    var touched = try removeDatasets(index)
    // After a power cut a successor's chunks must not be taken for its predecessor's.
    if durability == .full { try synchronize(touched) }
    touched.formUnion(try place(index, isOwn: isOwn))
    for (path, record) in index.datasets {
      guard let pending = record.pending else { continue }
      for number in pending.drop.joined() {
        let target = StoreLayout.chunk(path, pending.numbering.chunk(number))
        if try files.status(target) != nil { try files.remove(target) }
        touched.insert(target.parent)
      }
    }
    return touched
  }

  private func place(
    _ index: StoreIndex, isOwn: Bool
  ) throws(HyperslabError) -> Set<StorePath> {
    var touched: Set<StorePath> = []
    var waiting: [(from: StorePath, to: StorePath)] = []
    for (path, record) in index.datasets {
      guard let pending = record.pending else { continue }
      for (chunk, staged) in pending.staged {
        let target = StoreLayout.chunk(path, chunk)
        if try files.status(staged) != nil { waiting.append((staged, target)) }
        touched.insert(target.parent)
      }
    }
    var parents: Set<StorePath> = []
    for directory in Set(waiting.map(\.to.parent)) {
      parents.formUnion(try files.makeDirectories(directory))
      if !isOwn { parents.insert(directory.parent) }
    }
    // A power cut that takes a new directory must not take with it what was moved into it.
    if durability == .full { try synchronize(parents) }
    for (from, to) in waiting { try files.rename(from, to: to) }
    return touched.union(parents)
  }

  func removeDatasets(_ index: StoreIndex) throws(HyperslabError) -> Set<StorePath> {
    var touched: Set<StorePath> = []
    for removal in index.removed {
      guard let id = removal.id else { continue }
      let target = StoreLayout.trash(dataset: id)
      let chunks = StoreLayout.chunks(removal.path)
      // The trash holds it: what stands at the path now is its successor's. So something must lie
      // in the trash even for a data set that never stored a chunk.
      if try files.status(target) == nil {
        touched.formUnion(try files.makeDirectories(StoreLayout.trash))
        if try files.status(chunks) != nil, try !isSuccessorInPlace(removal.path, index) {
          try files.rename(chunks, to: target)
        } else {
          _ = try files.makeDirectory(target)
        }
      }
      touched.insert(StoreLayout.trash)
      touched.insert(chunks.parent)
    }
    return touched
  }

  /// Whether the data set that stands where one was removed has files at their names already: then
  /// somebody has emptied the trash since, and with it the mark that the old one's were moved.
  private func isSuccessorInPlace(
    _ path: NodePath, _ index: StoreIndex
  ) throws(HyperslabError) -> Bool {
    guard let pending = index.dataset(path)?.pending else { return false }
    for (_, staged) in pending.staged where try files.status(staged) == nil { return true }
    return false
  }

  /// Makes directories permanent, and the names of those above: who made them may have been killed
  /// before that. One that is gone again has nothing to keep.
  func synchronize(_ directories: Set<StorePath>) throws(HyperslabError) {
    let all = directories.union(directories.flatMap(\.ancestors))
    if files.synchronizesTogether(all.count) { return try files.synchronizeAll() }
    for directory in all.sorted(by: { $0.description < $1.description }) {
      do { try files.synchronizeDirectory(directory) } catch {
        if error.code != .missing { throw error }
      }
    }
  }
}
