public import HyperslabCore

/// A whole array in memory, written chunk by chunk and read element by element: what any
/// ``ChunkedDataset`` must be indistinguishable from.
public struct ArrayModel: Sendable {
  /// What the data set is.
  public let description: DatasetDescription
  /// How it is divided.
  public let grid: ChunkGrid
  /// The elements in C order, the fill value where nothing was written.
  public private(set) var bytes: [UInt8]
  private var written: Set<ChunkIndex> = []

  /// An array of nothing but the fill value.
  public init(_ description: DatasetDescription) throws(HyperslabError) {
    self.description = description
    grid = try description.validated()
    let fill = description.fillValue.bytes
    bytes = (0..<(grid.arrayShape.elementCount ?? 0)).flatMap { _ in fill }
  }

  private var size: Int { description.dataType.byteCount }

  private func offset(_ position: [Int]) -> Int {
    zip(position, grid.arrayShape).reduce(0) { $0 * $1.1 + $1.0 } * size
  }

  private func positions(of chunk: ChunkIndex) -> [[Int]] {
    NaiveSlicing.combinations(grid.selection(of: chunk).bounds.map { Array($0) })
  }

  /// Replaces a chunk; `elements` are those of its valid part in C order.
  public mutating func write(_ chunk: ChunkIndex, _ elements: [UInt8]) {
    for (number, position) in positions(of: chunk).enumerated() {
      let target = offset(position)
      for byte in 0..<size { bytes[target + byte] = elements[number * size + byte] }
    }
    written.insert(chunk)
  }

  /// The elements of a chunk's valid part in C order.
  public func elements(of chunk: ChunkIndex) -> [UInt8] {
    positions(of: chunk).flatMap { bytes[offset($0)..<offset($0) + size] }
  }

  /// What a store must say of a chunk.
  public func state(of chunk: ChunkIndex) -> ChunkState {
    guard written.contains(chunk) else { return .neverWritten }
    let elements = elements(of: chunk)
    let fill = description.fillValue.bytes
    return elements.indices.allSatisfy { elements[$0] == fill[$0 % fill.count] } ? .fill : .stored
  }

  /// A selection's elements in C order and their shape; nil where it cannot be resolved.
  public func read(_ terms: [AxisSlice]) -> (bytes: [UInt8], shape: Shape)? {
    guard let (positions, shape) = NaiveSlicing.resolve(terms, in: grid.arrayShape) else {
      return nil
    }
    let elements = NaiveSlicing.combinations(positions).flatMap {
      bytes[offset($0)..<offset($0) + size]
    }
    return (elements, shape)
  }

  /// The first chunk in C order that a selection touches and nobody wrote.
  public func firstNeverWritten(_ terms: [AxisSlice]) -> ChunkIndex? {
    guard let (positions, _) = NaiveSlicing.resolve(terms, in: grid.arrayShape) else { return nil }
    let touched = zip(positions, grid.chunkShape).map { positions, length in
      Set(positions.map { $0 / length }).sorted()
    }
    return NaiveSlicing.combinations(touched).map { ChunkIndex($0) }.first { !written.contains($0) }
  }
}
