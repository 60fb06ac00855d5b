// Texts compared byte by byte. `==` and the hash of a string go by canonical equivalence, which is for
// people, and takes time with the square of the length where somebody writes nothing but combining marks.

extension String {
  /// Whether it is the same text byte by byte.
  package func hasSameBytes(as other: String) -> Bool {
    utf8.count == other.utf8.count && utf8.elementsEqual(other.utf8)
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
