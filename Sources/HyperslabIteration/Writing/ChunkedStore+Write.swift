public import HyperslabCore

extension ChunkedStore {
  /// Creates a data set, or continues one, and writes an iterator's array into it, buffer by buffer.
  ///
  /// Shape, maximum shape, element type and chunk shape come from the iterator. The chunks of a
  /// buffer are encoded in parallel, straight from the buffer's memory; the next buffer is read
  /// meanwhile where both fit into the memory allowed, and no buffer is allocated at all for a
  /// source that lends its memory. All of the iterator's buffers are written, whether or not
  /// ``GenericDataChunkIterator/next()`` was called before.
  ///
  /// With ``WriteOptions/resume`` a data set that is there is continued: what its options say must
  /// agree with what is asked for, and its values with the source's (trusted where both have the
  /// same fingerprint, compared otherwise); then only chunks that nobody wrote are read and written,
  /// and nothing at all is committed where none are missing. With ``WriteOptions/part`` several
  /// processes do this together; whoever comes first creates the data set.
  ///
  /// - Parameters:
  ///   - iterator: The data, and how to walk them.
  ///   - path: Where the data set goes; nothing may be there unless the write resumes.
  ///   - options: Everything else.
  ///   - progress: Called after each commit, and now and then between, one call at a time but on
  ///     any thread. It must not write to the store.
  /// - Returns: the data set, written and committed.
  /// - Throws: `memory_budget`, `cancelled`, `source_too_short`, `source_too_long`,
  ///   `source_failed`, `type_mismatch`, `resume_mismatch`, what ``createDataset(_:_:)`` refuses, and the store's own
  ///   errors. What its own commits made durable stays; all else is as if it had never been begun.
  @discardableResult
  public func write<Source>(
    _ iterator: GenericDataChunkIterator<Source>, to path: NodePath,
    options: WriteOptions = WriteOptions(), progress: (@Sendable (WriteProgress) -> Void)? = nil
  ) throws(HyperslabError) -> Dataset {
    try operation(
      on: path, appends: false,
      checkWanted: { () throws(HyperslabError) in
        try checkCancelled(options.cancellation, at: path)
      }
    ) { (store) throws(HyperslabError) in
      var job = WriteJob(store, iterator, path, options, progress)
      _ = try job.run()
    }
    return try committedDataset(path)
  }

  /// Creates a data set at a path written as `group/name` and writes an iterator's array into it.
  ///
  /// - Throws: `invalid_name`, and what the form with a ``HyperslabCore/NodePath`` throws.
  @discardableResult
  public func write<Source>(
    _ iterator: GenericDataChunkIterator<Source>, to path: String,
    options: WriteOptions = WriteOptions(), progress: (@Sendable (WriteProgress) -> Void)? = nil
  ) throws(HyperslabError) -> Dataset {
    try write(iterator, to: NodePath(path), options: options, progress: progress)
  }

  /// The same write for those who live in asynchronous code: it runs on threads of its own, never on
  /// the cooperative pool, and ends as ``Cancellation`` says when the task is cancelled.
  @discardableResult
  public func writeInBackground<Source>(
    _ iterator: GenericDataChunkIterator<Source>, to path: NodePath,
    options: WriteOptions = WriteOptions(), progress: (@Sendable (WriteProgress) -> Void)? = nil
  ) async throws -> Dataset {
    let cancellation = options.cancellation ?? Cancellation()
    var options = options
    options.cancellation = cancellation
    let settled = options
    return try await withTaskCancellationHandler {
      try await Threads.run {
        () throws(HyperslabError) in
        try write(iterator, to: path, options: settled, progress: progress)
      }
    } onCancel: {
      cancellation.cancel()
    }
  }

  /// The same with the path written as `group/name`.
  @discardableResult
  public func writeInBackground<Source>(
    _ iterator: GenericDataChunkIterator<Source>, to path: String,
    options: WriteOptions = WriteOptions(), progress: (@Sendable (WriteProgress) -> Void)? = nil
  ) async throws -> Dataset {
    try await writeInBackground(
      iterator, to: NodePath(path), options: options, progress: progress)
  }
}

extension ChunkedStore {
  /// Looks at what others have committed, so that what met a conflict can be tried again.
  ///
  /// - Throws: `conflict` itself where that cannot be: in a transaction, which begins again as a whole.
  func reload(after conflict: HyperslabError) throws(HyperslabError) {
    do { try reload() } catch {
      throw error.code == .invalidValue ? conflict : error
    }
  }
}
