/// The value that stands for what was never stored, kept as the bits of one element.
///
/// Compared and stored bit for bit: −0.0 is not 0.0, and NaN payloads count.
public struct FillValue: Hashable, Sendable {
  /// The type it is a value of.
  public let dataType: DataType
  /// The element's bytes, little-endian.
  public let bytes: [UInt8]

  /// All bits zero: 0, 0.0, false.
  public init(zero dataType: DataType) {
    self.dataType = dataType
    bytes = Array(repeating: 0, count: dataType.byteCount)
  }

  /// The bits of a value of a type of one's own.
  ///
  /// - Throws: `type_mismatch` unless the type is laid out as it says; `invalid_value` for what is no bool.
  public init<Element: ArrayElement>(_ value: Element) throws(HyperslabError) {
    let dataType = try DataType(of: Element.self)
    try unsafe self.init(bytes: withUnsafeBytes(of: value) { unsafe Array($0) }, dataType: dataType)
  }

  /// The bits of a value whose type is known to be laid out so.
  init(bits value: some BitwiseCopyable, _ dataType: DataType) {
    self.dataType = dataType
    bytes = unsafe withUnsafeBytes(of: value) { unsafe Array($0) }
  }

  /// The given bits.
  ///
  /// - Throws: `invalid_value` unless there are as many bytes as the type has.
  public init(bytes: [UInt8], dataType: DataType) throws(HyperslabError) {
    guard bytes.count == dataType.byteCount, dataType != .bool || bytes[0] <= 1 else {
      throw HyperslabError(
        .invalidValue, "the bits of a \(dataType) fill value",
        expected: "\(dataType.byteCount) bytes", found: "\(bytes)")
    }
    self.dataType = dataType
    self.bytes = bytes
  }

  /// Sixteen bytes of the value repeated, the period of every element size.
  package var pattern: SIMD16<UInt8> {
    var pattern = SIMD16<UInt8>()
    for index in 0..<16 { pattern[index] = bytes[index % bytes.count] }
    return pattern
  }

  /// Writes the value over memory whose size is a multiple of the element's.
  package func write(over memory: UnsafeMutableRawBufferPointer) {
    let pattern = pattern
    var offset = 0
    while offset + 16 <= memory.count {
      unsafe memory.storeBytes(of: pattern, toByteOffset: offset, as: SIMD16<UInt8>.self)
      offset += 16
    }
    while offset < memory.count {
      unsafe memory[offset] = pattern[offset % 16]
      offset += 1
    }
  }

  /// Whether memory holds nothing but the value; it must start at an element.
  package func fills(_ memory: UnsafeRawBufferPointer) -> Bool {
    let pattern = pattern
    var offset = 0
    // A look at every 256 bytes together: a comparison each would cost more than the loads.
    let half = unsafe unsafeBitCast(pattern, to: SIMD2<UInt64>.self)
    let words = SIMD4(lowHalf: half, highHalf: half)
    while offset + 256 <= memory.count {
      var difference = SIMD4<UInt64>()
      for part in 0..<8 {
        let bytes = unsafe memory.loadUnaligned(
          fromByteOffset: offset + 32 * part, as: SIMD4<UInt64>.self)
        difference |= bytes ^ words
      }
      if difference[0] | difference[1] | difference[2] | difference[3] != 0 { return false }
      offset += 256
    }
    while offset < memory.count {
      if unsafe memory[offset] != pattern[offset % 16] { return false }
      offset += 1
    }
    return true
  }
}
