/// What vectors of each element size do in their own way; written out for each, since generic
/// arithmetic on vectors goes lane by lane.
protocol DeltaVector: SIMD where Scalar: FixedWidthInteger & UnsignedInteger {
  static func difference(_ a: Self, _ b: Self) -> Self
  static func sum(_ a: Self, _ b: Self) -> Self
  /// Lane 0 of both, lane 1 of both, …
  static func interleaved(_ a: Self, _ b: Self) -> (low: Self, high: Self)
  /// Each lane with all lanes before it added.
  var runningSums: Self { get }
}

extension DeltaVector {
  /// The vector as two words, each shifted up by so many bits.
  @inline(__always)
  func wordsShifted(_ bits: UInt64) -> Self {
    let words = unsafe unsafeBitCast(self, to: SIMD2<UInt64>.self) &<< SIMD2(repeating: bits)
    return unsafe unsafeBitCast(words, to: Self.self)
  }
}

extension SIMD16<UInt8>: DeltaVector {
  @inline(__always)
  static func difference(_ a: Self, _ b: Self) -> Self { a &- b }
  @inline(__always)
  static func sum(_ a: Self, _ b: Self) -> Self { a &+ b }
  @inline(__always)
  static func interleaved(_ a: Self, _ b: Self) -> (low: Self, high: Self) {
    (
      SIMD16(
        a[0], b[0], a[1], b[1], a[2], b[2], a[3], b[3], a[4], b[4], a[5], b[5], a[6], b[6], a[7],
        b[7]),
      SIMD16(
        a[8], b[8], a[9], b[9], a[10], b[10], a[11], b[11], a[12], b[12], a[13], b[13], a[14],
        b[14], a[15], b[15])
    )
  }
  @inline(__always)
  var runningSums: Self {
    var sums = self
    sums &+= sums.wordsShifted(8)
    sums &+= sums.wordsShifted(16)
    sums &+= sums.wordsShifted(32)
    return sums &+ SIMD16(lowHalf: .zero, highHalf: SIMD8(repeating: sums[7]))
  }
}

extension SIMD8<UInt16>: DeltaVector {
  @inline(__always)
  static func difference(_ a: Self, _ b: Self) -> Self { a &- b }
  @inline(__always)
  static func sum(_ a: Self, _ b: Self) -> Self { a &+ b }
  @inline(__always)
  static func interleaved(_ a: Self, _ b: Self) -> (low: Self, high: Self) {
    (
      SIMD8(a[0], b[0], a[1], b[1], a[2], b[2], a[3], b[3]),
      SIMD8(a[4], b[4], a[5], b[5], a[6], b[6], a[7], b[7])
    )
  }
  @inline(__always)
  var runningSums: Self {
    var sums = self
    sums &+= sums.wordsShifted(16)
    sums &+= sums.wordsShifted(32)
    return sums &+ SIMD8(lowHalf: .zero, highHalf: SIMD4(repeating: sums[3]))
  }
}

extension SIMD4<UInt32>: DeltaVector {
  @inline(__always)
  static func difference(_ a: Self, _ b: Self) -> Self { a &- b }
  @inline(__always)
  static func sum(_ a: Self, _ b: Self) -> Self { a &+ b }
  @inline(__always)
  static func interleaved(_ a: Self, _ b: Self) -> (low: Self, high: Self) {
    (SIMD4(a[0], b[0], a[1], b[1]), SIMD4(a[2], b[2], a[3], b[3]))
  }
  @inline(__always)
  var runningSums: Self {
    var sums = self
    sums &+= sums.wordsShifted(32)
    return sums &+ SIMD4(lowHalf: .zero, highHalf: SIMD2(repeating: sums[1]))
  }
}

extension SIMD2<UInt64>: DeltaVector {
  @inline(__always)
  static func difference(_ a: Self, _ b: Self) -> Self { a &- b }
  @inline(__always)
  static func sum(_ a: Self, _ b: Self) -> Self { a &+ b }
  @inline(__always)
  static func interleaved(_ a: Self, _ b: Self) -> (low: Self, high: Self) {
    (SIMD2(a[0], b[0]), SIMD2(a[1], b[1]))
  }
  @inline(__always)
  var runningSums: Self { SIMD2(self[0], self[0] &+ self[1]) }
}
