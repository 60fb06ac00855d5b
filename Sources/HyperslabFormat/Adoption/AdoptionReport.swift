public import HyperslabCore

/// What taking in what other programs wrote into a store did.
public struct AdoptionReport: Sendable {
  /// One thing that another program wrote.
  public struct Item: Sendable, Hashable {
    /// The node or file, relative to the store.
    public let path: String
    /// The chunk, where it is one.
    public let chunk: ChunkIndex?
    /// What was taken of it, or why nothing was.
    public let detail: String
  }

  /// The commit that the store was found at.
  public internal(set) var commitBefore = 0
  /// The commit that it is at now.
  public internal(set) var commitAfter = 0
  /// What belongs to the store now.
  public internal(set) var taken: [Item] = []
  /// What could not be taken; it is where it was.
  public internal(set) var left: [Item] = []
}
