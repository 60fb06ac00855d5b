import HyperslabCore
import Synchronization

/// What an index lists, to be asked for often: each part is worked out once, when it is first asked for.
final class Listing: Sendable {
  private struct State {
    var runs: Set<StorePath>?
    var removed: Set<StorePath>?
    var references: [NodePath: Set<DatasetRecord.RunReference>] = [:]
  }

  private let index: StoreIndex
  private let state = Mutex(State())

  init(_ index: StoreIndex) { self.index = index }

  /// Whether a data set's table has a run.
  func holds(_ reference: DatasetRecord.RunReference, of path: NodePath) -> Bool {
    let known = state.withLock { $0.references[path]?.contains(reference) }
    if let known { return known }
    guard let record = index.dataset(path) else { return false }
    let references = Set(record.runs)
    state.withLock { $0.references[path] = references }
    return references.contains(reference)
  }

  /// Whether a path is a node that the commit removed, or below one.
  func isRemoved(_ path: StorePath) -> Bool {
    let removed =
      state.withLock { $0.removed } ?? Set(index.removed.map { StoreLayout.node($0.path) })
    state.withLock { $0.removed = removed }
    if removed.isEmpty { return false }
    return removed.contains(path) || path.ancestors.contains { removed.contains($0) }
  }

  /// The runs that the index and those kept before it list.
  func runs(_ files: any FileSystem, _ cache: RunCache) -> Set<StorePath> {
    if let known = state.withLock({ $0.runs }) { return known }
    var runs: Set<StorePath> = []
    for known in [index] + KeptIndex.all(before: index, files, cache).map(\.index) {
      for (_, record) in known.datasets {
        for reference in record.runs {
          runs.insert(StoreLayout.run(record.tableDirectory, reference))
        }
      }
    }
    state.withLock { $0.runs = runs }
    return runs
  }
}
