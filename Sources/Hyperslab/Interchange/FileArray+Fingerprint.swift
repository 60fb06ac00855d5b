import HyperslabCodecs
import HyperslabCore

extension FileArray {
  private static let endByteCount = 65536
  private static let pieceByteCount = 4096
  private static let pieceCount = 62
  /// Arrays up to this size are looked at as a whole.
  private static let smallByteCount = 8 << 20
  /// Bytes read at once.
  private static let mostTogether = 1 << 18

  /// Type, order, shape, size and a checksum of the array's bytes: of all of them where they are
  /// few, else of samples spread over them. Nothing of the file's name, header or time, so that a
  /// copy is the same source. Nil when the file has changed or
  /// cannot be read.
  var fingerprint: String? {
    let array = layout.byteOffset..<file.byteCount
    guard let checksum = try? checksum(of: array) else { return nil }
    let order = isFortranOrder ? " columns first" : ""
    return "\(type.descriptor) \(shape)\(order), \(array.count) bytes, "
      + "crc32c \(CRC32C.hex(checksum))"
  }

  private func checksum(of array: Range<Int>) throws(HyperslabError) -> UInt32 {
    try file.checkUnchanged()
    let buffer = try ElementBuffer(allocating: Self.mostTogether)
    var crc = CRC32C()
    for sample in Self.samples(of: array) {
      var rest = sample
      while !rest.isEmpty {
        let count = Swift.min(rest.count, Self.mostTogether)
        let memory = unsafe UnsafeMutableRawBufferPointer(start: buffer.pointer, count: count)
        try unsafe file.read(at: rest.lowerBound, into: memory)
        unsafe crc.add(UnsafeRawBufferPointer(memory))
        rest.removeFirst(count)
      }
    }
    try file.checkUnchanged()
    return crc.value
  }

  /// Both ends and evenly spaced pieces between; everything where that takes no time.
  static func samples(of range: Range<Int>) -> [Range<Int>] {
    guard range.count > smallByteCount else { return [range] }
    let first = range.lowerBound..<range.lowerBound + endByteCount
    let last = range.upperBound - endByteCount..<range.upperBound
    let step = (last.lowerBound - first.upperBound - pieceByteCount) / (pieceCount - 1)
    let pieces = (0..<pieceCount).map { number in
      let start = first.upperBound + number * step
      return start..<start + pieceByteCount
    }
    return [first] + pieces + [last]
  }
}
