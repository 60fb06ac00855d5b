import HyperslabCore

extension GenericDataChunkIterator: AsyncSequence {
  /// One buffer.
  public typealias Element = DataChunk

  /// Walks the buffers from the first on; the source is read on a thread of its own, never on one
  /// of the cooperative pool.
  public struct AsyncIterator: AsyncIteratorProtocol {
    private let iterator: GenericDataChunkIterator
    private var position = 0

    init(_ iterator: GenericDataChunkIterator) { self.iterator = iterator }

    /// Reads the next buffer; nil after the last.
    ///
    /// - Throws: what ``GenericDataChunkIterator/next()`` throws; `cancelled` in a cancelled task.
    public mutating func next() async throws -> DataChunk? {
      guard position < iterator.plan.count else { return nil }
      guard !Task.isCancelled else {
        throw HyperslabError(
          .cancelled, "cancelled before buffer \(position) of \(iterator.plan.count)",
          remedy: "A new iteration starts at the first one")
      }
      let (iterator, current) = (iterator, position)
      let chunk = try await Threads.run { () throws(HyperslabError) in
        try iterator.readBuffer(at: current)
      }
      position += 1
      return chunk
    }
  }

  /// Starts at the first buffer.
  public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(self) }
}
