public import HyperslabCore

/// What repairing a store did.
public struct RepairReport: Sendable {
  /// One thing that was put right, or given up.
  public struct Action: Sendable, Hashable {
    /// The file, relative to the store.
    public let path: String
    /// The chunk, where the file is one's.
    public let chunk: ChunkIndex?
    /// What was wrong, as verification names it.
    public let kind: VerificationReport.Problem.Kind
    /// What was done about it.
    public let action: String
  }

  /// The commit that the store was found at; nil where nothing said so any more.
  public internal(set) var commitBefore: Int?
  /// The commit that it is at now.
  public internal(set) var commitAfter = 0
  /// What was done, in order.
  public internal(set) var actions: [Action] = []
  /// What verification still names: things that are none of the store's, harmless or not, and what can
  /// only be taken in, not put right.
  public internal(set) var remaining: [VerificationReport.Problem] = []
  /// What the system did not let be looked at.
  public internal(set) var unchecked: [VerificationReport.Unchecked] = []

  /// Whether anything was done.
  public var changed: Bool { !actions.isEmpty }
  /// Whether the store is sound now.
  public var ok: Bool { !isDamaged && unchecked.isEmpty }
  /// Whether something remains that verification takes for damage.
  public var isDamaged: Bool { remaining.contains { $0.kind.isDamage } }
}
