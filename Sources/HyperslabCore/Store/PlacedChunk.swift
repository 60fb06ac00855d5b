/// A chunk and where its elements lie in some memory.
public struct PlacedChunk: Sendable {
  /// Which, in grid coordinates.
  public let chunk: ChunkIndex
  /// Of the chunk's valid shape.
  public let layout: StridedLayout

  /// A chunk whose elements lie as the layout says.
  public init(_ chunk: ChunkIndex, _ layout: StridedLayout) {
    self.chunk = chunk
    self.layout = layout
  }
}
