import HyperslabCore
import HyperslabTestSupport
import Testing

@testable import HyperslabFormat

@Suite struct EdgeRowsTests {
  @Test func runsAreWhatEachElementIs() throws {
    var generator = SeededGenerator("edge rows")
    for _ in 0..<300 {
      let rank = Int.random(in: 0...4, using: &generator)
      let chunk = (0..<rank).map { _ in Int.random(in: 1...4, using: &generator) }
      let array = chunk.map { Int.random(in: 1...2 * $0, using: &generator) }
      let grid = try ChunkGrid(arrayShape: Shape(array), chunkShape: Shape(chunk))
      for index in grid.chunks {
        let valid = grid.validShape(of: index)
        let count = chunk.reduce(1, *)
        let rows = EdgeRows(grid, index)
        #expect(rows.areAllValid == (valid == grid.chunkShape))
        let low = Int.random(in: 0..<count, using: &generator)
        let range = low..<Int.random(in: low...count, using: &generator)
        var found: [Bool] = []
        rows.forEachRun(in: range) { run, isValid in
          #expect(run.lowerBound == range.lowerBound + found.count && !run.isEmpty || range.isEmpty)
          found += Array(repeating: isValid, count: run.count)
        }
        let wanted = range.map { element in
          zip(grid.chunkShape.coordinates(ofNumber: element), valid).allSatisfy { $0 < $1 }
        }
        #expect(found == wanted)
      }
    }
  }
}
