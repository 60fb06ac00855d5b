import HyperslabCodecs
package import HyperslabCore

extension SlabDataset: StreamedDataset {
  package var mostStreamedTogether: Int {
    BlockCoding.mostStreamedTogether(description.compression)
  }

  package func prepare(sample: ElementStream) throws(HyperslabError) {
    _ = try store.writing()
    if sample.box.isEmpty { return }
    _ = try chooseFormat(.stream(sample))
  }

  /// Stages chunks that lie side by side along the last axis, a block of each in turn, while they are read.
  package func writeChunks(
    _ chunks: [ChunkIndex], from stream: ElementStream
  ) throws(HyperslabError) {
    let changes = try store.writing()
    guard let slot else { throw openForReading }
    for chunk in chunks { try checkChunk(chunk) }
    guard let first = chunks.first, let last = chunks.last else { return }
    let box = grid.box(from: first, to: last)
    guard box.shape == stream.box.shape, Array(grid.chunks(touching: box)) == chunks else {
      throw HyperslabError(
        .sizeMismatch, "elements of shape \(stream.box.shape) for the chunks of \(box)", at: place,
        chunk: first)
    }
    let format = try chooseFormat(.stream(stream.part(grid.selection(of: first), in: box)))
    try stage(chunks, format, changes, slot: slot) {
      (encoder, range, sinks) throws(HyperslabError) in
      try encoder.encode(range, of: stream, chunkShape: grid.chunkShape, to: sinks)
    }
  }
}
