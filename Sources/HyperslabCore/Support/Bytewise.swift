// Texts compared byte by byte. `==` and the hash of a string go by canonical equivalence, which is for
// people, and takes time with the square of the length where somebody writes nothing but combining marks.

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

extension String {
  /// Whether it is the same text byte by byte.
  package func hasSameBytes(as other: String) -> Bool {
    if utf8.count != other.utf8.count { return false }
    return compare(upTo: utf8.count, with: other) == 0
  }

  /// Whether it comes before another text byte by byte: an order for reports, which is cheap whatever is in
  /// them.
  package func precedesBytewise(_ other: String) -> Bool {
    let (count, others) = (utf8.count, other.utf8.count)
    let order = compare(upTo: Swift.min(count, others), with: other)
    return order == 0 ? count < others : order < 0
  }

  /// Whether it begins with another text byte by byte.
  package func startsBytewise(with start: String) -> Bool {
    let count = start.utf8.count
    return count <= utf8.count && compare(upTo: count, with: start) == 0
  }

  /// How the first bytes of two texts that have as many compare: below zero, zero or above.
  private func compare(upTo count: Int, with other: String) -> Int32 {
    withBytes { own in
      other.withBytes { others in
        guard count > 0, let own = own.baseAddress, let others = others.baseAddress else {
          return 0
        }
        return memcmp(own, others, count)
      }
    }
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
