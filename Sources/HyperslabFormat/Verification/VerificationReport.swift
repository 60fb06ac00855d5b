public import HyperslabCore

/// What checking a store found.
public struct VerificationReport: Sendable {
  /// One thing that is wrong.
  public struct Problem: Sendable, Hashable {
    /// What kind of thing.
    public enum Kind: String, Sendable {
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
      /// A file of the store's own kind that nothing refers to.
      case orphan
      /// `slab.json` or a kept older one is damaged.
      case index
      /// A run of a chunk table is damaged.
      case table
      /// Something that does not belong into a store.
      case foreign
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

  /// Data sets looked at.
  public internal(set) var datasets = 0
  /// Chunk files looked at.
  public internal(set) var chunksChecked = 0
  /// Bytes of the files looked at.
  public internal(set) var bytesChecked = 0
  /// What is wrong, by path.
  public internal(set) var problems: [Problem] = []
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

  /// Whether nothing is wrong.
  public var ok: Bool { problems.isEmpty }
}
