import HyperslabCodecs
import HyperslabCore
import Synchronization

/// What the derived files of all nodes are: read once, since what each may be follows from all nodes.
final class FoundStates: Sendable {
  private let states = Mutex<[NodePath: FoundDocuments.State]?>(nil)

  func states(
    _ files: any FileSystem, _ snapshot: Snapshot
  ) -> [NodePath: FoundDocuments.State] {
    if let known = states.withLock({ $0 }) { return known }
    let found = FoundDocuments(files: files, snapshot: snapshot)
      .states(of: Set(snapshot.index.nodes.keys))
    states.withLock { $0 = found }
    return found
  }
}

/// A look at a store by one index, read anew: what each thing in it is found to be.
struct Look {
  let files: any FileSystem
  let quick: Bool
  let snapshot: Snapshot
  /// Whether a writer may be at work, or died whose work nobody has finished: there is a claim or a
  /// writer's directory, or the index says that its writer did not end.
  let hasWork: Bool
  /// What the derived files must be.
  let documents: [NodePath: [UInt8]]
  /// What they are, once somebody asks.
  let found = FoundStates()
  let listing: Listing
  let presence: Presence

  var index: StoreIndex { snapshot.index }

  init(_ files: any FileSystem, quick: Bool, cache: RunCache) throws(HyperslabError) {
    self.files = files
    self.quick = quick
    // Before the index: whoever comes afterwards publishes another one, or is seen by the next look.
    let signs = Self.hasSigns(files)
    snapshot = try Snapshot.read(files, cache: cache)
    hasWork = signs || snapshot.index.state == "open"
    documents = snapshot.forms.documents
    listing = Listing(snapshot.index)
    presence = Presence(files: files)
  }

  /// Where that cannot be told, nothing may be concluded from nobody being there.
  private static func hasSigns(_ files: any FileSystem) -> Bool {
    do throws(HyperslabError) {
      if try files.list(StoreLayout.writers).contains(where: { StoreLayout.isIdentifier($0.name) })
      {
        return true
      }
    } catch { if error.leavesUnchecked { return true } }
    do throws(HyperslabError) {
      for entry in try files.list(StoreLayout.reserved)
      where StoreLayout.claimed(entry.name) != nil && entry.kind == .file {
        let bytes = try? files.contents(StoreLayout.reserved / entry.name, limit: 4096)
        if bytes.map(Provenance.isHolderOrRemains) ?? true { return true }
      }
      return false
    } catch { return error.leavesUnchecked }
  }

  func table(_ record: DatasetRecord) -> ChunkTable { snapshot.table(record) }

  /// What a subject is found to be; nothing where it is sound, or no subject any more.
  func examine(_ subject: Subject) -> [Finding] {
    switch subject {
    case .chunk(let path, let chunk): chunkByItself(path, chunk).map { [$0] } ?? []
    case .run(let path, let reference): run(reference, of: path).map { [$0] } ?? []
    case .totals(let path): totals(of: path).map { [$0] } ?? []
    case .derived(let path): derived(path).map { [$0] } ?? []
    case .keptIndex(let commit): keptIndex(commit)
    case .copy(let commit): copy(commit).map { [$0] } ?? []
    case .newest: newest().map { [$0] } ?? []
    case .lock: lock().map { [$0] } ?? []
    case .extra(let path): extra(path).map(\.finding)
    }
  }

  /// Whether a newer look lists of a subject what this one lists, so that what was found in between
  /// cannot be of a commit that moved on.
  func lists(_ subject: Subject, like newer: Look) -> Bool {
    if index.uuid != newer.index.uuid { return false }
    if index.commit == newer.index.commit { return true }
    switch subject {
    case .chunk(let path, let chunk):
      guard let own = index.dataset(path), let others = newer.index.dataset(path),
        own.id == others.id, let row = try? table(own).row(chunk),
        let other = try? newer.table(others).row(chunk)
      else { return false }
      return row == other
    case .run(let path, let reference):
      return newer.listing.holds(reference, of: path)
    case .derived(let path): return documents[path] == newer.documents[path]
    case .keptIndex, .lock, .extra: return true
    case .copy, .newest, .totals: return false
    }
  }

  // MARK: - Tables

  func run(_ reference: DatasetRecord.RunReference, of path: NodePath) -> Finding? {
    guard let record = index.dataset(path), listing.holds(reference, of: path) else { return nil }
    do throws(HyperslabError) {
      _ = try snapshot.cache.run(reference, of: record, store: index.uuid)
      return nil
    } catch {
      return Finding(StoreLayout.run(record.tableDirectory, reference), .table, error)
    }
  }

  private func totals(of path: NodePath) -> Finding? {
    guard let record = index.dataset(path) else { return nil }
    var totals = record
    totals.resetTotals()
    do throws(HyperslabError) {
      try table(record).forEachRow { _, row in
        totals.count(row, 1)
        totals.statistics.formUnion(row.statistics)
      }
    } catch { return nil }
    return disagreement(of: totals, with: record, path)
  }

  func disagreement(
    of totals: DatasetRecord, with record: DatasetRecord, _ path: NodePath
  ) -> Finding? {
    if totals.hasTotals(of: record) { return nil }
    let error = HyperslabError(
      .damagedIndex, "the totals of \(path) and its chunk table disagree",
      expected: record.totals, found: totals.totals)
    return Finding(StoreLayout.index, .index, error)
  }
}
