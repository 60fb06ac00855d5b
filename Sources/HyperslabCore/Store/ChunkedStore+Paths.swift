extension ChunkedStore {
  /// Opens a data set by a path such as `"ecephys/lfp"`.
  ///
  /// - Throws: `invalid_name`, `not_found`, or `wrong_kind` for a group.
  public func dataset(_ path: String) throws(HyperslabError) -> Dataset {
    try dataset(try NodePath(path))
  }

  /// Creates a data set at a path such as `"ecephys/lfp"`.
  ///
  /// - Throws: `invalid_name`, and what ``createDataset(_:_:)-(NodePath,_)`` throws.
  public func createDataset(
    _ path: String, _ description: DatasetDescription
  ) throws(HyperslabError) -> Dataset {
    try createDataset(try NodePath(path), description)
  }

  /// Creates a group at a path such as `"ecephys"`.
  ///
  /// - Throws: `invalid_name`, `already_exists`.
  public func createGroup(
    _ path: String, attributes: JSONObject = [:]
  ) throws(HyperslabError) {
    try createGroup(try NodePath(path), attributes: attributes)
  }
}
