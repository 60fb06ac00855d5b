import HyperslabCore
import HyperslabTestSupport
import Testing

@Suite struct ChunkGridTests {
  @Test func chunksTileTheArrayExactlyOnce() throws {
    var shapes = ShapeGenerator(SeededGenerator("tiling"), elementLimit: 400)
    for _ in 0..<200 {
      let shape = shapes.arrayShape()
      let grid = try ChunkGrid(arrayShape: shape, chunkShape: shapes.chunkShape(for: shape))
      var seen: Set<[Int]> = []
      for chunk in grid.chunks {
        let box = grid.selection(of: chunk)
        #expect(!box.isEmpty)
        #expect(Selection(all: shape).contains(box))
        #expect(try box.origin == grid.origin(of: chunk))
        #expect(box.shape == grid.validShape(of: chunk))
        for position in NaiveSlicing.combinations(box.bounds.map { Array($0) }) {
          #expect(seen.insert(position).inserted)
          #expect(
            ChunkIndex(zip(position, grid.chunkShape).map { $0 / $1 }) == chunk)
        }
      }
      #expect(seen.count == shape.elementCount)
    }
  }

  @Test func numbersAndIndicesAreInverse() throws {
    var shapes = ShapeGenerator(SeededGenerator("numbers"), elementLimit: 400)
    for _ in 0..<200 {
      let shape = shapes.arrayShape()
      let grid = try ChunkGrid(arrayShape: shape, chunkShape: shapes.chunkShape(for: shape))
      #expect(grid.chunks.count == grid.chunkCount)
      for (number, chunk) in grid.chunks.enumerated() {
        #expect(try grid.number(of: chunk) == number)
        #expect(try grid.index(ofNumber: number) == chunk)
        #expect(grid.contains(chunk))
        #expect(grid.chunks[number] == chunk)
      }
    }
  }

  @Test func touchingFindsExactlyTheChunksThatShareAnElement() throws {
    var shapes = ShapeGenerator(SeededGenerator("touching"), elementLimit: 400)
    for _ in 0..<300 {
      let shape = shapes.arrayShape()
      let grid = try ChunkGrid(arrayShape: shape, chunkShape: shapes.chunkShape(for: shape))
      let box = shapes.selection(in: shape)
      let expected = grid.chunks.filter { !grid.selection(of: $0).intersection(box).isEmpty }
      #expect(Array(grid.chunks(touching: box)) == (box.isEmpty ? [] : expected))
    }
  }

  @Test func bordersOfWhatAGridCanBe() throws {
    let scalar = try ChunkGrid(arrayShape: [], chunkShape: [])
    #expect(scalar.chunkCount == 1)
    #expect(Array(scalar.chunks) == [[]])
    #expect(scalar.contains([]))
    #expect(try ChunkGrid(arrayShape: [0, 5], chunkShape: [1, 1]).chunkCount == 0)
    let huge = try ChunkGrid(arrayShape: [Int.max], chunkShape: [Int.max - 1])
    #expect(huge.gridShape == [2])
    #expect(huge.selection(of: [1]).bounds == [Int.max - 1..<Int.max])
    #expect(try ChunkGrid(arrayShape: [Int.max], chunkShape: [1]).chunkCount == Int.max)
    #expect(ChunkIndex([0, 3]).description == "0/3")
    #expect(ChunkIndex([]).description == "")
  }

  @Test(arguments: [
    ([4, 4], [4], HyperslabError.Code.invalidShape), ([4], [0], .invalidShape),
    ([4], [-1], .invalidShape),
    ([-1], [1], .invalidShape), ([0], [0], .invalidShape),
    ([1 << 32, 1 << 32], [1, 1], .overflow),
  ])
  func refuses(_ array: [Int], _ chunk: [Int], _ code: HyperslabError.Code) {
    let error = #expect(throws: HyperslabError.self) {
      try ChunkGrid(arrayShape: Shape(array), chunkShape: Shape(chunk))
    }
    #expect(error?.code == code)
  }
}
