/// Smallest and largest value and the number of NaNs among some elements.
///
/// NaNs count as neither smallest nor largest, and −0.0 as 0.0, so that the order in which elements
/// come does not matter; complex elements have no order, only NaNs.
public struct ElementStatistics: Hashable, Sendable {
  /// A value at its type's full precision; `bool` counts as 0 and 1.
  public enum Value: Hashable, Sendable {
    /// Of a signed integer type.
    case signed(Int64)
    /// Of an unsigned integer type, or a boolean.
    case unsigned(UInt64)
    /// Of a floating-point type.
    case real(Double)

    /// The smaller of two values of one kind.
    package static func smaller(_ a: Value, _ b: Value) -> Value { a.precedes(b) ? a : b }
    /// The larger of two values of one kind.
    package static func larger(_ a: Value, _ b: Value) -> Value { a.precedes(b) ? b : a }

    private func precedes(_ other: Value) -> Bool {
      switch (self, other) {
      case (.signed(let a), .signed(let b)): a <= b
      case (.unsigned(let a), .unsigned(let b)): a <= b
      case (.real(let a), .real(let b)): a <= b
      default: true
      }
    }
  }

  /// The smallest value; nil when there is none.
  public var minimum: Value?
  /// The largest value; nil when there is none.
  public var maximum: Value?
  /// How many elements are NaN; of a complex element, either part.
  public var nanCount: Int

  /// The statistics of no elements.
  public init() { nanCount = 0 }

  /// The given statistics.
  package init(minimum: Value?, maximum: Value?, nanCount: Int) {
    self.minimum = minimum
    self.maximum = maximum
    self.nanCount = nanCount
  }

  /// Adds other elements' statistics.
  public mutating func formUnion(_ other: ElementStatistics) {
    if let value = other.minimum { minimum = minimum.map { .smaller($0, value) } ?? value }
    if let value = other.maximum { maximum = maximum.map { .larger($0, value) } ?? value }
    nanCount = Checked.add(nanCount, other.nanCount) ?? Int.max
  }

  /// Adds the elements in a piece of memory, which need not be aligned.
  package mutating func add(_ memory: UnsafeRawBufferPointer, dataType: DataType) {
    switch dataType {
    case .bool, .uint8: unsafe addUnsigned(UInt8.self, memory)
    case .uint16: unsafe addUnsigned(UInt16.self, memory)
    case .uint32: unsafe addUnsigned(UInt32.self, memory)
    case .uint64: unsafe addUnsigned(UInt64.self, memory)
    case .int8: unsafe addSigned(Int8.self, memory)
    case .int16: unsafe addSigned(Int16.self, memory)
    case .int32: unsafe addSigned(Int32.self, memory)
    case .int64: unsafe addSigned(Int64.self, memory)
    case .float16: unsafe addHalf(memory)
    case .float32: unsafe addReal(SIMD16<Float>.self, memory)
    case .float64: unsafe addReal(SIMD8<Double>.self, memory)
    case .complex64: unsafe nanCount += complexNaNs(Float.self, memory)
    case .complex128: unsafe nanCount += complexNaNs(Double.self, memory)
    }
  }

  @inline(__always)
  private mutating func addSigned<T: FixedWidthInteger>(
    _ type: T.Type, _ memory: UnsafeRawBufferPointer
  ) {
    guard let (low, high) = unsafe integerRange(type, memory) else { return }
    formUnion(.init(minimum: .signed(Int64(low)), maximum: .signed(Int64(high)), nanCount: 0))
  }

  @inline(__always)
  private mutating func addUnsigned<T: FixedWidthInteger>(
    _ type: T.Type, _ memory: UnsafeRawBufferPointer
  ) {
    guard let (low, high) = unsafe integerRange(type, memory) else { return }
    formUnion(.init(minimum: .unsigned(UInt64(low)), maximum: .unsigned(UInt64(high)), nanCount: 0))
  }

  @inline(__always)
  private mutating func addReal<Lanes: RealLanes>(
    _ type: Lanes.Type, _ memory: UnsafeRawBufferPointer
  ) {
    let size = MemoryLayout<Lanes.Scalar>.size
    let count = memory.count / size
    guard count > 0, let base = memory.baseAddress else { return }
    var low = Lanes(repeating: .infinity)
    var high = Lanes(repeating: -.infinity)
    var nans = 0
    var index = 0
    while index + Lanes.scalarCount <= count {
      // The narrow counters must not overflow.
      let end = Swift.min(count, index + 16384 * Lanes.scalarCount)
      var counters = Lanes.Counters()
      while index + Lanes.scalarCount <= end {
        unsafe Lanes.fold(
          base.loadUnaligned(fromByteOffset: index * size, as: Lanes.self), &low, &high, &counters)
        index += Lanes.scalarCount
      }
      nans += Lanes.sum(counters)
    }
    var (least, most) = (low.min(), high.max())
    while index < count {
      let value = unsafe base.loadUnaligned(fromByteOffset: index * size, as: Lanes.Scalar.self)
      least = value < least ? value : least
      most = value > most ? value : most
      nans += value.isNaN ? 1 : 0
      index += 1
    }
    let some = count > nans
    formUnion(
      .init(
        minimum: some ? .real(Double(least) + 0) : nil,
        maximum: some ? .real(Double(most) + 0) : nil,
        nanCount: nans))
  }

  /// Halves as integers that order alike, since not every processor compares them as they are: the
  /// bits of a negative number with its magnitude flipped.
  private mutating func addHalf(_ memory: UnsafeRawBufferPointer) {
    let count = memory.count / 2
    guard count > 0, let base = memory.baseAddress else { return }
    var low = Int16.max
    var high = Int16.min
    var nans: Int16 = 0
    var total = 0
    var start = 0
    while start < count {
      // The narrow counter must not overflow.
      let end = Swift.min(count, start + 16384)
      for index in start..<end {
        let bits = unsafe base.loadUnaligned(fromByteOffset: index * 2, as: Int16.self)
        let isNaN = bits & Int16.max > 0x7C00
        let key = bits ^ ((bits >> 15) & Int16.max)
        low = Swift.min(low, isNaN ? Int16.max : key)
        high = Swift.max(high, isNaN ? Int16.min : key)
        nans &+= isNaN ? 1 : 0
      }
      total += Int(nans)
      nans = 0
      start = end
    }
    func value(_ key: Int16) -> Value {
      let bits = key ^ ((key >> 15) & Int16.max)
      return .real(FloatBits.value(of: UInt64(truncatingIfNeeded: bits), byteCount: 2) + 0)
    }
    let some = count > total
    formUnion(
      .init(minimum: some ? value(low) : nil, maximum: some ? value(high) : nil, nanCount: total))
  }
}

/// Vectors of floats to take statistics in. The conformances repeat each other because only operations
/// on vectors of a known type become vector code.
private protocol RealLanes: SIMD where Scalar: BinaryFloatingPoint {
  associatedtype Counters: SIMD
  /// Takes values into the lanes' minima, maxima and numbers of NaNs; a comparison with NaN is false,
  /// so that NaN never takes a lane.
  static func fold(
    _ values: Self, _ low: inout Self, _ high: inout Self, _ nans: inout Counters)
  static func sum(_ nans: Counters) -> Int
}

extension SIMD16<Float>: RealLanes {
  @inline(__always)
  fileprivate static func fold(
    _ values: Self, _ low: inout Self, _ high: inout Self, _ nans: inout SIMD16<Int32>
  ) {
    low.replace(with: values, where: values .< low)
    high.replace(with: values, where: values .> high)
    nans.replace(with: nans &+ 1, where: values .!= values)
  }
  fileprivate static func sum(_ nans: SIMD16<Int32>) -> Int { Int(nans.wrappedSum()) }
}

extension SIMD8<Double>: RealLanes {
  @inline(__always)
  fileprivate static func fold(
    _ values: Self, _ low: inout Self, _ high: inout Self, _ nans: inout SIMD8<Int64>
  ) {
    low.replace(with: values, where: values .< low)
    high.replace(with: values, where: values .> high)
    nans.replace(with: nans &+ 1, where: values .!= values)
  }
  fileprivate static func sum(_ nans: SIMD8<Int64>) -> Int { Int(nans.wrappedSum()) }
}

/// In a form that the compiler turns into vector minimum and maximum.
@inline(__always)
private func integerRange<T: FixedWidthInteger>(
  _ type: T.Type, _ memory: UnsafeRawBufferPointer
) -> (T, T)? {
  let size = MemoryLayout<T>.size
  let count = memory.count / size
  guard count > 0, let base = memory.baseAddress else { return nil }
  var low = T.max
  var high = T.min
  for index in 0..<count {
    let value = unsafe base.loadUnaligned(fromByteOffset: index * size, as: T.self)
    low = Swift.min(low, value)
    high = Swift.max(high, value)
  }
  return (low, high)
}

private func complexNaNs<T: BinaryFloatingPoint>(
  _ type: T.Type, _ memory: UnsafeRawBufferPointer
) -> Int {
  let size = MemoryLayout<T>.size
  var nans = 0
  for offset in stride(from: 0, to: memory.count / (2 * size) * 2 * size, by: 2 * size) {
    let real = unsafe memory.loadUnaligned(fromByteOffset: offset, as: T.self)
    let imaginary = unsafe memory.loadUnaligned(fromByteOffset: offset + size, as: T.self)
    nans += real != real || imaginary != imaginary ? 1 : 0
  }
  return nans
}

extension DataType {
  /// Refuses elements that are none of a type: of booleans, bytes that are neither 0 nor 1.
  package func checkRange(_ statistics: ElementStatistics) throws(HyperslabError) {
    guard self == .bool, case .unsigned(let most)? = statistics.maximum, most > 1 else { return }
    throw HyperslabError(
      .invalidValue, "a bool whose byte is \(most)", expected: "0 or 1",
      remedy: "Write the bytes as uint8, or as 0 and 1")
  }
}
