public import HyperslabCore

/// What checking a store found.
public struct VerificationReport: Sendable {
  /// One thing that is not as it should be.
  public struct Problem: Sendable, Hashable {
    /// What kind of thing.
    public enum Kind: String, Sendable, CaseIterable {
      /// A file that the index lists is not there.
      case missing
      /// A file of the wrong length.
      case torn
      /// Bytes that do not match their checksum.
      case checksum
      /// A sound chunk file that belongs to another chunk of the store.
      case swapped
      /// A sound file of another time: an older chunk, or derived metadata that is out of date.
      case stale
      /// A file of the store's own making that nothing refers to.
      case orphan
      /// `slab.json` or a kept older one is damaged, or is older than what the store keeps.
      case index
      /// A run of a chunk table is damaged.
      case table
      /// Something that does not belong into a store, or that another program wrote over the store's own.
      case foreign
      /// What systems drop into every directory, and directories that hold nothing; no damage.
      case foreignHarmless = "foreign-harmless"

      /// Whether a store with it is damaged.
      public var isDamage: Bool { self != .foreignHarmless }
    }

    /// The file, relative to the store.
    public let path: String
    /// The chunk, where the file is one's.
    public let chunk: ChunkIndex?
    /// The kind.
    public let kind: Kind
    /// What was expected and found.
    public let detail: String
  }

  /// Something that the system did not let be looked at, which says nothing about it.
  public struct Unchecked: Sendable, Hashable {
    /// The file or directory, relative to the store.
    public let path: String
    /// What the system said.
    public let detail: String
  }

  /// Data sets looked at.
  public internal(set) var datasets = 0
  /// Chunk files looked at; those that could not be are not among them.
  public internal(set) var chunksChecked = 0
  /// Bytes of the files looked at.
  public internal(set) var bytesChecked = 0
  /// What is wrong, and what is named although it does no harm, by path.
  public internal(set) var problems: [Problem] = []
  /// What could not be looked at, by path: no rights, a disk that does not answer, too many open files.
  public internal(set) var unchecked: [Unchecked] = []
  /// What an unfinished or running write left, and the next writer sweeps; no damage.
  public internal(set) var leftovers: [String] = []

  /// Where a Zarr reader sees something else than the index says, a line each. That is no damage where a
  /// commit is not quite finished.
  public internal(set) var zarrDifferences: [String] = []

  /// Whether Zarr readers see what the index says.
  public enum ZarrView: String, Sendable {
    /// They do.
    case same
    /// They see something else; ``VerificationReport/zarrDifferences`` says what.
    case differs
  }

  /// Whether Zarr readers see what the index says.
  public var zarrView: ZarrView { zarrDifferences.isEmpty ? .same : .differs }

  /// Whether something is damaged.
  public var isDamaged: Bool { problems.contains { $0.kind.isDamage } }
  /// Whether everything could be looked at and nothing is damaged.
  public var ok: Bool { !isDamaged && unchecked.isEmpty }
}

extension HyperslabError {
  /// Whether it tells of a system that did not let something be looked at, and nothing of what lies
  /// there.
  var leavesUnchecked: Bool { [.io, .noSpace, .outOfMemory].contains(code) }
}
