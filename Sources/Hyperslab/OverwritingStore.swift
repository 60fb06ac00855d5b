public import HyperslabCore
public import HyperslabFormat

/// A slab store in which creating a data set replaces one that is there.
///
/// The old values stay readable until the commit that ends the write, whatever its options say of commits in
/// between; a write that fails leaves them.
public struct OverwritingStore: ChunkedStore {
  /// The store underneath.
  public let base: SlabStore

  /// Wraps a store.
  public init(_ base: SlabStore) { self.base = base }

  /// Creates a group in the store underneath.
  public func createGroup(
    _ path: NodePath, attributes: JSONObject
  ) throws(HyperslabError) {
    try base.createGroup(path, attributes: attributes)
  }

  /// Creates a data set, or replaces the one that is there.
  public func createDataset(
    _ path: NodePath, _ description: DatasetDescription
  ) throws(HyperslabError) -> SlabDataset {
    if base.contains(path) { return try base.replaceDataset(path, description) }
    return try base.createDataset(path, description)
  }

  /// Opens a data set of the store underneath.
  public func dataset(_ path: NodePath) throws(HyperslabError) -> SlabDataset {
    try base.dataset(path)
  }

  /// Opens a data set as the store underneath has committed it.
  public func committedDataset(_ path: NodePath) throws(HyperslabError) -> SlabDataset {
    try base.committedDataset(path)
  }

  /// Resizes a data set of the store underneath.
  public func resizeDataset(
    _ path: NodePath, to shape: Shape
  ) throws(HyperslabError) -> SlabDataset {
    try base.resizeDataset(path, to: shape)
  }

  /// Forgets what was not committed in the store underneath.
  public func reload() throws(HyperslabError) { try base.reload() }

  /// What the store underneath says.
  public var isShareable: Bool { base.isShareable }

  /// Runs an operation of the store underneath, in which creating a data set replaces one, too, all in one
  /// commit.
  public func operation<R>(
    on path: NodePath, appends: Bool, checkWanted: () throws(HyperslabError) -> Void,
    _ body: (OverwritingStore) throws(HyperslabError) -> R
  ) throws(HyperslabError) -> R {
    try base.operation(on: path, appends: appends, checkWanted: checkWanted) {
      (store) throws(HyperslabError) in
      guard !appends, store.contains(path) else { return try body(OverwritingStore(store)) }
      do { return try store.transaction { try body(OverwritingStore($0)) } } catch {
        throw error as? HyperslabError
          ?? HyperslabError(.cancelled, "not replaced: \(error)", at: "\(path)", cause: error)
      }
    }
  }

  /// Commits the store underneath.
  public func commit() throws(HyperslabError) { try base.commit() }

  /// Begins to commit the store underneath.
  public func beginCommit(
    completion: @escaping @Sendable (Result<Void, HyperslabError>) -> Void
  ) {
    base.beginCommit(completion: completion)
  }
}
