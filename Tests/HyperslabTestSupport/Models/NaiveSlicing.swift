public import HyperslabCore

/// NumPy's indexing, element by element and with no cleverness: the model that code is held against.
public enum NaiveSlicing {
  /// The positions that a term picks on an axis, in the result's order; nil where NumPy refuses.
  public static func positions(_ term: AxisSlice, length: Int) -> [Int]? {
    switch term {
    case .ellipsis: return Array(0..<length)
    case .position(let position):
      let index = position < 0 ? position + length : position
      return index >= 0 && index < length ? [index] : nil
    case .range(let start, let stop, let step):
      if step == 0 { return nil }
      // Walks the whole axis in the step's direction and keeps what lies between the bounds.
      func counted(_ bound: Int) -> Int { bound < 0 ? bound + length : bound }
      var positions: [Int] = []
      if step > 0 {
        var index = Swift.max(start.map(counted) ?? 0, 0)
        while index < Swift.min(stop.map(counted) ?? length, length) {
          positions.append(index)
          index += step
        }
      } else {
        var index = Swift.min(start.map(counted) ?? length - 1, length - 1)
        while index > Swift.max(stop.map(counted) ?? -1, -1) {
          positions.append(index)
          index += step
        }
      }
      return positions
    }
  }

  /// The positions on every axis and the shape of the result; nil where NumPy refuses.
  public static func resolve(
    _ terms: [AxisSlice], in shape: Shape
  ) -> (positions: [[Int]], resultShape: Shape)? {
    guard terms.count(where: { $0 == .ellipsis }) <= 1 else { return nil }
    let named = terms.count { $0 != .ellipsis }
    guard named <= shape.rank else { return nil }
    var full: [AxisSlice] = []
    let rest = Array(repeating: AxisSlice.all, count: shape.rank - named)
    for term in terms { full += term == .ellipsis ? rest : [term] }
    if !terms.contains(.ellipsis) { full += rest }
    var positions: [[Int]] = []
    var lengths: [Int] = []
    for (term, length) in zip(full, shape) {
      guard let picked = Self.positions(term, length: length) else { return nil }
      positions.append(picked)
      if case .position = term { continue }
      lengths.append(picked.count)
    }
    return (positions, Shape(lengths))
  }

  /// Every combination of one position an axis, last axis fastest; one empty combination at rank 0.
  public static func combinations(_ positions: [[Int]]) -> [[Int]] {
    positions.reduce([[]]) { heads, axis in heads.flatMap { head in axis.map { head + [$0] } } }
  }
}
