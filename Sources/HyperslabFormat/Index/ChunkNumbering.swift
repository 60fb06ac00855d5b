import HyperslabCore

/// The numbers of chunks in C order of one grid; they mean nothing without it (Spec, "Chunk
/// numbers").
///
/// All numberings of a data set's chunks agree in order, since C order is the order of coordinates.
struct ChunkNumbering: Hashable, Sendable {
  let gridShape: Shape
  /// How many numbers there are.
  let count: Int

  /// The numbering of a grid; nil where numbers exceed 64 bits or an axis is negative.
  init?(_ gridShape: Shape) {
    guard let count = gridShape.elementCount, gridShape.allSatisfy({ $0 >= 0 }) else { return nil }
    self.gridShape = gridShape
    self.count = count
  }

  init(_ grid: ChunkGrid) {
    gridShape = grid.gridShape
    count = grid.chunkCount
  }

  /// A chunk's number; nil where the grid does not have it.
  func number(of chunk: ChunkIndex) -> Int? {
    guard chunk.coordinates.count == gridShape.rank else { return nil }
    var number = 0
    for (coordinate, length) in zip(chunk.coordinates, gridShape) {
      guard coordinate >= 0, coordinate < length else { return nil }
      // Cannot wrap unless a later axis is empty, and then the guard ends it in nil.
      number = number &* length &+ coordinate
    }
    return number
  }

  /// The chunk of a number below ``count``.
  func chunk(_ number: Int) -> ChunkIndex {
    ChunkIndex(gridShape.coordinates(ofNumber: number))
  }

  /// The number that the chunk of a number has in another numbering; nil where it has none.
  func translate(_ number: Int, to other: ChunkNumbering) -> Int? {
    self == other ? number : other.number(of: chunk(number))
  }

  /// The numbering of the smallest grid that has the chunks of both; nil where it would be too large.
  func union(_ other: ChunkNumbering) -> ChunkNumbering? {
    if self == other { return self }
    guard gridShape.rank == other.gridShape.rank,
      let union = ChunkNumbering(Shape(zip(gridShape, other.gridShape).map { Swift.max($0, $1) })),
      union.count <= StoreIndex.maximumChunkCount
    else { return nil }
    return union
  }
}

extension ChunkIndex {
  /// The coordinates as they stand in a staged file's name; empty at rank 0.
  var key: String { coordinates.map(String.init).joined(separator: ".") }
}
