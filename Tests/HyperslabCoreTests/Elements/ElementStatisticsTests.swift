import HyperslabCore
import HyperslabTestSupport
import Testing

@Suite struct ElementStatisticsTests {
  /// One element as a number, nil for NaN and complex numbers, by the standard library's own types.
  func value(_ bytes: [UInt8], _ type: DataType) -> ElementStatistics.Value? {
    let bits = bytes.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    let real: Double
    switch type {
    case .bool, .uint8, .uint16, .uint32, .uint64: return .unsigned(bits)
    case .int8: return .signed(Int64(Int8(truncatingIfNeeded: bits)))
    case .int16: return .signed(Int64(Int16(truncatingIfNeeded: bits)))
    case .int32: return .signed(Int64(Int32(truncatingIfNeeded: bits)))
    case .int64: return .signed(Int64(bitPattern: bits))
    case .float16: real = Double(Float16(bitPattern: UInt16(bits)))
    case .float32: real = Double(Float(bitPattern: UInt32(bits)))
    case .float64: real = Double(bitPattern: bits)
    case .complex64, .complex128: return nil
    }
    return real.isNaN ? nil : .real(real)
  }

  func isNaN(_ bytes: [UInt8], _ type: DataType) -> Bool {
    switch type {
    case .complex64: halves(bytes).contains { value($0, .float32) == nil }
    case .complex128: halves(bytes).contains { value($0, .float64) == nil }
    default: value(bytes, type) == nil
    }
  }

  func halves(_ bytes: [UInt8]) -> [[UInt8]] {
    [Array(bytes.prefix(bytes.count / 2)), Array(bytes.suffix(bytes.count / 2))]
  }

  func less(_ a: ElementStatistics.Value, _ b: ElementStatistics.Value) -> Bool {
    switch (a, b) {
    case (.signed(let a), .signed(let b)): a < b
    case (.unsigned(let a), .unsigned(let b)): a < b
    case (.real(let a), .real(let b)): a < b
    default: false
    }
  }

  func naive(_ bytes: [UInt8], _ type: DataType) -> ElementStatistics {
    var statistics = ElementStatistics()
    for start in stride(from: 0, to: bytes.count, by: type.byteCount) {
      let element = Array(bytes[start..<start + type.byteCount])
      if isNaN(element, type) { statistics.nanCount += 1 }
      guard let value = value(element, type) else { continue }
      if statistics.minimum.map({ less(value, $0) }) ?? true { statistics.minimum = value }
      if statistics.maximum.map({ less($0, value) }) ?? true { statistics.maximum = value }
    }
    return statistics
  }

  func found(_ bytes: [UInt8], _ type: DataType, shift: Int) -> ElementStatistics {
    let memory =
      [UInt8](repeating: 0xFF, count: shift) + bytes + [UInt8](repeating: 0xFF, count: 16)
    var statistics = ElementStatistics()
    memory.withUnsafeBytes {
      statistics.add(
        UnsafeRawBufferPointer(rebasing: $0[shift..<shift + bytes.count]), dataType: type)
    }
    return statistics
  }

  @Test(arguments: DataType.allCases)
  func everyLengthAtAnyAddress(_ type: DataType) {
    var generator = SeededGenerator("statistics \(type)")
    for length in 0...70 {
      for shift in 0..<4 {
        let bytes = ElementPattern.bytes(count: length, of: type, using: &generator)
        #expect(found(bytes, type, shift: shift) == naive(bytes, type), "\(length) elements")
      }
    }
  }

  @Test(arguments: DataType.allCases)
  func extremesAtEveryPlace(_ type: DataType) {
    // One element that differs from all others, in the vector part and in the rest.
    var generator = SeededGenerator("extremes \(type)")
    for length in [1, 15, 16, 17, 33] {
      let base = ElementPattern.bytes(count: 1, of: type, using: &generator)
      for place in 0..<length {
        let other = ElementPattern.bytes(count: 1, of: type, using: &generator)
        let bytes = (0..<length).flatMap { $0 == place ? other : base }
        #expect(found(bytes, type, shift: 1) == naive(bytes, type))
      }
    }
  }

  @Test func nothingButNaNsAndInfinities() {
    for type in [DataType.float16, .float32, .float64] {
      let size = type.byteCount
      for length in [1, 16, 21] {
        func repeated(_ value: Double) -> [UInt8] {
          let bits = FloatBits.bits(of: value, byteCount: size)
          return (0..<length).flatMap { _ in
            (0..<size).map { UInt8(truncatingIfNeeded: bits >> (8 * $0)) }
          }
        }
        let nans = found(repeated(.nan), type, shift: 0)
        #expect(nans.minimum == nil && nans.maximum == nil && nans.nanCount == length)
        for value in [Double.infinity, -.infinity] {
          let statistics = found(repeated(value), type, shift: 0)
          #expect(statistics.minimum == .real(value) && statistics.maximum == .real(value))
        }
      }
    }
  }

  @Test(arguments: DataType.allCases)
  func unionIsTheStatisticsOfBoth(_ type: DataType) {
    var generator = SeededGenerator("union \(type)")
    for _ in 0..<50 {
      let a = ElementPattern.bytes(
        count: Int.random(in: 0...5, using: &generator), of: type, using: &generator)
      let b = ElementPattern.bytes(
        count: Int.random(in: 0...5, using: &generator), of: type, using: &generator)
      var union = found(a, type, shift: 0)
      union.formUnion(found(b, type, shift: 0))
      #expect(union == naive(a + b, type))
    }
  }
}
