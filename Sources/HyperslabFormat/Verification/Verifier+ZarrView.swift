import HyperslabCore

// Whether a Zarr reader sees what a reader of the index sees.

extension Verifier {
  /// Compares the `zarr.json` files with what the index implies.
  mutating func checkDerived(_ index: StoreIndex) {
    let documents = FoundDocuments(files: files, index: index)
    let states = documents.states(of: Set(index.nodes.keys.filter(isChecked)))
    let first =
      states.contains { if case .same = $0.value { false } else { true } }
      ? ZarrMetadata.files(of: index, only: Set(states.keys), form: .plain) : [:]
    for path in states.keys.sorted() {
      let file = StoreLayout.zarr(path)
      expected.insert(file)
      switch states[path] {
      case .same, nil: break
      case .missing:
        differ("\(file): not there, or empty")
        if index.state == "open" {
          report.leftovers.append("\(file)")
        } else {
          add("\(file)", .missing, HyperslabError(.missing, "is not there", remedy: Self.derives))
        }
      case .outdated:
        // What does not say what the index leaves open says nothing else.
        if let bytes = first[path], (try? files.contents(file, limit: bytes.count)) == bytes {
          break
        }
        differ("\(file): of an earlier commit")
        if index.state == "open" {
          report.leftovers.append("\(file)")
        } else {
          add(
            "\(file)", .stale,
            HyperslabError(.damagedIndex, "of an earlier commit", remedy: Self.derives))
        }
      case .junk:
        differ("\(file): no Zarr metadata")
        add(
          "\(file)", .stale, HyperslabError(.damagedIndex, "no Zarr metadata", remedy: Self.derives)
        )
      case .foreign:
        differ("\(file): changed by another program")
        add(
          "\(file)", .stale,
          HyperslabError(
            .foreign, "not what the index implies: another program changed it",
            remedy: "slab adopt takes in what it says, slab repair puts it aside"))
      case .unreadable(let error):
        differ("\(file): \(error.what)")
        add("\(file)", error.code == .foreign ? .foreign : .stale, error)
      }
    }
  }

  private static let derives = "The next writer derives it again"

  func isChecked(_ path: NodePath) -> Bool {
    node == .root || path == node || path.isDescendant(of: node)
  }

  private mutating func differ(_ what: String) { report.zarrDifferences.append(what) }

  /// Finds, when all else is known, what a Zarr reader would take for values that no index lists, and
  /// what a commit has made valid that has not reached its place yet.
  mutating func compareViews(_ index: StoreIndex) {
    for problem in report.problems where problem.chunk != nil {
      differ("\(problem.path): not the chunk that the index lists")
    }
    let datasets = index.datasets.filter { isChecked($0.path) }
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
    for removal in index.removed where isChecked(removal.path) && index.nodes[removal.path] == nil {
      guard (try? files.status(StoreLayout.zarr(removal.path))) != nil else { continue }
      differ("\(removal.path): removed, and still there")
    }
  }
}
