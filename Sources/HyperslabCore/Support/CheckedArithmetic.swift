/// Overflow-checked arithmetic on numbers that a user or a file supplies.
package enum Checked {
  /// The product of non-negative factors, or nil beyond `Int`; any zero makes it 0.
  package static func product(_ factors: some Collection<Int>) -> Int? {
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

extension Int {
  /// `⌈self / divisor⌉` for non-negative `self` and positive `divisor`; cannot overflow.
  package func dividedRoundingUp(by divisor: Int) -> Int {
    self / divisor + (self % divisor == 0 ? 0 : 1)
  }
}
