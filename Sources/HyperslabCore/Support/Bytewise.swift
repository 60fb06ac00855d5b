// Texts compared byte by byte. `==` and the hash of a string go by canonical equivalence, which is for
// people, and takes time with the square of the length where somebody writes nothing but combining marks.

extension String {
  /// Whether it is the same text byte by byte.
  package func hasSameBytes(as other: String) -> Bool {
    if utf8.count != other.utf8.count { return false }
    return withBytes { own in other.withBytes { own.elementsEqual($0) } }
  }

  /// Whether it comes before another text byte by byte: an order for reports, which is cheap whatever is in
  /// them.
  package func precedesBytewise(_ other: String) -> Bool {
    withBytes { own in other.withBytes { own.lexicographicallyPrecedes($0) } }
  }

  /// Lends the text's bytes.
  package func withBytes<R>(_ body: (UnsafeBufferPointer<UInt8>) -> R) -> R {
    if let result = utf8.withContiguousStorageIfAvailable(body) { return result }
    return Array(utf8).withUnsafeBufferPointer(body)
  }
}

extension Hasher {
  /// Mixes in the bytes of a text.
  package mutating func combine(bytesOf text: String) {
    var text = text
    text.withUTF8 { combine(bytes: UnsafeRawBufferPointer($0)) }
    combine(0xFF as UInt8)
  }
}
