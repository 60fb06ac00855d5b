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
    /// What becomes of a node's attributes, where those were taken.
    public var attributes: AttributeChanges?
  }

  /// What taking in another program's attributes of a node did to the node's own, by their names.
  public struct AttributeChanges: Sendable, Hashable {
    /// Those that are new.
    public internal(set) var set: [String] = []
    /// Those that have another value now.
    public internal(set) var changed: [String] = []
    /// Those that are no more.
    public internal(set) var removed: [String] = []
    /// Where all are kept as they were, relative to the store, if one was changed or removed.
    public internal(set) var kept: String?
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

extension AdoptionReport.AttributeChanges: CustomStringConvertible {
  /// A line.
  public var description: String {
    let parts = [("sets", set), ("changes", changed), ("removes", removed)].compactMap {
      (verb, names) in
      names.isEmpty
        ? nil : "\(verb) " + names.map { JSONValue.string($0).text() }.joined(separator: ", ")
    }
    let kept = kept.map { "; as they were: \($0)" } ?? ""
    return (parts.isEmpty ? "none, and the unit stays" : parts.joined(separator: ", ")) + kept
  }
}
