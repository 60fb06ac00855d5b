import ComplexModule

extension DataType {
  /// The data type that a Swift type names, if its values are laid out as that says.
  ///
  /// Conforming to ``ArrayElement`` is a claim that no compiler checks; every entry that takes or gives
  /// values asks this first, and uses nothing but the answer.
  ///
  /// - Throws: `type_mismatch` naming the type, what its data type takes, and what it is instead: of
  ///   another size, stride or alignment; not made of bits alone; not a value for some bits, as an
  ///   enumeration or a pointer; with bits between its parts that belong to neither.
  public init<Element: ArrayElement>(of element: Element.Type) throws(HyperslabError) {
    // Asked once: nothing makes a type answer the same twice.
    let type = Element.dataType
    func refuse(_ expected: String, _ found: String) -> HyperslabError {
      HyperslabError(
        .typeMismatch, "\(Element.self), which says that it is \(type)", expected: expected,
        found: found, remedy: "Use the Swift type of that name, or a structure around one")
    }
    let size = type.byteCount
    guard MemoryLayout<Element>.size == size, MemoryLayout<Element>.stride == size,
      MemoryLayout<Element>.alignment == type.componentByteCount
    else {
      throw refuse(
        "size and stride \(size), alignment \(type.componentByteCount)",
        "size \(MemoryLayout<Element>.size), stride \(MemoryLayout<Element>.stride), "
          + "alignment \(MemoryLayout<Element>.alignment)")
    }
    let complex = Element.self as? any ComplexElement.Type
    try complex?.checkParts()
    guard Element.Bits.self == Element.self || complex != nil else {
      throw refuse("a type that is BitwiseCopyable itself", "Bits is \(Element.Bits.self)")
    }
    // `nil` finds room only where some bits are no value. Bytes of bool are 0 and 1 when they become
    // values, and both are one of any such type.
    guard MemoryLayout<Element?>.size > size || type == .bool else {
      throw refuse("a type that has a value for any bits", "one that has none for some")
    }
    guard type.kind != .complex || complex != nil || Self.isPair(element, of: type) else {
      throw refuse("two numbers of \(type.componentByteCount) bytes without a gap", "other parts")
    }
    self = type
  }

  /// Whether the values of a type, any bits being one, are two real numbers.
  private static func isPair<Element>(_ element: Element.Type, of type: DataType) -> Bool {
    unsafe withUnsafeTemporaryAllocation(of: Element.self, capacity: 1) { memory in
      unsafe UnsafeMutableRawBufferPointer(memory).initializeMemory(as: UInt8.self, repeating: 0)
      let parts = unsafe Mirror(reflecting: memory[0]).children
        .compactMap { $0.value as? any ArrayElement }
      return parts.count == 2
        && parts.allSatisfy { Swift.type(of: $0).dataType.byteCount == type.componentByteCount }
    }
  }
}

/// Two reals side by side: the one type that is bits alone and cannot say so itself.
private protocol ComplexElement {
  static func checkParts() throws(HyperslabError)
}
extension Complex: ComplexElement where RealType: ArrayElement {
  fileprivate static func checkParts() throws(HyperslabError) {
    _ = try DataType(of: RealType.self)
  }
}

/// Makes bytes of bool 0 or 1, as Swift's `Bool` must be: files and sources may hold any.
package func normalizeBooleans(_ memory: UnsafeMutableRawBufferPointer) {
  for index in memory.indices where unsafe memory[index] > 1 { unsafe memory[index] = 1 }
}
