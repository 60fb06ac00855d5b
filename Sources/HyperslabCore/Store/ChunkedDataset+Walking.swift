extension ChunkedDataset {
  /// Asks for the state of one chunk after the other.
  public func forEachWrittenChunk(
    _ body: (ChunkIndex, ChunkState) throws(HyperslabError) -> Void
  ) throws(HyperslabError) {
    for chunk in grid.chunks {
      let state = try state(of: chunk)
      if state != .neverWritten { try body(chunk, state) }
    }
  }
}
