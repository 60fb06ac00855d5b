import HyperslabCore
import Testing

@testable import HyperslabIteration

/// How chunks are divided among threads.
@Suite struct ChunkGroupsTests {
  @Test func everyChunkIsInOneGroup() throws {
    var random = SystemRandomNumberGenerator()
    for _ in 0..<500 {
      let rank = Int.random(in: 0...3, using: &random)
      let shape = Shape((0..<rank).map { _ in Int.random(in: 0...9, using: &random) })
      let grid = try ChunkGrid(arrayShape: shape, chunkShape: Shape(shape.map { _ in 1 }))
      let threads = Int.random(in: 1...9, using: &random)
      let groups = ChunkGroups(
        grid.chunks(touching: Selection(all: shape)),
        rowByteCount: Int.random(in: 1...10_000, using: &random), threads: threads,
        mostStreamed: Bool.random(using: &random) ? Int.random(in: 1...16, using: &random) : nil)
      var found: [ChunkIndex] = []
      for number in 0..<groups.count { found += groups[number] }
      #expect(found == Array(grid.chunks), "\(shape), \(threads) threads")
      #expect(!(0..<groups.count).contains { groups[$0].isEmpty }, "\(shape), \(threads) threads")
    }
  }

  /// Seven rows of chunks for two threads: the last one is divided.
  @Test func theLastRowsAreDivided() throws {
    let grid = try ChunkGrid(arrayShape: [7, 7], chunkShape: [1, 1])
    let groups = ChunkGroups(grid.chunks, rowByteCount: 3000, threads: 2, mostStreamed: 16)
    #expect((0..<groups.count).map { groups[$0].count } == [7, 7, 7, 7, 7, 7, 3, 4])
  }
}
