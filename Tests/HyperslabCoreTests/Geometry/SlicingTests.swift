import HyperslabCore
import HyperslabTestSupport
import Testing

@Suite struct SlicingTests {
  /// The positions that a resolved axis stands for, in the result's order.
  func positions(_ slice: ResolvedSlice, axis: Int) -> [Int] {
    let axisPart = slice.region.axes[axis]
    let rising = (0..<axisPart.count).map { axisPart.start + $0 * axisPart.step }
    return slice.reversedAxes[axis] ? rising.reversed() : rising
  }

  /// Lengths 0 … 6 × starts and stops −8 … 8 or none × steps −8 … 8: the digest of the positions that
  /// NumPy 2.4.6 gives for the same 36 288 slices (FNV's multiplier over count + 1000, positions + 1).
  @Test func everySmallSliceIsWhatNumPyGives() throws {
    let bounds: [Int?] = [nil] + Array(-8...8)
    var digest: UInt64 = 0
    func add(_ value: Int) { digest = digest &* 0x100_0000_01B3 &+ UInt64(value) }
    for length in 0...6 {
      for start in bounds {
        for stop in bounds {
          for step in -8...8 where step != 0 {
            let term = AxisSlice.range(start: start, stop: stop, step: step)
            let picked = positions(try ResolvedSlice([term], in: [length]), axis: 0)
            #expect(picked == NaiveSlicing.positions(term, length: length))
            add(1000 + picked.count)
            for position in picked { add(position + 1) }
          }
        }
      }
    }
    #expect(digest == 6_317_240_647_773_702_508)
  }

  @Test(arguments: [
    ("::-1", [4, 3, 2, 1, 0]), ("3::-2", [3, 1]), ("-1:-6:-1", [4, 3, 2, 1, 0]),
    ("-1:0:-1", [4, 3, 2, 1]), ("1:-1", [1, 2, 3]), ("-2:", [3, 4]), ("10:2:-1", [4, 3]),
    ("-100:100:3", [0, 3]), ("4:-100:-3", [4, 1]), ("2:2", []), ("0:-1:-1", []),
    ("5::-1", [4, 3, 2, 1, 0]),
    ("::9223372036854775807", [0]), ("::-9223372036854775807", [4]),
    ("3::9223372036854775807", [3]),
    ("-9223372036854775808:9223372036854775807:2", [0, 2, 4]),
    ("9223372036854775807:-9223372036854775808:-2", [4, 2, 0]),
  ])
  func sliceOfFive(_ text: String, _ numPy: [Int]) throws {
    let slice = try ResolvedSlice(try AxisSlice.parse(text), in: [5])
    #expect(positions(slice, axis: 0) == numPy)
  }

  @Test func severalAxesResolveAsTheModelSays() throws {
    var shapes = ShapeGenerator(SeededGenerator("terms"))
    for _ in 0..<1000 {
      let shape = shapes.arrayShape()
      let terms = shapes.terms(in: shape)
      let model = try #require(NaiveSlicing.resolve(terms, in: shape))
      let slice = try ResolvedSlice(terms, in: shape)
      #expect(slice.resultShape == model.resultShape)
      for axis in shape.indices { #expect(positions(slice, axis: axis) == model.positions[axis]) }
      #expect(slice.region.isInside(shape))
      #expect(slice.region.isEmpty || Selection(all: shape).contains(slice.region.boundingBox))
    }
  }

  @Test func theResultsLayoutIsRowMajorInTheResultsOrder() throws {
    var shapes = ShapeGenerator(SeededGenerator("result layout"), elementLimit: 300)
    for _ in 0..<500 {
      let shape = shapes.arrayShape()
      let slice = try ResolvedSlice(shapes.terms(in: shape), in: shape)
      let layout = try #require(slice.layout(elementByteCount: 4))
      let counts = slice.region.shape
      for (number, position) in NaiveSlicing.combinations(counts.map { Array(0..<$0) }).enumerated()
      {
        // The result's position `p` of a reversed axis is the region's `count - 1 - p`.
        let inRegion = position.indices.map {
          slice.reversedAxes[$0] ? counts[$0] - 1 - position[$0] : position[$0]
        }
        let offset = zip(inRegion, layout.byteStrides).reduce(layout.byteOffset) {
          $0 + $1.0 * $1.1
        }
        #expect(offset == number * 4)
      }
    }
  }

  @Test func swiftRangesAreNumPyRanges() {
    #expect((2..<5).axisSlice == .range(start: 2, stop: 5, step: 1))
    #expect((2...5).axisSlice == .range(start: 2, stop: 6, step: 1))
    #expect((-3 ... -1).axisSlice == .range(start: -3, stop: nil, step: 1))
    #expect((2...).axisSlice == .range(start: 2, stop: nil, step: 1))
    #expect((..<5).axisSlice == .range(start: nil, stop: 5, step: 1))
    #expect((...5).axisSlice == .range(start: nil, stop: 6, step: 1))
    #expect((...(-1)).axisSlice == .all)
    #expect((0...Int.max).axisSlice == .range(start: 0, stop: nil, step: 1))
    #expect(7.axisSlice == .position(7))
  }

  @Test(arguments: [
    ("5", HyperslabError.Code.outOfBounds), ("-6", .outOfBounds),
    ("9223372036854775807", .outOfBounds),
    ("-9223372036854775808", .outOfBounds), ("::0", .invalidValue), ("0,0,0", .invalidValue),
    ("...,...", .invalidValue), ("::-9223372036854775808", .invalidValue),
    ("0,0,...,0", .invalidValue),
  ])
  func refuses(_ text: String, _ code: HyperslabError.Code) throws {
    let terms = try AxisSlice.parse(text)
    let error = #expect(throws: HyperslabError.self) { try ResolvedSlice(terms, in: [5, 3]) }
    #expect(error?.code == code)
  }

  @Test func lengthsAtTheEndOfTheIntegers() throws {
    let whole = try ResolvedSlice([AxisSlice.range(start: nil, stop: nil, step: -1)], in: [Int.max])
    #expect(whole.resultShape == [Int.max])
    #expect(whole.layout(elementByteCount: 2) == nil)
    let ends = try ResolvedSlice(
      [AxisSlice.range(start: nil, stop: nil, step: Int.max - 1)], in: [Int.max])
    #expect(positions(ends, axis: 0) == [0, Int.max - 1])
  }
}
