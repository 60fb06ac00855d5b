import HyperslabCore
import Synchronization

/// An index as one file holds it, with what follows from it worked out once.
struct KnownIndex: Sendable {
  let bytes: [UInt8]
  let index: StoreIndex
  let forms: DerivedForms

  init(_ bytes: [UInt8], _ index: StoreIndex) {
    self.bytes = bytes
    self.index = index
    forms = DerivedForms(index)
  }

  /// What the index that is made on it says of those before it.
  var predecessors: [StoreIndex.Predecessor] {
    let own = StoreIndex.Predecessor(commit: index.commit, bytes: bytes)
    return (own.map { [$0] } ?? []) + index.predecessors
  }
}

/// Indexes that were read lately, by their bytes: the newest, and those that are kept beside it.
///
/// Verify and repair ask for the same few again and again, and reading one takes longer than all that is
/// done with it. What was found unreadable is remembered, too.
final class IndexCache: Sendable {
  private struct Older {
    let bytes: [UInt8]
    let place: String
    let outcome: Result<KnownIndex, HyperslabError>
  }

  private struct State {
    var newest: KnownIndex?
    /// The one asked for last comes last.
    var older: [Older] = []
  }

  /// All that are kept of small ones; of large ones the two before the newest, and a copy of it.
  private static let olderByteCount = 2 << 20
  private static let fewest = 3
  /// Each is compared with what is looked for.
  private static let most = 64

  private let state = Mutex(State())

  /// The index that `slab.json` holds. Of one much like that before it only the difference is worked out.
  func newest(_ bytes: [UInt8], place: String) throws(HyperslabError) -> KnownIndex {
    let before = state.withLock { $0.newest }
    if let before, before.bytes == bytes { return before }
    let known = KnownIndex(bytes, try StoreIndex(bytes, place: place, known: before?.index))
    state.withLock { $0.newest = known }
    return known
  }

  /// Puts in an index that was just written.
  func insert(_ index: StoreIndex, _ bytes: [UInt8]) {
    let known = KnownIndex(bytes, index)
    state.withLock { $0.newest = known }
  }

  /// An index that may be another than the newest one.
  func older(_ bytes: [UInt8], place: String) throws(HyperslabError) -> KnownIndex {
    let newest = state.withLock { $0.newest }
    if let newest, newest.bytes == bytes { return newest }
    if let outcome = lookUp(bytes, place) { return try outcome.get() }
    let outcome: Result<KnownIndex, HyperslabError>
    do throws(HyperslabError) {
      let index = try StoreIndex(bytes, place: place, known: newest?.index)
      outcome = .success(KnownIndex(bytes, index))
    } catch { outcome = .failure(error) }
    put(Older(bytes: bytes, place: place, outcome: outcome))
    return try outcome.get()
  }

  /// Forgets all but the newest: a writer goes on for long, and needs the others at its beginning.
  func forgetOlder() { state.withLock { $0.older = [] } }

  private func lookUp(
    _ bytes: [UInt8], _ place: String
  ) -> Result<KnownIndex, HyperslabError>? {
    state.withLock { state in
      // What is wrong with one is told with its place.
      let found = state.older.firstIndex { older in
        if case .failure = older.outcome, older.place != place { return false }
        return older.bytes == bytes
      }
      guard let found else { return nil }
      let older = state.older.remove(at: found)
      state.older.append(older)
      return older.outcome
    }
  }

  private func put(_ older: Older) {
    state.withLock { state in
      state.older.append(older)
      var byteCount = state.older.reduce(0) { $0 + $1.bytes.count }
      while byteCount > Self.olderByteCount && state.older.count > Self.fewest
        || state.older.count > Self.most
      {
        byteCount -= state.older.removeFirst().bytes.count
      }
    }
  }
}
