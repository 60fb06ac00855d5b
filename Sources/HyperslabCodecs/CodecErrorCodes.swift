public import HyperslabCore

extension HyperslabError.Code {
  /// A file shorter or longer than it must be.
  public static let torn = Self(rawValue: "torn")
  /// Bytes that do not match their checksum.
  public static let checksum = Self(rawValue: "checksum")
}
