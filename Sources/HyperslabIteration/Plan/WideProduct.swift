/// A product of positive integers of any size, exact.
///
/// HDMF's rule multiplies without bound: the product of a chunk's axes passes 64 bits long before
/// an array becomes implausible, and its comparison with a limit in bytes is exact.
package struct WideProduct: Hashable, Sendable {
  /// Base 2^64, lowest first; no zero at the top; empty is 0.
  private var limbs: [UInt64] = [1]

  /// The product of the factors; 1 for none.
  ///
  /// - Precondition: no factor is negative.
  package init(_ factors: some Sequence<Int>) {
    for factor in factors { multiply(by: UInt64(factor)) }
  }

  /// The integer part of a number; 0 for what is negative or not finite.
  private init(truncating value: Double) {
    limbs = []
    guard value.isFinite, value >= 1 else { return }
    let exponent = Int(value.exponent)
    let significand = value.significandBitPattern | 1 << 52
    if exponent <= 52 {
      limbs = [significand >> UInt64(52 - exponent)]
      return
    }
    let shift = exponent - 52
    let low = significand << UInt64(shift % 64)
    let high = shift % 64 == 0 ? 0 : significand >> UInt64(64 - shift % 64)
    limbs = Array(repeating: 0, count: shift / 64) + [low]
    if high != 0 { limbs.append(high) }
    // `low` may have lost all its bits to `high`, never both.
  }

  private mutating func multiply(by factor: UInt64) {
    if factor == 0 { limbs = [] }
    var carry: UInt64 = 0
    for index in limbs.indices {
      let (high, low) = limbs[index].multipliedFullWidth(by: factor)
      let (sum, overflow) = low.addingReportingOverflow(carry)
      limbs[index] = sum
      // The high half is at most 2^64 - 2.
      carry = high + (overflow ? 1 : 0)
    }
    if carry != 0 { limbs.append(carry) }
  }

  private static func isLess(_ a: [UInt64], _ b: [UInt64]) -> Bool {
    if a.count != b.count { return a.count < b.count }
    for (x, y) in zip(a.reversed(), b.reversed()) where x != y { return x < y }
    return false
  }

  /// Whether the exact product is larger than `limit`; nothing is larger than infinity or NaN.
  package func exceeds(_ limit: Double) -> Bool {
    if limit.isNaN || limit == .infinity { return false }
    if limit < 0 { return true }
    // An integer is larger than a number when it is larger than the number's integer part.
    return Self.isLess(Self(truncating: limit).limbs, limbs)
  }

  /// The nearest `Double`, ties to even; infinity beyond its range.
  package var doubleValue: Double {
    guard let top = limbs.last else { return 0 }
    if limbs.count == 1 { return Double(top) }
    let lower = limbs[limbs.count - 2]
    let shift = UInt64(top.leadingZeroBitCount)
    var leading = shift == 0 ? top : top << shift | lower >> (64 - shift)
    // Everything below the leading 64 bits only breaks ties, so one bit may stand for it.
    let rest = shift == 0 ? lower : lower << shift
    if rest != 0 || limbs.dropLast(2).contains(where: { $0 != 0 }) { leading |= 1 }
    let exponent = (limbs.count - 1) * 64 - Int(shift)
    return Double(sign: .plus, exponent: exponent, significand: Double(leading))
  }
}
