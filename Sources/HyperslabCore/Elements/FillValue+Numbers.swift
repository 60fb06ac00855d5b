/// The types of Swift itself, which are known to be laid out as they say.
extension FillValue {
  /// The bits of a `Bool`.
  public init(_ value: Bool) { self.init(bits: value, .bool) }
  /// The bits of an `Int8`.
  public init(_ value: Int8) { self.init(bits: value, .int8) }
  /// The bits of an `Int16`.
  public init(_ value: Int16) { self.init(bits: value, .int16) }
  /// The bits of an `Int32`.
  public init(_ value: Int32) { self.init(bits: value, .int32) }
  /// The bits of an `Int64`.
  public init(_ value: Int64) { self.init(bits: value, .int64) }
  /// The bits of an `Int`.
  public init(_ value: Int) { self.init(bits: value, .int64) }
  /// The bits of a `UInt8`.
  public init(_ value: UInt8) { self.init(bits: value, .uint8) }
  /// The bits of a `UInt16`.
  public init(_ value: UInt16) { self.init(bits: value, .uint16) }
  /// The bits of a `UInt32`.
  public init(_ value: UInt32) { self.init(bits: value, .uint32) }
  /// The bits of a `UInt64`.
  public init(_ value: UInt64) { self.init(bits: value, .uint64) }
  #if !(os(macOS) && arch(x86_64))
    /// The bits of a `Float16`.
    public init(_ value: Float16) { self.init(bits: value, .float16) }
  #endif
  /// The bits of a `Float`.
  public init(_ value: Float) { self.init(bits: value, .float32) }
  /// The bits of a `Double`.
  public init(_ value: Double) { self.init(bits: value, .float64) }
}
