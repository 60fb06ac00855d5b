/// Overflow-checked arithmetic on numbers that a user or a file supplies.
package enum Checked {
  /// The product of factors, or nil beyond `Int` and for a negative one; any zero makes it 0.
  package static func product(_ factors: some Collection<Int>) -> Int? {
    if factors.contains(where: { $0 < 0 }) { return nil }
    if factors.contains(0) { return 0 }
    var result = 1
    for factor in factors {
      let (value, overflow) = result.multipliedReportingOverflow(by: factor)
      if overflow { return nil }
      result = value
    }
    return result
  }

  /// `a * b`, or nil beyond `Int`.
  package static func multiply(_ a: Int, _ b: Int) -> Int? {
    let (value, overflow) = a.multipliedReportingOverflow(by: b)
    return overflow ? nil : value
  }

  /// `a + b`, or nil beyond `Int`.
  package static func add(_ a: Int, _ b: Int) -> Int? {
    let (value, overflow) = a.addingReportingOverflow(b)
    return overflow ? nil : value
  }
}

extension Range<Int> {
  /// How many positions it has; of more than `Int` counts, as many as that does.
  package var length: Int {
    let (length, overflow) = upperBound.subtractingReportingOverflow(lowerBound)
    return overflow ? Int.max : length
  }
}

extension Int {
  /// `⌈self / divisor⌉` for non-negative `self` and positive `divisor`; cannot overflow.
  package func dividedRoundingUp(by divisor: Int) -> Int {
    self / divisor + (self % divisor == 0 ? 0 : 1)
  }
}
