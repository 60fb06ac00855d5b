import Hyperslab
import HyperslabTestSupport
import SystemPackage
import Testing

/// The picture of a grid is drawn from what was written, however large the grid is.
@Suite struct ChunkMapBoundsTests {
  private let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory() }

  @Test(.timeLimit(.minutes(1))) func hugeGrids() throws {
    let store = try SlabStore.create(at: directory.path.appending("s.slab"), durability: .fast)
    let shapes: [Shape] = [[1 << 40], [1 << 20, 1 << 20], [1 << 10, 1 << 10, 1 << 20]]
    for (number, shape) in shapes.enumerated() {
      let dataset = try store.createDataset(
        "d\(number)",
        DatasetDescription(
          shape: shape, chunkShape: Shape(shape.map { _ in 1 }), dataType: .uint8,
          compression: Compression(filter: Filter.none)))
      let last = ChunkIndex(shape.map { $0 - 1 })
      let layout = StridedLayout(
        shape: Shape(shape.map { _ in 1 }), byteStrides: shape.map { _ in 1 })
      try [UInt8(7)].withUnsafeBytes {
        try dataset.writeChunk(last, from: $0.bytes, layout: layout)
      }
      // In the session that wrote it, and after it.
      for _ in 0..<2 {
        let map = try ChunkMap(try store.dataset("d\(number)"))
        #expect(map.lines.count <= 48)
        #expect(map.lines.joined().filter { $0 == "▒" }.count == 1)
        if shape.rank > 1 { #expect(map.lines.last?.last == "▒") }
        try store.commit()
      }
    }
    try store.close()
  }

  @Test func everySmallGridIsDrawnAsChunkByChunk() throws {
    var generator = SeededGenerator("chunk map")
    for number in 0..<60 {
      let rank = Int.random(in: 0...3, using: &generator)
      let shape = Shape((0..<rank).map { _ in Int.random(in: 0...7, using: &generator) })
      let store = MemoryStore()
      let dataset = try store.createDataset(
        try NodePath("d\(number)"),
        DatasetDescription(
          shape: shape, chunkShape: Shape(shape.map { _ in 1 }), dataType: .uint8))
      let layout = StridedLayout(
        shape: Shape(shape.map { _ in 1 }), byteStrides: shape.map { _ in 1 })
      for chunk in dataset.grid.chunks where generator.chance(1, in: 2) {
        try [UInt8.random(in: 0...1, using: &generator)].withUnsafeBytes {
          try dataset.writeChunk(chunk, from: $0.bytes, layout: layout)
        }
      }
      for (lines, columns) in [(48, 96), (2, 3), (1, 1), (3, 2)] {
        let map = try ChunkMap(dataset, lineLimit: lines, columnLimit: columns)
        #expect(map.lines == (try drawn(dataset, lines, columns)))
      }
    }
  }

  /// The picture as it is defined: each mark from the states of all chunks that it stands for.
  private func drawn(
    _ dataset: some ChunkedDataset, _ lineLimit: Int, _ columnLimit: Int
  ) throws -> [String] {
    let grid = dataset.grid
    let isLine = grid.gridShape.filter { $0 > 1 }.count <= 1
    let columns = isLine ? min(grid.chunkCount, columnLimit) : grid.gridShape.last ?? 1
    let rows = columns == 0 ? 0 : (grid.chunkCount + columns - 1) / columns
    let scale = (
      max(1, (rows + lineLimit - 1) / lineLimit), max(1, (columns + columnLimit - 1) / columnLimit)
    )
    return try stride(from: 0, to: rows, by: scale.0).map { top in
      try stride(from: 0, to: columns, by: scale.1).map { left -> String in
        var states: Set<ChunkState> = []
        for row in top..<min(top + scale.0, rows) {
          for column in left..<min(left + scale.1, columns)
          where row * columns + column < grid.chunkCount {
            states.insert(try dataset.state(of: try grid.index(ofNumber: row * columns + column)))
          }
        }
        if states.isEmpty { return "" }
        guard states.count == 1 else { return "▒" }
        return states.contains(.stored) ? "█" : states.contains(.fill) ? "░" : "·"
      }.joined()
    }
  }
}
