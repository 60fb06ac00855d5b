import HyperslabCore

/// Memory that the stages work on: the same in every run.
enum Samples {
  /// Four blocks of the usual size.
  static let byteCount = 1 << 18

  /// The signed type of an element size; of 16 bytes, the complex one.
  static func dataType(elementByteCount: Int) -> DataType {
    switch elementByteCount {
    case 1: .int8
    case 2: .int16
    case 4: .int32
    case 8: .int64
    default: .complex128
    }
  }

  /// Integers like a recording's: noise that fades slowly, between about -100 and 100, so that the
  /// high bytes compress and the low ones do not.
  static func recording(elementByteCount size: Int, byteCount: Int = byteCount) -> ElementBuffer {
    let buffer = ElementBuffer(byteCount: byteCount)
    var state: UInt64 = 1
    var level = 0
    let width = Swift.min(size, 8)
    for offset in stride(from: 0, to: byteCount / width * width, by: width) {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      level = level * 9 / 10 + Int(state >> 40 & 31) + Int(state >> 50 & 31) - 31
      let bits = UInt64(truncatingIfNeeded: level)
      for byte in 0..<width {
        buffer.pointer.storeBytes(
          of: UInt8(truncatingIfNeeded: bits >> UInt64(8 * byte)), toByteOffset: offset + byte,
          as: UInt8.self)
      }
    }
    return buffer
  }
}

extension ElementBuffer {
  /// All of the memory.
  var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: pointer, count: byteCount) }
}
