import HyperslabCore
import HyperslabTestSupport
import Testing

@Suite struct SelectionTests {
  @Test func boxesBehaveAsSetsOfPositions() {
    var shapes = ShapeGenerator(SeededGenerator("boxes"), elementLimit: 200)
    for _ in 0..<300 {
      let shape = shapes.arrayShape()
      let a = shapes.selection(in: shape)
      let b = shapes.selection(in: shape)
      func positions(_ box: Selection) -> Set<[Int]> {
        Set(NaiveSlicing.combinations(box.bounds.map { Array($0) }))
      }
      #expect(a.shape.elementCount == positions(a).count)
      #expect(a.isEmpty == positions(a).isEmpty)
      #expect(positions(a.intersection(b)) == positions(a).intersection(positions(b)))
      #expect(Selection(all: shape).contains(a))
      #expect(a.contains(a))
      if a.contains(b) { #expect(positions(b).isSubset(of: positions(a))) }
      if !b.isEmpty, positions(b).isSubset(of: positions(a)) { #expect(a.contains(b)) }
      #expect(a.relative(to: a.origin) == Selection(all: a.shape))
    }
  }

  @Test func boxesOfOtherRanksAreNotContained() {
    #expect(!Selection([0..<9]).contains(Selection([0..<1, 0..<1])))
    #expect(Selection([]).contains(Selection([])))
    #expect(!Selection([]).isEmpty)
  }

  @Test func printsAsNumPyWritesIt() {
    #expect("\(Selection([0..<10, 5..<6]))" == "[0:10, 5:6]")
    #expect("\(Selection([]))" == "[]")
  }

  @Test func clippingAStridedAxisKeepsWhatLiesInTheRange() {
    for start in 0...4 {
      for count in 0...4 {
        for step in 1...4 {
          let axis = StridedSelection.Axis(start: start, count: count, step: step)
          let positions = (0..<count).map { start + $0 * step }
          #expect(axis.end == (positions.last.map { $0 + 1 } ?? start))
          for low in 0...18 {
            for high in low...18 {
              let (skipped, part) = axis.clipped(to: low..<high)
              let kept = (0..<part.count).map { part.start + $0 * part.step }
              #expect(kept == positions.filter { (low..<high).contains($0) })
              if !kept.isEmpty { #expect(skipped == positions.count { $0 < low }) }
              #expect(skipped + part.count <= count)
            }
          }
        }
      }
    }
  }

  @Test func insideMeansEveryPositionAndSaneNumbers() {
    typealias Axis = StridedSelection.Axis
    func inside(_ axis: Axis) -> Bool { StridedSelection([axis]).isInside([10]) }
    #expect(inside(Axis(start: 0, count: 10)))
    #expect(inside(Axis(start: 1, count: 4, step: 2)))
    #expect(inside(Axis(start: 9, count: 1, step: Int.max)))
    #expect(inside(Axis(start: 10, count: 0)))
    #expect(!inside(Axis(start: 11, count: 0)))
    #expect(!inside(Axis(start: 0, count: 11)))
    #expect(!inside(Axis(start: 2, count: 5, step: 2)))
    #expect(!inside(Axis(start: -1, count: 1)))
    #expect(!inside(Axis(start: 0, count: -1)))
    #expect(!inside(Axis(start: 0, count: 1, step: 0)))
    #expect(!inside(Axis(start: 5, count: 2, step: -1)))
    #expect(!inside(Axis(start: 0, count: 3, step: Int.max)))
    #expect(!inside(Axis(start: 1, count: 2, step: Int.max)))
    #expect(!StridedSelection([]).isInside([10]))
    #expect(StridedSelection([]).isInside([]))
  }
}
