public import ComplexModule

#if _endian(big)
  #error("Hyperslab keeps elements little-endian in memory and needs a little-endian host")
#endif

/// A Swift type whose values are elements of an array, laid out exactly as ``dataType`` says.
///
/// Only a type that is `BitwiseCopyable` conforms: a number, or a structure around one. Whether it is that,
/// and its size, stride and alignment are those of its data type, is checked wherever values go in or out
/// (``DataType/init(of:)``), and told as `type_mismatch`: a pointer, an enumeration or a character is not
/// whatever bits a file may hold.
public protocol ArrayElement: Sendable {
  /// The type itself, which thereby has to be `BitwiseCopyable`. Nothing else is taken: it is an
  /// associated type only for the sake of `Complex`, whose own module does not say so of it.
  associatedtype Bits: BitwiseCopyable = Self

  /// The run-time name of the type.
  static var dataType: DataType { get }
}

extension Bool: ArrayElement {
  /// `bool`, one byte: 0 or 1.
  public static var dataType: DataType { .bool }
}
extension Int8: ArrayElement {
  /// `int8`.
  public static var dataType: DataType { .int8 }
}
extension Int16: ArrayElement {
  /// `int16`.
  public static var dataType: DataType { .int16 }
}
extension Int32: ArrayElement {
  /// `int32`.
  public static var dataType: DataType { .int32 }
}
extension Int64: ArrayElement {
  /// `int64`.
  public static var dataType: DataType { .int64 }
}
extension Int: ArrayElement {
  /// `int64`.
  public static var dataType: DataType { .int64 }
}
extension UInt8: ArrayElement {
  /// `uint8`.
  public static var dataType: DataType { .uint8 }
}
extension UInt16: ArrayElement {
  /// `uint16`.
  public static var dataType: DataType { .uint16 }
}
extension UInt32: ArrayElement {
  /// `uint32`.
  public static var dataType: DataType { .uint32 }
}
extension UInt64: ArrayElement {
  /// `uint64`.
  public static var dataType: DataType { .uint64 }
}
#if !(os(macOS) && arch(x86_64))
  extension Float16: ArrayElement {
    /// `float16`.
    public static var dataType: DataType { .float16 }
  }
#endif
extension Float: ArrayElement {
  /// `float32`.
  public static var dataType: DataType { .float32 }
}
extension Double: ArrayElement {
  /// `float64`.
  public static var dataType: DataType { .float64 }
}
extension Complex: ArrayElement where RealType: ArrayElement {
  /// What the parts are.
  public typealias Bits = RealType.Bits
  /// `complex64` over `Float`, `complex128` over `Double`.
  public static var dataType: DataType {
    RealType.dataType == .float64 ? .complex128 : .complex64
  }
}
