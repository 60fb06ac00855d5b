public import HyperslabCore

/// Elements of a type known only at run time, as text.
///
/// Floats print with the fewest digits that read back as the same value of their own type, so a
/// `float32` prints as `293.15` and never as `293.1499938964844`.
public struct ElementText: Sendable {
  /// How values are spelled.
  public enum Style: Sendable {
    /// As Python does: `True`, `nan`, `-inf`, `(1.0+2.0j)`.
    case python
    /// As JSON, with Zarr's spelling of what JSON lacks: `"NaN"`, `"-Infinity"`, `[1.0, 2.0]`.
    case json
  }

  /// The element type.
  public let dataType: DataType
  /// How values are spelled.
  public let style: Style

  /// Text of elements of a type.
  public init(_ dataType: DataType, style: Style = .python) {
    self.dataType = dataType
    self.style = style
  }

  /// The text of the element that starts at a byte.
  ///
  /// - Throws: `out_of_bounds` unless the bytes hold a whole element there.
  public func text(of bytes: RawSpan, at byteOffset: Int) throws(HyperslabError) -> String {
    guard byteOffset >= 0, byteOffset <= bytes.byteCount - dataType.byteCount else {
      throw HyperslabError(
        .outOfBounds, "a \(dataType) at byte \(byteOffset)",
        expected: "a whole one in \(bytes.byteCount) bytes")
    }
    return unsafe bytes.extracting(byteOffset..<byteOffset + dataType.byteCount).withUnsafeBytes {
      unsafe text($0)
    }
  }

  private func text(_ memory: UnsafeRawBufferPointer) -> String {
    func integer<T: FixedWidthInteger & BitwiseCopyable>(_ type: T.Type) -> String {
      unsafe String(memory.loadUnaligned(as: type))
    }
    switch dataType {
    case .bool: return unsafe boolean(memory[0] != 0)
    case .int8: return integer(Int8.self)
    case .int16: return integer(Int16.self)
    case .int32: return integer(Int32.self)
    case .int64: return integer(Int64.self)
    case .uint8: return integer(UInt8.self)
    case .uint16: return integer(UInt16.self)
    case .uint32: return integer(UInt32.self)
    case .uint64: return integer(UInt64.self)
    case .float16, .float32, .float64: return unsafe real(memory)
    case .complex64, .complex128:
      let half = memory.count / 2
      return unsafe complex(
        real(UnsafeRawBufferPointer(rebasing: memory[..<half])),
        real(UnsafeRawBufferPointer(rebasing: memory[half...])))
    }
  }

  private func boolean(_ value: Bool) -> String {
    style == .json ? "\(value)" : value ? "True" : "False"
  }

  private func complex(_ real: String, _ imaginary: String) -> String {
    if style == .json { return "[\(real), \(imaginary)]" }
    return "(\(real)\(imaginary.hasPrefix("-") ? "" : "+")\(imaginary)j)"
  }

  private func real(_ memory: UnsafeRawBufferPointer) -> String {
    switch memory.count {
    case 2:
      let bits = unsafe memory.loadUnaligned(as: UInt16.self)
      #if !(os(macOS) && arch(x86_64))
        return text(Float16(bitPattern: bits))
      #else
        return text(Float(FloatBits.value(ofHalf: bits)))
      #endif
    case 4: return unsafe text(memory.loadUnaligned(as: Float.self))
    default: return unsafe text(memory.loadUnaligned(as: Double.self))
    }
  }

  private func text<T: BinaryFloatingPoint & CustomStringConvertible>(_ value: T) -> String {
    if value.isFinite { return value.description }
    if value.isNaN { return style == .json ? "\"NaN\"" : "nan" }
    let sign = value < 0 ? "-" : ""
    return style == .json ? "\"\(sign)Infinity\"" : "\(sign)inf"
  }
}
