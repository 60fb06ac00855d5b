extension ChunkedStore {
  /// Refuses: `unsupported`.
  public func resizeDataset(
    _ path: NodePath, to shape: Shape
  ) throws(HyperslabError) -> Dataset {
    throw HyperslabError(
      .unsupported, "data sets in this kind of store keep their shape", at: "\(path)",
      remedy: "Create another data set of that shape")
  }

  /// Opens it like any other.
  public func committedDataset(_ path: NodePath) throws(HyperslabError) -> Dataset {
    try dataset(path)
  }

  /// Does nothing.
  public func reload() throws(HyperslabError) {}

  /// Runs it through this handle.
  public func operation<R>(
    on path: NodePath, appends: Bool, checkWanted: () throws(HyperslabError) -> Void,
    _ body: (Self) throws(HyperslabError) -> R
  ) throws(HyperslabError) -> R {
    try body(self)
  }

  /// Commits, and says so.
  public func beginCommit(
    completion: @escaping @Sendable (Result<Void, HyperslabError>) -> Void
  ) {
    do throws(HyperslabError) {
      try commit()
      completion(.success(()))
    } catch { completion(.failure(error)) }
  }

  /// True.
  public var isShareable: Bool { true }

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
