public import HyperslabCore

extension HyperslabError.Code {
  /// A file shorter or longer than it must be.
  public static let torn = Self(rawValue: "torn")
  /// Bytes that do not match their checksum.
  public static let checksum = Self(rawValue: "checksum")
  /// A chunk too large for its frame, or a block size that cannot be.
  public static let chunkTooLarge = Self(rawValue: "chunk_too_large")
}
