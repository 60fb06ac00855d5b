import HyperslabCore

// Whether a Zarr reader sees what a reader of the index sees.

extension Verifier {
  private mutating func differ(_ what: String) { report.zarrDifferences.append(what) }

  /// Finds, when all else is known, what a Zarr reader would take for values that no index lists, and
  /// what a commit has made valid that has not reached its place yet.
  mutating func compareViews(_ index: StoreIndex) {
    for problem in report.problems where problem.chunk != nil {
      differ("\(problem.path): not the chunk that the index lists")
    }
    let derived = Set(index.nodes.keys.filter(isAskedFor).map { "\(StoreLayout.zarr($0))" })
    for problem in report.problems where derived.contains(problem.path) {
      differ("\(problem.path): \(problem.detail)")
    }
    for file in report.leftovers where derived.contains(file) {
      differ("\(file): not there, or of an earlier commit")
    }
    let datasets = index.datasets.filter { isAskedFor($0.path) }
    let found = report.problems.filter { $0.chunk == nil }.map(\.path) + report.leftovers
    for (path, record) in datasets {
      let start = "\(StoreLayout.chunks(path))"
      for place in found where place == start || place.hasPrefix(start + "/") {
        let names = StorePath(place).components.dropFirst(StorePath(start).components.count)
        let coordinates = names.compactMap { StoreLayout.coordinate($0) }
        guard coordinates.count == names.count, coordinates.count == record.grid.rank,
          record.grid.contains(ChunkIndex(coordinates))
        else { continue }
        differ("\(place): a chunk that the index does not list")
      }
      if let pending = record.pending {
        let waiting = pending.staged.contains { (try? files.status($0.path)) != nil }
        let dropping = pending.drop.joined().contains { number in
          let chunk = pending.numbering.chunk(number)
          return record.grid.contains(chunk)
            && (try? files.status(StoreLayout.chunk(path, chunk))) != nil
        }
        if waiting || dropping { differ("\(path): overwritten chunks wait for their places") }
      }
      if let writer = record.incoming {
        let staged = StoreLayout.incoming(writer: writer, dataset: record.id)
        if (try? files.status(staged / StoreLayout.arrivalMark)) != nil {
          differ("\(path): a new data set waits for its place")
        }
      }
    }
    for removal in index.removed where isAskedFor(removal.path) && index.nodes[removal.path] == nil
    {
      guard (try? files.status(StoreLayout.zarr(removal.path))) != nil else { continue }
      differ("\(removal.path): removed, and still there")
    }
  }
}
