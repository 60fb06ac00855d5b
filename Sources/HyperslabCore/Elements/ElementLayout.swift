import ComplexModule

extension DataType {
  /// The data type that a Swift type names, if its values are laid out as that says.
  ///
  /// Conforming to ``ArrayElement`` is a claim that no compiler checks; every entry that takes or gives
  /// values asks this first, and uses nothing but the answer. Taken are the numbers of the language,
  /// `Bool` and `Complex`, and structures around them: whatever the bits, they are a value.
  ///
  /// - Throws: `type_mismatch` naming the type, what its data type takes, and what it is instead: of
  ///   another size, stride or alignment; not made of bits alone; not a value for some bits, as an
  ///   enumeration, a pointer or a character; with bits between its parts that belong to neither.
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
    if type.kind != .complex, ElementParts.isNumber(element, isBoolean: type == .bool) {
      self = type
      return
    }
    if let complex = Element.self as? any ComplexElement.Type {
      try complex.checkParts()
    } else {
      guard Element.Bits.self == Element.self else {
        throw refuse("a type that is BitwiseCopyable itself", "Bits is \(Element.Bits.self)")
      }
      guard let parts = ElementParts(of: element, isBoolean: type == .bool) else {
        throw refuse(
          "a type that is a value whatever its bits",
          "neither a number nor a structure of nothing but numbers")
      }
      let expected = type.kind == .complex ? [size / 2, size / 2] : [size]
      guard parts.byteCounts == expected else {
        throw refuse("numbers of \(expected) bytes without a gap", "of \(parts.byteCounts) bytes")
      }
    }
    self = type
  }
}

/// The numbers that the values of a type consist of.
private struct ElementParts {
  /// The size of each.
  private(set) var byteCounts: [Int] = []
  private let isBoolean: Bool

  /// Nil for a type that holds anything but numbers, or `Bool` where that is asked for: what reflection does
  /// not see to the ground is not taken.
  init?<Element>(of element: Element.Type, isBoolean: Bool) {
    self.isBoolean = isBoolean
    // `nil` finds room only where some bits are no value; zeros might be one of those. Of `Bool` they are not.
    guard isBoolean || MemoryLayout<Element?>.size > MemoryLayout<Element>.size else { return nil }
    let isKnown = unsafe withUnsafeTemporaryAllocation(of: Element.self, capacity: 1) { memory in
      unsafe UnsafeMutableRawBufferPointer(memory).initializeMemory(as: UInt8.self, repeating: 0)
      return unsafe add(memory[0])
    }
    if !isKnown { return nil }
  }

  private mutating func add(_ part: Any) -> Bool {
    let type = Swift.type(of: part)
    if Self.isNumber(type, isBoolean: isBoolean) {
      byteCounts.append(Self.numbers[ObjectIdentifier(type)] ?? 1)
      return true
    }
    // A type that describes itself can leave parts out.
    guard !(type is any CustomReflectable.Type) else { return false }
    let mirror = Mirror(reflecting: part)
    guard mirror.displayStyle == .struct else { return false }
    for child in mirror.children where !add(child.value) { return false }
    return true
  }

  static func isNumber(_ type: Any.Type, isBoolean: Bool) -> Bool {
    isBoolean && type == Bool.self || numbers[ObjectIdentifier(type)] != nil
  }

  /// The language's numbers, and their sizes.
  private static let numbers: [ObjectIdentifier: Int] = {
    var numbers = [
      size(Int.self), size(Int8.self), size(Int16.self), size(Int32.self), size(Int64.self),
      size(UInt.self), size(UInt8.self), size(UInt16.self), size(UInt32.self), size(UInt64.self),
      size(Float.self), size(Double.self),
    ]
    #if !(os(macOS) && arch(x86_64))
      numbers.append(size(Float16.self))
    #endif
    return Dictionary(uniqueKeysWithValues: numbers)
  }()

  private static func size<Number>(_ number: Number.Type) -> (ObjectIdentifier, Int) {
    (ObjectIdentifier(number), MemoryLayout<Number>.size)
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
