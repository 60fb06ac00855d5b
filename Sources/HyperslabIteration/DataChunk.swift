public import HyperslabCore

/// A piece of an array: its elements and where they belong. A value: it never changes.
public struct DataChunk: Sendable {
  /// Where the elements belong in the array.
  public let selection: Selection
  /// Their type.
  public let dataType: DataType
  private let memory: any BufferMemory

  init(selection: Selection, dataType: DataType, memory: any BufferMemory) {
    self.selection = selection
    self.dataType = dataType
    self.memory = memory
  }

  /// Pairs elements in C order with their place.
  ///
  /// - Throws: `size_mismatch` unless there are exactly as many as the selection holds, `out_of_bounds` for
  ///   one that begins before the array does, `type_mismatch` for an element type that is not laid out as it says.
  public init<Element: ArrayElement>(
    selection: Selection, elements: [Element]
  ) throws(HyperslabError) {
    guard selection.bounds.allSatisfy({ $0.lowerBound >= 0 }) else {
      throw HyperslabError(
        .outOfBounds, "the place \(selection) of elements", expected: "no bound below 0")
    }
    // The same conditions as for a source.
    let source = try InMemorySource(elements: elements, shape: selection.shape)
    self.init(
      selection: selection, dataType: source.dataType, memory: ArrayMemory(elements: elements))
  }

  /// The shape of the piece.
  public var shape: Shape { selection.shape }

  /// The length of the first axis, as HDMF's `len()`; 1 at rank 0.
  public var count: Int { selection.bounds.first?.count ?? 1 }

  /// The lowest shape that an array must have to take the piece: HDMF's `get_min_bounds`.
  public var minimumBounds: Shape { Shape(selection.bounds.map(\.upperBound)) }

  /// Lends the elements' bytes, in C order and host byte order.
  public func withBytes<R, E: Error>(_ body: (RawSpan) throws(E) -> R) throws(E) -> R {
    try memory.withBytes(body)
  }

  /// The elements in C order.
  ///
  /// - Throws: `type_mismatch` unless they are of that type, and it is laid out as it says.
  public func elements<Element: ArrayElement>(
    as type: Element.Type = Element.self
  ) throws(HyperslabError) -> [Element] {
    let found = try DataType(of: Element.self)
    guard found == dataType else {
      throw HyperslabError(
        .typeMismatch, "the elements as \(Element.self)", expected: "\(dataType)",
        found: "\(found)", remedy: "Convert with converted(to:)")
    }
    if let array = memory as? ArrayMemory<Element> { return array.elements }
    return memory.withBytes { bytes in
      unsafe [Element](unsafeUninitializedCapacity: bytes.byteCount / dataType.byteCount) {
        target, count in
        let raw = UnsafeMutableRawBufferPointer(target)
        unsafe bytes.withUnsafeBytes { unsafe raw.copyMemory(from: $0) }
        if dataType == .bool { unsafe normalizeBooleans(raw) }
        count = target.count
      }
    }
  }

  /// The piece with its elements converted, at the same place: HDMF's `astype`.
  ///
  /// Integers wrap, as in NumPy. Reals become integers by dropping the fraction; NaN becomes 0 and
  /// what is out of range the nearest integer. Complex values lose their imaginary part. Anything
  /// but 0 is true.
  ///
  /// - Throws: `out_of_memory` where the system has none for the converted elements.
  public func converted(to type: DataType) throws(HyperslabError) -> DataChunk {
    if type == dataType { return self }
    let conversion = ElementConversion(from: dataType, to: type)
    let converted = try memory.withBytes { (bytes) throws(HyperslabError) in
      try conversion.convert(bytes)
    }
    return DataChunk(selection: selection, dataType: type, memory: converted)
  }
}

extension DataChunk: CustomStringConvertible {
  /// Type and place only; pieces can be large.
  public var description: String { "DataChunk \(dataType) \(selection)" }
}
