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
    case .float16: addReal(Int16.self, infinity: 0x7C00, memory)
    case .float32: addReal(Int32.self, infinity: 0x7F80_0000, memory)
    case .float64: addReal(Int64.self, infinity: 0x7FF0_0000_0000_0000, memory)
    case .complex64: nanCount += complexNaNs(Float.self, memory)
    case .complex128: nanCount += complexNaNs(Double.self, memory)
    }
  }

  @inline(__always)
  private mutating func addSigned<T: FixedWidthInteger>(
    _ type: T.Type, _ memory: UnsafeRawBufferPointer
  ) {
    guard let (low, high) = integerRange(type, memory) else { return }
    formUnion(.init(minimum: .signed(Int64(low)), maximum: .signed(Int64(high)), nanCount: 0))
  }

  @inline(__always)
  private mutating func addUnsigned<T: FixedWidthInteger>(
    _ type: T.Type, _ memory: UnsafeRawBufferPointer
  ) {
    guard let (low, high) = integerRange(type, memory) else { return }
    formUnion(.init(minimum: .unsigned(UInt64(low)), maximum: .unsigned(UInt64(high)), nanCount: 0))
  }

  /// Floats as integers that order alike: the bits of a negative number with its magnitude flipped.
  ///
  /// Integer minima become vector code where floating-point ones, with NaN to mind, do not.
  @inline(__always)
  private mutating func addReal<Bits: FixedWidthInteger & SignedInteger>(
    _ type: Bits.Type, infinity: Bits, _ memory: UnsafeRawBufferPointer
  ) {
    let size = MemoryLayout<Bits>.size
    let count = memory.count / size
    guard count > 0, let base = memory.baseAddress else { return }
    var low = Bits.max
    var high = Bits.min
    var nans: Bits = 0
    var total = 0
    var start = 0
    while start < count {
      // The narrow counter must not overflow.
      let end = Swift.min(count, start + 16384)
      for index in start..<end {
        let bits = base.loadUnaligned(fromByteOffset: index * size, as: Bits.self)
        let isNaN = bits & Bits.max > infinity
        let key = bits ^ ((bits >> (Bits.bitWidth - 1)) & Bits.max)
        low = Swift.min(low, isNaN ? Bits.max : key)
        high = Swift.max(high, isNaN ? Bits.min : key)
        nans &+= isNaN ? 1 : 0
      }
      total += Int(nans)
      nans = 0
      start = end
    }
    func value(_ key: Bits) -> Value {
      let bits = key ^ ((key >> (Bits.bitWidth - 1)) & Bits.max)
      return .real(
        FloatBits.value(of: UInt64(truncatingIfNeeded: bits), byteCount: size))
    }
    let some = count > total
    formUnion(
      .init(minimum: some ? value(low) : nil, maximum: some ? value(high) : nil, nanCount: total))
  }
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
    let value = base.loadUnaligned(fromByteOffset: index * size, as: T.self)
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
    let real = memory.loadUnaligned(fromByteOffset: offset, as: T.self)
    let imaginary = memory.loadUnaligned(fromByteOffset: offset + size, as: T.self)
    nans += real != real || imaginary != imaginary ? 1 : 0
  }
  return nans
}
