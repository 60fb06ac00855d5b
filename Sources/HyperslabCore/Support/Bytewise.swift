// Texts compared byte by byte. `==` and the hash of a string go by canonical equivalence, which is for
// people, and takes time with the square of the length where somebody writes nothing but combining marks.

extension String {
  /// Whether it is the same text byte by byte.
  package func hasSameBytes(as other: String) -> Bool {
    utf8.count == other.utf8.count
      && utf8.span.commonPrefixCount(with: other.utf8.span) == utf8.count
  }

  /// Whether it comes before another text byte by byte: an order for reports, which is cheap whatever is in
  /// them.
  package func precedesBytewise(_ other: String) -> Bool {
    let (own, others) = (utf8.span, other.utf8.span)
    let common = own.commonPrefixCount(with: others)
    return common < others.count && (common == own.count || own[common] < others[common])
  }
}

extension String {
  /// Whether it begins with another text byte by byte.
  package func startsBytewise(with start: String) -> Bool {
    utf8.span.commonPrefixCount(with: start.utf8.span) == start.utf8.count
  }
}

extension Span<UInt8> {
  /// Whether a text has no other characters than ASCII's.
  var isASCII: Bool {
    var bits: UInt8 = 0
    for position in indices { bits |= self[position] }
    return bits < 0x80
  }

  /// How many bytes two texts have in common at their starts.
  func commonPrefixCount(with other: Span<UInt8>) -> Int {
    let end = Swift.min(count, other.count)
    let (own, others) = unsafe (bytes, other.bytes)
    var position = 0
    while position + 8 <= end {
      let word = unsafe own.unsafeLoadUnaligned(fromByteOffset: position, as: UInt64.self)
      let other = unsafe others.unsafeLoadUnaligned(fromByteOffset: position, as: UInt64.self)
      if word != other { break }
      position += 8
    }
    while position < end, self[position] == other[position] { position += 1 }
    return position
  }
}

extension Hasher {
  /// Mixes in the bytes of a text.
  package mutating func combine(bytesOf text: String) {
    var text = text
    text.withUTF8 { unsafe combine(bytes: UnsafeRawBufferPointer($0)) }
    combine(0xFF as UInt8)
  }
}
