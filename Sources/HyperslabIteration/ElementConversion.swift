import HyperslabCore

/// Element by element from one type to another; never traps, whatever the values.
struct ElementConversion {
  private enum Scalar {
    case signed(Int64)
    case unsigned(UInt64)
    case floating(Double)
    case complex(Double, Double)
  }

  let from: DataType
  let to: DataType

  /// - Throws: `out_of_memory`, `overflow`.
  func convert(_ bytes: RawSpan) throws(HyperslabError) -> FilledBuffer {
    let count = bytes.byteCount / from.byteCount
    guard let byteCount = Checked.multiply(count, to.byteCount) else {
      throw HyperslabError(
        .overflow, "\(count) elements as \(to) are larger than memory can be",
        remedy: "Convert smaller pieces")
    }
    let buffer = try ElementBuffer(allocating: byteCount)
    unsafe bytes.withUnsafeBytes { source in
      guard let source = source.baseAddress else { return }
      for index in 0..<count {
        unsafe store(
          load(source + index * from.byteCount), buffer.pointer + index * to.byteCount)
      }
    }
    return FilledBuffer(buffer: buffer, byteCount: byteCount)
  }

  private func load(_ place: UnsafeRawPointer) -> Scalar {
    switch from {
    case .bool: unsafe .unsigned(place.load(as: UInt8.self) == 0 ? 0 : 1)
    case .int8: unsafe .signed(Int64(place.load(as: Int8.self)))
    case .int16: unsafe .signed(Int64(place.loadUnaligned(as: Int16.self)))
    case .int32: unsafe .signed(Int64(place.loadUnaligned(as: Int32.self)))
    case .int64: unsafe .signed(place.loadUnaligned(as: Int64.self))
    case .uint8: unsafe .unsigned(UInt64(place.load(as: UInt8.self)))
    case .uint16: unsafe .unsigned(UInt64(place.loadUnaligned(as: UInt16.self)))
    case .uint32: unsafe .unsigned(UInt64(place.loadUnaligned(as: UInt32.self)))
    case .uint64: unsafe .unsigned(place.loadUnaligned(as: UInt64.self))
    case .float16: unsafe .floating(FloatBits.value(ofHalf: place.loadUnaligned(as: UInt16.self)))
    case .float32: unsafe .floating(Double(place.loadUnaligned(as: Float.self)))
    case .float64: unsafe .floating(place.loadUnaligned(as: Double.self))
    case .complex64:
      unsafe .complex(
        Double(place.loadUnaligned(as: Float.self)),
        Double((place + 4).loadUnaligned(as: Float.self)))
    case .complex128:
      unsafe .complex(
        place.loadUnaligned(as: Double.self), (place + 8).loadUnaligned(as: Double.self))
    }
  }

  private func store(_ value: Scalar, _ place: UnsafeMutableRawPointer) {
    switch to {
    case .bool: unsafe place.storeBytes(of: isTrue(value) ? 1 : 0, as: UInt8.self)
    case .int8: unsafe place.storeBytes(of: integer(value), as: Int8.self)
    case .int16: unsafe place.storeBytes(of: integer(value), as: Int16.self)
    case .int32: unsafe place.storeBytes(of: integer(value), as: Int32.self)
    case .int64: unsafe place.storeBytes(of: integer(value), as: Int64.self)
    case .uint8: unsafe place.storeBytes(of: integer(value), as: UInt8.self)
    case .uint16: unsafe place.storeBytes(of: integer(value), as: UInt16.self)
    case .uint32: unsafe place.storeBytes(of: integer(value), as: UInt32.self)
    case .uint64: unsafe place.storeBytes(of: integer(value), as: UInt64.self)
    case .float16:
      let bits = FloatBits.bits(of: real(value), byteCount: 2)
      unsafe place.storeBytes(of: UInt16(truncatingIfNeeded: bits), as: UInt16.self)
    case .float32: unsafe place.storeBytes(of: single(value), as: Float.self)
    case .float64: unsafe place.storeBytes(of: real(value), as: Double.self)
    case .complex64:
      unsafe place.storeBytes(of: single(value), as: Float.self)
      unsafe (place + 4).storeBytes(of: Float(imaginary(value)), as: Float.self)
    case .complex128:
      unsafe place.storeBytes(of: real(value), as: Double.self)
      unsafe (place + 8).storeBytes(of: imaginary(value), as: Double.self)
    }
  }

  private func isTrue(_ value: Scalar) -> Bool {
    switch value {
    case .signed(let value): value != 0
    case .unsigned(let value): value != 0
    case .floating(let value): value != 0
    case .complex(let real, let imaginary): real != 0 || imaginary != 0
    }
  }

  private func integer<T: FixedWidthInteger>(_ value: Scalar) -> T {
    switch value {
    case .signed(let value): return T(truncatingIfNeeded: value)
    case .unsigned(let value): return T(truncatingIfNeeded: value)
    case .floating(let value), .complex(let value, _):
      if value.isNaN { return 0 }
      return T(exactly: value.rounded(.towardZero)) ?? (value < 0 ? .min : .max)
    }
  }

  private func real(_ value: Scalar) -> Double {
    switch value {
    case .signed(let value): Double(value)
    case .unsigned(let value): Double(value)
    case .floating(let value), .complex(let value, _): value
    }
  }

  /// Integers go to single precision at once: by way of `Double` they would be rounded twice.
  private func single(_ value: Scalar) -> Float {
    switch value {
    case .signed(let value): Float(value)
    case .unsigned(let value): Float(value)
    case .floating(let value), .complex(let value, _): Float(value)
    }
  }

  private func imaginary(_ value: Scalar) -> Double {
    if case .complex(_, let value) = value { value } else { 0 }
  }
}
