public import HyperslabCore

extension HyperslabError.Code {
  /// A `.npy` file, or a raw file's description, that breaks its format's rules.
  public static let invalidArrayFile = Self(rawValue: "invalid_array_file")
  /// Elements of a type that no data set can hold.
  public static let unsupportedType = Self(rawValue: "unsupported_type")
  /// The system refused to open, read or write a file outside a store.
  public static let fileAccess = Self(rawValue: "io")
  /// An output form that cannot show an array of such a shape.
  public static let unsupportedFormat = Self(rawValue: "unsupported_format")
  /// A store would be made inside another program's Zarr or N5 hierarchy.
  public static let insideZarr = Self(rawValue: "inside_zarr")
}
