/// Where a chunk stands in its grid: one coordinate an axis, slowest first.
public struct ChunkIndex: Hashable, Sendable, ExpressibleByArrayLiteral, CustomStringConvertible {
  /// The coordinates.
  public let coordinates: [Int]
  /// The chunk at the given coordinates.
  public init(_ coordinates: [Int]) { self.coordinates = coordinates }
  /// A chunk written as a literal: `[0, 3]`.
  public init(arrayLiteral elements: Int...) { coordinates = elements }
  /// As a key: `0/3`, empty at rank 0.
  public var description: String { coordinates.map(String.init).joined(separator: "/") }
}

/// The regular division of an array into chunks: all of one shape, the last on an axis possibly
/// reaching beyond the array.
///
/// `gridShape[i] = ⌈arrayShape[i] / chunkShape[i]⌉`. An edge chunk is stored at full `chunkShape`;
/// its *valid* part is what lies inside the array. Chunks are numbered in C order, last axis fastest.
public struct ChunkGrid: Hashable, Sendable {
  /// The array's shape; axes may be 0.
  public let arrayShape: Shape
  /// The chunks' shape; every axis at least 1.
  public let chunkShape: Shape
  /// The number of chunks along each axis.
  public let gridShape: Shape
  /// The number of chunks; 0 when an axis is empty, 1 at rank 0.
  public let chunkCount: Int

  /// Divides an array into chunks.
  ///
  /// - Throws: `invalid_shape` when ranks differ, an axis is negative or a chunk axis below 1;
  ///   `overflow` when the number of chunks exceeds 64 bits.
  public init(arrayShape: Shape, chunkShape: Shape) throws(HyperslabError) {
    guard arrayShape.rank == chunkShape.rank else {
      throw HyperslabError(
        .invalidShape, "chunk shape \(chunkShape) and array shape \(arrayShape) differ in rank",
        expected: "\(arrayShape.rank) axes", found: "\(chunkShape.rank)")
    }
    for axis in arrayShape.indices where arrayShape[axis] < 0 || chunkShape[axis] < 1 {
      throw HyperslabError(
        .invalidShape, "axis \(axis) of array \(arrayShape) in chunks of \(chunkShape)",
        expected: "a length of at least 0 and a chunk length of at least 1",
        found: "\(arrayShape[axis]) and \(chunkShape[axis])")
    }
    let grid = Shape(
      zip(arrayShape, chunkShape).map { $0.dividedRoundingUp(by: $1) })
    guard let count = grid.elementCount else {
      throw HyperslabError(
        .overflow,
        "array \(arrayShape) in chunks of \(chunkShape) has more chunks than 64 bits count",
        remedy: "Choose larger chunks")
    }
    self.arrayShape = arrayShape
    self.chunkShape = chunkShape
    gridShape = grid
    chunkCount = count
  }

  /// The number of axes.
  public var rank: Int { arrayShape.rank }

  /// Whether the grid has such a chunk.
  public func contains(_ index: ChunkIndex) -> Bool {
    index.coordinates.count == rank
      && zip(index.coordinates, gridShape).allSatisfy { $0 >= 0 && $0 < $1 }
  }

  /// Refuses a chunk that the grid does not have.
  private func check(_ index: ChunkIndex) throws(HyperslabError) {
    guard contains(index) else {
      throw HyperslabError(
        .outOfBounds, "no such chunk", chunk: index,
        expected: "\(rank) coordinates, at least 0 and below \(gridShape)")
    }
  }

  /// Where in the array a chunk begins.
  ///
  /// - Throws: `out_of_bounds` for a chunk that the grid does not have.
  public func origin(of index: ChunkIndex) throws(HyperslabError) -> [Int] {
    try check(index)
    return zip(index.coordinates, chunkShape).map { $0 * $1 }
  }

  /// The part of the array that a chunk holds; nothing, at the origin, for one that the grid does not have.
  public func selection(of index: ChunkIndex) -> Selection {
    guard contains(index) else {
      // An array without axes has one chunk, which holds its value: nothing has an axis at least.
      return Selection(Array(repeating: 0..<0, count: Swift.max(1, rank)))
    }
    return Selection(
      index.coordinates.indices.map { axis in
        let start = index.coordinates[axis] * chunkShape[axis]
        let end = Checked.add(start, chunkShape[axis]) ?? Int.max
        return start..<Swift.min(end, arrayShape[axis])
      })
  }

  /// The shape of a chunk's part inside the array; all 0 for a chunk that the grid does not have.
  public func validShape(of index: ChunkIndex) -> Shape { selection(of: index).shape }

  /// The part of the array in the chunks of a box, of which the first and the last are named.
  package func box(from first: ChunkIndex, to last: ChunkIndex) -> Selection {
    Selection(
      zip(selection(of: first).bounds, selection(of: last).bounds).map {
        $0.lowerBound..<Swift.max($0.lowerBound, $1.upperBound)
      })
  }

  /// The chunk's number in C order.
  ///
  /// - Throws: `out_of_bounds` for a chunk that the grid does not have.
  public func number(of index: ChunkIndex) throws(HyperslabError) -> Int {
    try check(index)
    var number = 0
    for (coordinate, length) in zip(index.coordinates, gridShape) {
      number = number * length + coordinate
    }
    return number
  }

  /// The chunk with a number in C order.
  ///
  /// - Throws: `out_of_bounds` unless the number is in `0 ..< chunkCount`.
  public func index(ofNumber number: Int) throws(HyperslabError) -> ChunkIndex {
    guard (0..<chunkCount).contains(number) else {
      throw HyperslabError(
        .outOfBounds, "no such chunk", expected: "a number from 0 to below \(chunkCount)",
        found: "\(number)")
    }
    return ChunkIndex(gridShape.coordinates(ofNumber: number))
  }

  /// The chunks that a box touches, in C order; what of it lies outside the array touches none, nor does a
  /// box of another rank.
  public func chunks(touching box: Selection) -> ChunkRange {
    guard box.rank == rank else { return ChunkRange([0..<0]) }
    return ChunkRange(
      zip(Selection(all: arrayShape).intersection(box).bounds, chunkShape).map { range, length in
        range.isEmpty
          ? 0..<0
          : range.lowerBound / length..<range.upperBound.dividedRoundingUp(by: length)
      })
  }

  /// Every chunk, in C order.
  public var chunks: ChunkRange { ChunkRange(gridShape.map { 0..<$0 }) }
}

/// A box of chunks in grid coordinates, walked in C order without ever holding it in memory.
public struct ChunkRange: RandomAccessCollection, Sendable {
  /// The coordinates along each axis.
  public let bounds: [Range<Int>]
  /// The number of chunks.
  public let count: Int

  init(_ bounds: [Range<Int>]) {
    self.bounds = bounds
    count = Checked.product(bounds.map(\.count)) ?? Int.max
  }

  /// Always 0.
  public var startIndex: Int { 0 }
  /// The number of chunks.
  public var endIndex: Int { count }

  /// The chunk at a position in C order.
  ///
  /// - Precondition: the position is one of the collection's, as for `Array`.
  public subscript(position: Int) -> ChunkIndex {
    precondition(position >= 0 && position < count, "chunk \(position) of \(count)")
    var coordinates = Array(repeating: 0, count: bounds.count)
    var rest = position
    for axis in stride(from: bounds.count - 1, through: 0, by: -1) {
      coordinates[axis] = bounds[axis].lowerBound + rest % bounds[axis].count
      rest /= bounds[axis].count
    }
    return ChunkIndex(coordinates)
  }
}
