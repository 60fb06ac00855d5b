import HyperslabCore
import HyperslabTestSupport
import Testing

@Suite struct StridedLayoutTests {
  @Test func rowAndColumnMajor() {
    #expect(StridedLayout.rowMajor([2, 3, 4], elementByteCount: 8)?.byteStrides == [96, 32, 8])
    #expect(StridedLayout.columnMajor([2, 3, 4], elementByteCount: 8)?.byteStrides == [8, 16, 48])
    #expect(StridedLayout.rowMajor([], elementByteCount: 8)?.byteStrides == [])
    #expect(StridedLayout.rowMajor([1 << 31, 1 << 32], elementByteCount: 1) == nil)
    #expect(StridedLayout.columnMajor([1 << 31, 1 << 31], elementByteCount: 4) == nil)
    #expect(StridedLayout.rowMajor([0, 3], elementByteCount: 4)?.byteStrides == [12, 4])
  }

  @Test func theByteRangeIsThatOfTheElements() {
    var shapes = ShapeGenerator(SeededGenerator("ranges"), elementLimit: 200)
    for _ in 0..<500 {
      let shape = shapes.arrayShape()
      let (layout, byteCount) = shapes.layout(of: shape, elementByteCount: 4)
      let offsets = NaiveSlicing.combinations(shape.map { Array(0..<$0) }).map {
        zip($0, layout.byteStrides).reduce(layout.byteOffset) { $0 + $1.0 * $1.1 }
      }
      let range = layout.byteRange(elementByteCount: 4)
      if let low = offsets.min(), let high = offsets.max() {
        #expect(range == low..<high + 4)
        #expect(low >= 0 && high + 4 <= byteCount)
      } else {
        #expect(range?.isEmpty == true)
      }
    }
  }

  @Test func theByteRangeNeverOverflows() {
    func range(_ strides: [Int], offset: Int = 0) -> Range<Int>? {
      StridedLayout(shape: [2, 2], byteOffset: offset, byteStrides: strides)
        .byteRange(elementByteCount: 8)
    }
    #expect(range([Int.max, 1]) == nil)
    #expect(range([Int.max, Int.max]) == nil)
    #expect(range([Int.min, -1]) == nil)
    #expect(range([1, 1], offset: Int.max) == nil)
    #expect(range([0, 0]) == 0..<8)
  }

  @Test func aSliceIsTheSameElements() throws {
    var shapes = ShapeGenerator(SeededGenerator("slices"), elementLimit: 200)
    for _ in 0..<300 {
      let shape = shapes.arrayShape()
      let (layout, _) = shapes.layout(of: shape, elementByteCount: 2)
      let box = shapes.selection(in: shape)
      let slice = try layout.slice(box)
      #expect(slice.shape == box.shape)
      func offset(_ layout: StridedLayout, _ position: [Int]) -> Int {
        zip(position, layout.byteStrides).reduce(layout.byteOffset) { $0 + $1.0 * $1.1 }
      }
      for position in NaiveSlicing.combinations(box.shape.map { Array(0..<$0) }) {
        let outer = zip(position, box.origin).map { $0 + $1 }
        #expect(offset(slice, position) == offset(layout, outer))
      }
    }
  }
}
