/// Smallest and largest value and the number of NaNs among some elements.
///
/// NaNs count as neither smallest nor largest; complex elements have no order, only NaNs.
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
    nanCount += other.nanCount
  }

  /// Adds the elements in a piece of memory, which need not be aligned.
  package mutating func add(_ memory: UnsafeRawBufferPointer, dataType: DataType) {
    switch dataType {
    case .bool, .uint8: addUnsigned(UInt8.self, memory)
    case .uint16: addUnsigned(UInt16.self, memory)
    case .uint32: addUnsigned(UInt32.self, memory)
    case .uint64: addUnsigned(UInt64.self, memory)
    case .int8: addSigned(Int8.self, memory)
    case .int16: addSigned(Int16.self, memory)
    case .int32: addSigned(Int32.self, memory)
    case .int64: addSigned(Int64.self, memory)
    case .float16: addHalf(memory)
    case .float32: addReal(Float.self, memory)
    case .float64: addReal(Double.self, memory)
    case .complex64: nanCount += complexNaNs(Float.self, memory)
    case .complex128: nanCount += complexNaNs(Double.self, memory)
    }
  }

  private mutating func addSigned<T: FixedWidthInteger & SIMDScalar>(
    _ type: T.Type, _ memory: UnsafeRawBufferPointer
  ) {
    guard let (low, high) = integerRange(type, memory) else { return }
    formUnion(.init(minimum: .signed(Int64(low)), maximum: .signed(Int64(high)), nanCount: 0))
  }

  private mutating func addUnsigned<T: FixedWidthInteger & SIMDScalar>(
    _ type: T.Type, _ memory: UnsafeRawBufferPointer
  ) {
    guard let (low, high) = integerRange(type, memory) else { return }
    formUnion(.init(minimum: .unsigned(UInt64(low)), maximum: .unsigned(UInt64(high)), nanCount: 0))
  }

  private mutating func addReal<T: BinaryFloatingPoint & SIMDScalar>(
    _ type: T.Type, _ memory: UnsafeRawBufferPointer
  ) where T.SIMDMaskScalar: FixedWidthInteger {
    let (low, high, nans) = realRange(type, memory)
    let count = memory.count / MemoryLayout<T>.size
    let some = count > nans
    formUnion(
      .init(
        minimum: some ? .real(Double(low)) : nil, maximum: some ? .real(Double(high)) : nil,
        nanCount: nans))
  }

  private mutating func addHalf(_ memory: UnsafeRawBufferPointer) {
    // Bits compare like signed integers once a negative number's magnitude is flipped.
    var low = Int16.max
    var high = Int16.min
    var nans = 0
    for offset in stride(from: 0, to: memory.count - 1, by: 2) {
      let bits = memory.loadUnaligned(fromByteOffset: offset, as: Int16.self)
      let isNaN = bits & 0x7FFF > 0x7C00
      let key = bits ^ ((bits >> 15) & 0x7FFF)
      nans += isNaN ? 1 : 0
      low = isNaN ? low : Swift.min(low, key)
      high = isNaN ? high : Swift.max(high, key)
    }
    func value(_ key: Int16) -> Value {
      .real(FloatBits.value(ofHalf: UInt16(bitPattern: key ^ ((key >> 15) & 0x7FFF))))
    }
    let some = memory.count / 2 > nans
    formUnion(
      .init(minimum: some ? value(low) : nil, maximum: some ? value(high) : nil, nanCount: nans))
  }
}

@inline(__always)
private func integerRange<T: FixedWidthInteger & SIMDScalar>(
  _ type: T.Type, _ memory: UnsafeRawBufferPointer
) -> (T, T)? {
  let size = MemoryLayout<T>.size
  let count = memory.count / size
  if count == 0 { return nil }
  var index = 0
  // A form that the compiler turns into vector minimum and maximum.
  var lows = SIMD16<T>(repeating: .max)
  var highs = SIMD16<T>(repeating: .min)
  while index + 16 <= count {
    let value = memory.loadUnaligned(fromByteOffset: index * size, as: SIMD16<T>.self)
    lows.replace(with: value, where: value .< lows)
    highs.replace(with: value, where: value .> highs)
    index += 16
  }
  var low = lows.min()
  var high = highs.max()
  while index < count {
    let value = memory.loadUnaligned(fromByteOffset: index * size, as: T.self)
    low = Swift.min(low, value)
    high = Swift.max(high, value)
    index += 1
  }
  return (low, high)
}

@inline(__always)
private func realRange<T: BinaryFloatingPoint & SIMDScalar>(
  _ type: T.Type, _ memory: UnsafeRawBufferPointer
) -> (T, T, Int) where T.SIMDMaskScalar: FixedWidthInteger {
  let size = MemoryLayout<T>.size
  let count = memory.count / size
  var lows = SIMD16<T>(repeating: .infinity)
  var highs = SIMD16<T>(repeating: -.infinity)
  var nanLanes = SIMD16<T.SIMDMaskScalar>()
  var nans = 0
  var index = 0
  while index + 16 <= count {
    let value = memory.loadUnaligned(fromByteOffset: index * size, as: SIMD16<T>.self)
    lows.replace(with: value, where: value .< lows)
    highs.replace(with: value, where: value .> highs)
    nanLanes.replace(with: nanLanes &+ 1, where: value .!= value)
    index += 16
  }
  for lane in 0..<16 { nans += Int(nanLanes[lane]) }
  var low = lows.min()
  var high = highs.max()
  while index < count {
    let value = memory.loadUnaligned(fromByteOffset: index * size, as: T.self)
    if value < low { low = value }
    if value > high { high = value }
    if value != value { nans += 1 }
    index += 1
  }
  return (low, high, nans)
}

private func complexNaNs<T: BinaryFloatingPoint>(
  _ type: T.Type, _ memory: UnsafeRawBufferPointer
) -> Int {
  let size = MemoryLayout<T>.size
  var nans = 0
  for offset in stride(from: 0, to: memory.count / (2 * size) * 2 * size, by: 2 * size) {
    let real = memory.loadUnaligned(fromByteOffset: offset, as: T.self)
    let imaginary = memory.loadUnaligned(fromByteOffset: offset + size, as: T.self)
    nans += real != real || imaginary != imaginary ? 1 : 0
  }
  return nans
}
