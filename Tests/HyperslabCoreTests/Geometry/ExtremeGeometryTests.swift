import HyperslabCore
import Testing

/// Numbers that no array has: each is answered or refused, none ends the process.
@Suite struct ExtremeGeometryTests {
  private static let extremes = [Int.min, Int.min + 1, -1, 0, 1, 7, Int.max - 1, Int.max]

  private static var ranges: [Range<Int>] {
    extremes.flatMap { low in extremes.filter { $0 >= low }.map { low..<$0 } }
  }

  private func code(_ body: () throws -> Void) -> HyperslabError.Code? {
    do { try body() } catch { return (error as? HyperslabError)?.code }
    return nil
  }

  @Test func boxesHaveLengths() {
    #expect(Selection([Int.min..<Int.max, 0..<3]).shape == [Int.max, 3])
    #expect(Selection([Int.min..<0]).shape == [Int.max])
    #expect(Selection([-1..<Int.max]).shape == [Int.max])
    #expect(Selection([-2..<3]).shape == [5])
    #expect(Selection(all: [-4, 2]).shape == [0, 2])
    for range in Self.ranges {
      let box = Selection([range])
      #expect(box.isEmpty == (box.shape == [0]))
      #expect(box.contains(box) && box.intersection(box) == box)
      #expect(!Selection(all: [7]).contains(box) || range.upperBound <= 7)
      let strided = StridedSelection(box)
      #expect(strided.shape == box.shape && !strided.description.isEmpty)
      if box.shape != [Int.max] { #expect(strided.boundingBox == box) }
    }
    #expect(Selection([0..<3]).intersection(Selection([1..<2, 0..<9])).bounds == [1..<2])
  }

  @Test func shapesOfNegativeLengthsHaveNoCount() {
    #expect(Shape([-2, -3]).elementCount == nil)
    #expect(Shape([Int.min]).elementCount == nil)
    #expect(Shape([-1, 0]).elementCount == nil)
    #expect(Shape([Int.max, 2]).elementCount == nil)
    #expect(Shape([Int.max, 0]).elementCount == 0)
  }

  @Test func positionsHaveABoxWhateverTheyAre() {
    for start in Self.extremes {
      for count in Self.extremes {
        for step in Self.extremes {
          let axis = StridedSelection.Axis(start: start, count: count, step: step)
          let selection = StridedSelection([axis])
          let box = selection.boundingBox.bounds[0]
          #expect(box.contains(start) || count <= 0 || start == Int.max)
          #expect(box.isEmpty || count > 0)
          #expect(axis.end == box.upperBound)
          #expect(!selection.description.isEmpty)
        }
      }
    }
    let rising = StridedSelection([.init(start: 2, count: 3, step: 4)])
    #expect(rising.boundingBox == Selection([2..<11]))
    let falling = StridedSelection([.init(start: 10, count: 3, step: -4)])
    #expect(falling.boundingBox == Selection([2..<11]))
  }

  @Test func slicesOfNegativeAxesAreRefused() {
    for shape in [[-1], [Int.min], [4, -1]] as [Shape] {
      #expect(code { _ = try ResolvedSlice([0], in: shape) } == .invalidShape)
      #expect(code { _ = try ResolvedSlice([], in: shape) } == .invalidShape)
      #expect(code { _ = try ResolvedSlice([AxisSlice.ellipsis], in: shape) } == .invalidShape)
    }
    for length in [0, 1, 7, Int.max] {
      for number in Self.extremes {
        let code = code { _ = try ResolvedSlice([number], in: [length]) }
        let isThere = number < length && number >= -length
        #expect(code == (isThere ? nil : .outOfBounds))
        for other in Self.extremes {
          for step in Self.extremes where step != 0 && step != Int.min {
            let term = AxisSlice.range(start: number, stop: other, step: step)
            let slice = try? ResolvedSlice([term], in: [length])
            let box = slice?.region.boundingBox ?? Selection([-1..<0])
            #expect(slice?.region.isEmpty == true || Selection(all: [length]).contains(box))
          }
        }
      }
      for range in Self.ranges {
        #expect(throws: Never.self) { try ResolvedSlice([range], in: [length]) }
        #expect(throws: Never.self) {
          try ResolvedSlice([range.lowerBound...range.upperBound], in: [length])
        }
      }
    }
  }

  @Test func partsOfLayoutsLieInThem() throws {
    let layout = StridedLayout(shape: [3, 4], byteStrides: [8, 2])
    #expect(try layout.slice(Selection([1..<2, 1..<3])).byteOffset == 10)
    let outside: [Selection] = [
      Selection([Int.max - 1..<Int.max, 0..<1]), Selection([Int.min..<0, 0..<1]),
      Selection([0..<4, 0..<1]), Selection([0..<1]), Selection([0..<1, 0..<1, 0..<1]),
    ]
    for region in outside { #expect(code { _ = try layout.slice(region) } == .outOfBounds) }
    let short = StridedLayout(shape: [3, 4], byteStrides: [8])
    #expect(code { _ = try short.slice(Selection([0..<1, 0..<1])) } == .invalidShape)
    for stride in [Int.min, Int.max] {
      let far = StridedLayout(shape: [3], byteOffset: 5, byteStrides: [stride])
      #expect(code { _ = try far.slice(Selection([2..<3])) } == .overflow)
    }
    for offset in Self.extremes {
      for length in Self.extremes {
        for stride in Self.extremes {
          let layout = StridedLayout(shape: [length], byteOffset: offset, byteStrides: [stride])
          for size in Self.extremes {
            let range = layout.byteRange(elementByteCount: size)
            #expect(length >= 0 && size >= 0 || range == nil)
            _ = StridedLayout.rowMajor([length, length], elementByteCount: size)
            _ = StridedLayout.columnMajor([length, stride], elementByteCount: size)
          }
        }
      }
    }
    #expect(short.byteRange(elementByteCount: 2) == nil)
  }

  @Test func chunksThatAreNotThereHoldNothing() throws {
    let grids = try [
      ChunkGrid(arrayShape: [10, 6], chunkShape: [4, 3]),
      ChunkGrid(arrayShape: [10, 0], chunkShape: [4, 3]),
      ChunkGrid(arrayShape: [], chunkShape: []),
      ChunkGrid(arrayShape: [Int.max, 1], chunkShape: [1, Int.max]),
    ]
    for grid in grids {
      var strangers: [ChunkIndex] = [[0], [0, 0, 0], [Int.max, Int.max], [-1, 0], [Int.min, 0]]
      strangers += [[3, 0], [0, 2], [0, Int.min]]
      for chunk in strangers where !grid.contains(chunk) {
        #expect(grid.selection(of: chunk).isEmpty)
        #expect(grid.validShape(of: chunk).elementCount == 0)
        #expect(code { _ = try grid.origin(of: chunk) } == .outOfBounds)
        #expect(code { _ = try grid.number(of: chunk) } == .outOfBounds)
      }
      for number in Self.extremes where number < 0 || number >= grid.chunkCount {
        #expect(code { _ = try grid.index(ofNumber: number) } == .outOfBounds)
      }
      if grid.chunkCount > 0 {
        let last = try grid.index(ofNumber: grid.chunkCount - 1)
        #expect(try grid.number(of: last) == grid.chunkCount - 1)
        #expect(
          grid.selection(of: last).contains(Selection(try grid.origin(of: last).map { $0..<$0 })))
      }
    }
  }

  @Test func boxesTouchChunksOfTheArrayAlone() throws {
    let grid = try ChunkGrid(arrayShape: [10, 6], chunkShape: [4, 3])
    #expect(
      Array(grid.chunks(touching: Selection([Int.min..<Int.max, Int.min..<1]))) == [
        [0, 0], [1, 0], [2, 0],
      ])
    #expect(grid.chunks(touching: Selection([10..<12, 0..<6])).isEmpty)
    #expect(grid.chunks(touching: Selection([0..<10])).isEmpty)
    for range in Self.ranges {
      let chunks = grid.chunks(touching: Selection([range, 0..<6]))
      #expect(chunks.allSatisfy { grid.contains($0) })
    }
  }

  @Test func statisticsOfAnyCountAdd() {
    var statistics = ElementStatistics()
    statistics.nanCount = Int.max
    statistics.formUnion(statistics)
    #expect(statistics.nanCount == Int.max)
  }
}
