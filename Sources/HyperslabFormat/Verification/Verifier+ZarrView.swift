import HyperslabCore

// Whether a Zarr reader sees what a reader of the index sees.

extension Verifier {
  private mutating func differ(_ what: String) { report.zarrDifferences.append(what) }

  /// Finds, when all else is known, what a Zarr reader would take for values that no index lists, and
  /// what a commit has made valid that has not reached its place yet.
  mutating func compareViews(_ index: StoreIndex) {
    // Where that cannot be told it is told already what could not be read.
    let confirmed = try? index.confirmingPending(files, cache)
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
    for place in found {
      guard let (path, chunk) = StoreLayout.chunkPlace(StorePath(place)), isAskedFor(path),
        index.dataset(path)?.grid.contains(chunk) == true
      else { continue }
      differ("\(place): a chunk that the index does not list")
    }
    let presence = Presence(files: files)
    for (path, record) in datasets {
      if let pending = confirmed?.dataset(path)?.pending {
        let waiting = pending.staged.contains { (try? presence.holds($0.path)) == true }
        let dropping = pending.drop.joined().contains { number in
          let chunk = pending.numbering.chunk(number)
          return record.grid.contains(chunk)
            && (try? presence.holds(StoreLayout.chunk(path, chunk))) == true
        }
        if waiting || dropping { differ("\(path): overwritten chunks wait for their places") }
      }
      if let writer = record.incoming {
        let staged = StoreLayout.incoming(writer: writer, dataset: record.id)
        if (try? presence.holds(staged / StoreLayout.arrivalMark)) == true {
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
