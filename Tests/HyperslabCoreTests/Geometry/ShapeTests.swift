import HyperslabCore
import Testing

@Suite struct ShapeTests {
  @Test func countsElementsWithoutOverflow() {
    #expect(Shape([]).elementCount == 1)
    #expect(Shape([7, 0, 3]).elementCount == 0)
    #expect(Shape([2, 3, 4]).elementCount == 24)
    #expect(Shape([Int.max]).elementCount == Int.max)
    #expect(Shape([1 << 32, 1 << 31]).elementCount == nil)
    #expect(Shape([Int.max, Int.max, 0]).elementCount == 0)
    #expect(Shape([0, 1]).isEmptyArray)
    #expect(!Shape([]).isEmptyArray)
  }

  @Test func printsAsNumPyDoes() {
    #expect("\(Shape([]))" == "()")
    #expect("\(Shape([7]))" == "(7,)")
    #expect("\(Shape([20_000, 5_000]))" == "(20000, 5000)")
  }

  @Test func dividesRoundingUp() {
    for dividend in 0...50 {
      for divisor in 1...9 {
        let quotient = dividend.dividedRoundingUp(by: divisor)
        #expect(quotient * divisor >= dividend && (quotient - 1) * divisor < dividend)
      }
    }
    #expect(Int.max.dividedRoundingUp(by: 2) == 1 << 62)
    #expect(Int.max.dividedRoundingUp(by: Int.max) == 1)
  }

  @Test func checkedArithmeticIsExactOrNil() {
    #expect(Checked.multiply(1 << 31, 1 << 31) == 1 << 62)
    #expect(Checked.multiply(1 << 32, 1 << 31) == nil)
    #expect(Checked.multiply(-1, Int.min) == nil)
    #expect(Checked.add(Int.max, 1) == nil)
    #expect(Checked.add(Int.max, -1) == Int.max - 1)
    #expect(Checked.product([]) == 1)
  }
}
