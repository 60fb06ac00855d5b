public import HyperslabCore

extension ChunkedStore {
  /// Appends a source's array to a data set, which grows along one axis.
  ///
  /// Each commit grows the data set only as far as it writes: a killed append leaves a shorter
  /// data set without gaps, and its shape tells what of the source is still to be appended. Every
  /// chunk is written once; of the last ones, what they hold is kept.
  ///
  /// Appends to one data set through one store follow one another; one that is cancelled while it waits
  /// for its turn ends at once and has done nothing. Where another process appends, too,
  /// an append that finds the data set grown goes on behind what came first; each block lies there once,
  /// in one piece as far as one commit takes it.
  ///
  /// - Parameters:
  ///   - source: What to append; its shape is the data set's but for the axis.
  ///   - path: The data set.
  ///   - axis: The axis that grows.
  ///   - options: When to commit, threads, memory and cancellation; the rest belongs to creating a
  ///     data set and is left alone.
  ///   - progress: As for ``write(_:to:options:progress:)``, in bytes of the source.
  /// - Returns: the data set in its new shape, written and committed.
  /// - Throws: `invalid_shape` for another shape or beyond the maximum shape, `type_mismatch`,
  ///   `never_written` where the chunks to be completed were never written, and what
  ///   ``write(_:to:options:progress:)`` throws about sources.
  @discardableResult
  public func append<Source: DataChunkSource>(
    _ source: Source, to path: NodePath, axis: Int = 0, options: WriteOptions = WriteOptions(),
    progress: (@Sendable (WriteProgress) -> Void)? = nil
  ) throws(HyperslabError) -> Dataset {
    try operation(
      on: path, appends: true,
      checkWanted: { () throws(HyperslabError) in
        try checkCancelled(options.cancellation, at: path)
      }
    ) { (store) throws(HyperslabError) in
      var job = AppendJob(store, source, path, axis: axis, options, progress)
      try job.run()
    }
    return try committedDataset(path)
  }

  /// The same with the path written as `group/name`.
  @discardableResult
  public func append<Source: DataChunkSource>(
    _ source: Source, to path: String, axis: Int = 0, options: WriteOptions = WriteOptions(),
    progress: (@Sendable (WriteProgress) -> Void)? = nil
  ) throws(HyperslabError) -> Dataset {
    try append(source, to: NodePath(path), axis: axis, options: options, progress: progress)
  }
}
