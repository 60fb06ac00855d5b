import HyperslabIteration
import Testing

@Suite("Products without bound")
struct WideProductTests {
  @Test func smallProductsAgreeWithIntegers() {
    var random = SplitMix(state: 3)
    for _ in 0..<500 {
      let factors = (0..<3).map { _ in Int.random(in: 0...1 << 20, using: &random) }
      let product = factors.reduce(1, *)
      let wide = WideProduct(factors)
      #expect(wide.doubleValue == Double(product))
      for limit in [product - 1, product, product + 1] where abs(limit) < 1 << 53 {
        #expect(wide.exceeds(Double(limit)) == (product > limit))
      }
    }
  }

  @Test func conversionToDoubleIsCorrectlyRounded() {
    var random = SplitMix(state: 4)
    for _ in 0..<2000 {
      // 126 bits at most, where the library's own conversion can be asked.
      let a = Int(random.next() >> UInt64.random(in: 1...63, using: &random))
      let b = Int(random.next() >> UInt64.random(in: 1...63, using: &random))
      #expect(WideProduct([a, b]).doubleValue == Double(UInt128(a) * UInt128(b)))
    }
  }

  @Test func comparisonIsExactBeyondDoubles() {
    var random = SplitMix(state: 5)
    for _ in 0..<2000 {
      let a = Int(random.next() >> UInt64.random(in: 1...40, using: &random))
      let b = Int(random.next() >> UInt64.random(in: 1...40, using: &random))
      let exact = UInt128(a) * UInt128(b)
      let wide = WideProduct([a, b])
      let near = Double(exact)
      for limit in [near.nextDown, near, near.nextUp] where limit >= 0 {
        #expect(wide.exceeds(limit) == (exact > UInt128(limit)))
      }
    }
  }

  @Test func extremes() {
    let huge = WideProduct(Array(repeating: Int.max, count: 20))
    #expect(huge.doubleValue == .infinity)
    #expect(huge.exceeds(.greatestFiniteMagnitude))
    #expect(!huge.exceeds(.infinity))
    #expect(!huge.exceeds(.nan))
    #expect(huge.exceeds(-1))
    #expect(WideProduct([]).doubleValue == 1)
    #expect(WideProduct([5, 0]).doubleValue == 0)
    #expect(!WideProduct([0]).exceeds(0))
    #expect(WideProduct([1]).exceeds(.leastNonzeroMagnitude))
    for exponent in 0..<1000 {
      let power = WideProduct(Array(repeating: 2, count: exponent))
      let value = Double(sign: .plus, exponent: exponent, significand: 1)
      #expect(power.doubleValue == value)
      #expect(power.exceeds(value.nextDown))
      #expect(!power.exceeds(value))
      #expect(!power.exceeds(value.nextUp))
    }
  }
}
