public import HyperslabCore

extension HyperslabError.Code {
  /// The operating system refused; `cause` says why.
  public static let io = Self(rawValue: "io")
  /// The disk or the quota is full.
  public static let noSpace = Self(rawValue: "no_space")
  /// A file that the index lists is not there.
  public static let missing = Self(rawValue: "missing")
  /// A chunk file that belongs to another chunk or to an older commit.
  public static let swapped = Self(rawValue: "swapped")
  /// Something that is not a regular file, or no file of a store, where one should be.
  public static let foreign = Self(rawValue: "foreign")
  /// `slab.json` is damaged.
  public static let damagedIndex = Self(rawValue: "index")
  /// `slab.json` is older than what the store keeps: somebody put it back.
  public static let olderIndex = Self(rawValue: "older_index")
  /// A run of a chunk table is damaged.
  public static let damagedTable = Self(rawValue: "table")
  /// A directory that is no slab store.
  public static let notAStore = Self(rawValue: "not_a_store")
  /// A store of another format version.
  public static let unsupportedVersion = Self(rawValue: "unsupported_version")
  /// A store that needs something this version does not know.
  public static let unsupportedFeature = Self(rawValue: "unsupported_feature")
  /// Another writer holds the store, or its lock cannot be trusted.
  public static let locked = Self(rawValue: "locked")
  /// Writers kept committing faster than a read could finish.
  public static let busy = Self(rawValue: "busy")
  /// The data set was replaced or reshaped under an open handle.
  public static let snapshotChanged = Self(rawValue: "snapshot_changed")
  /// An earlier failure left it unsure what the disk holds; only reopening helps.
  public static let poisoned = Self(rawValue: "poisoned")
  /// A transaction ended while something that belonged to it still ran.
  public static let unfinished = Self(rawValue: "unfinished")
}
