import HyperslabCodecs
import HyperslabCore

extension StoreIndex {
  /// A few chunks of a store are settled whatever else is known of them.
  private static let fewPendingChunks = 4096

  /// The index with no more chunks pending than there is something for on the disk.
  ///
  /// An index of a kilobyte can claim millions. Each has a row in a run, so that the runs, read, say how
  /// many it can be. Where they are lost, the staged files do; then what was dropped stays as an orphan.
  func confirmingPending(
    _ files: any FileSystem, _ cache: RunCache
  ) throws(HyperslabError) -> StoreIndex {
    var result = self
    var few = Self.fewPendingChunks
    for (path, record) in nodes.records {
      guard let pending = record.pending else { continue }
      let count = pending.chunkCount
      if count <= few {
        few -= count
        continue
      }
      var known = 0
      for reference in record.runs.reversed() where known < count {
        do { known += try cache.run(reference, of: record, store: uuid).rows.count } catch {
          guard error.isDamage else { throw error }
        }
      }
      if known >= count { continue }
      var confirmed = record
      confirmed.pending?.rows = .init(rising: try pending.stagedNumbers(files))
      confirmed.pending?.drop = []
      result.nodes[path] = .dataset(confirmed)
    }
    return result
  }
}

extension DatasetRecord.Pending {
  /// The numbers of the chunks that have a staged file, rising.
  fileprivate func stagedNumbers(_ files: any FileSystem) throws(HyperslabError) -> [Int] {
    let directory = StoreLayout.staging(writer: writer)
    guard try files.status(directory)?.kind == .directory else { return [] }
    var numbers: [Int] = []
    for entry in try files.list(directory) where entry.kind == .file {
      let parts = entry.name.split(separator: "-", omittingEmptySubsequences: false)
      guard parts.count == 3 else { continue }
      let coordinates = parts[1].split(separator: ".").map { StoreLayout.coordinate(String($0)) }
      let chunk = ChunkIndex(coordinates.map { $0 ?? -1 })
      if let file = stagedFile(of: chunk), file.name == entry.name,
        let number = numbering.number(of: chunk)
      {
        numbers.append(number)
      }
    }
    return numbers.sorted()
  }
}
