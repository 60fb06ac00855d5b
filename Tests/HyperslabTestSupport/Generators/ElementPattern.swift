public import HyperslabCore

/// Random elements of any type, rich in the values that get lost: NaNs with payloads, −0.0,
/// infinities, subnormals, the ends of integer ranges, runs of one value.
public enum ElementPattern {
  /// The bytes of some elements; those of a `bool` are 0 or 1.
  public static func bytes(
    count: Int, of dataType: DataType, using generator: inout SeededGenerator
  ) -> [UInt8] {
    let size = dataType.byteCount
    let part = dataType == .complex64 || dataType == .complex128 ? size / 2 : size
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count * size)
    var previous: [UInt8] = []
    while bytes.count < count * size {
      var element: [UInt8] = []
      if !previous.isEmpty, generator.chance(1, in: 3) {
        element = previous
      } else {
        for _ in 0..<size / part { element += one(part, dataType, &generator) }
      }
      bytes += element
      previous = element
    }
    return bytes
  }

  /// Writes such elements over memory; a part of an element at the end gets zeros.
  public static func fill(
    _ memory: UnsafeMutableRawBufferPointer, with dataType: DataType,
    using generator: inout SeededGenerator
  ) {
    let bytes = bytes(
      count: memory.count / dataType.byteCount, of: dataType, using: &generator)
    for index in memory.indices { unsafe memory[index] = index < bytes.count ? bytes[index] : 0 }
  }

  private static func one(
    _ size: Int, _ dataType: DataType, _ generator: inout SeededGenerator
  ) -> [UInt8] {
    if dataType == .bool { return [UInt8.random(in: 0...1, using: &generator)] }
    var bits = generator.next()
    if generator.chance(1, in: 3),
      let value = special(size, dataType).randomElement(using: &generator)
    {
      bits = value
    }
    return (0..<size).map { UInt8(truncatingIfNeeded: bits >> (8 * $0)) }
  }

  private static func special(_ size: Int, _ dataType: DataType) -> [UInt64] {
    switch dataType {
    case .float16: [0, 0x8000, 0x7C00, 0xFC00, 0x7E00, 0x7E01, 0xFFFF, 0x7C01, 1, 0x03FF, 0x7BFF]
    case .float32, .complex64:
      [
        0, 0x8000_0000, 0x7F80_0000, 0xFF80_0000, 0x7FC0_0000, 0x7FC0_0001, 0xFFFF_FFFF,
        0x7F80_0001,
        1, 0x7F7F_FFFF,
      ]
    case .float64, .complex128:
      [
        0, 1 << 63, 0x7FF0 << 48, 0xFFF0 << 48, 0x7FF8 << 48, 0x7FF8 << 48 | 1, .max,
        0x7FF0 << 48 | 1,
        1, 0x7FEF_FFFF_FFFF_FFFF,
      ]
    default: [0, 1, .max, 1 << (8 * size - 1), 1 << (8 * size - 1) - 1]
    }
  }
}
