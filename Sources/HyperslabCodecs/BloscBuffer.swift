import HyperslabCore

/// Decodes a Blosc 1 buffer of LZ4 blocks as any Blosc library may have written it: with one stream a
/// block or one a byte of the elements, or copied as a whole. For what other programs write into a store;
/// the store's own chunks are laid out more strictly (``FrameFormat``).
///
/// Source: c-blosc 1.21, `blosc.c` and `README_HEADER.rst`.
package enum BloscBuffer {
  private static let headerByteCount = 16

  /// - Parameter byteCount: How much must come out.
  /// - Returns: nil for what is no such buffer.
  package static func decoded(_ bytes: [UInt8], byteCount: Int) -> [UInt8]? {
    guard bytes.count >= headerByteCount, bytes[0] == 2, word(bytes, 4) == byteCount,
      word(bytes, 12) == bytes.count
    else { return nil }
    let (flags, size, block) = (bytes[2], Int(bytes[3]), word(bytes, 8))
    if flags & 0x02 != 0 {
      guard bytes.count == headerByteCount + byteCount else { return nil }
      return Array(bytes[headerByteCount...])
    }
    guard flags >> 5 == 1, size > 0, block > 0, block <= byteCount else { return nil }
    let count = (byteCount + block - 1) / block
    guard count <= (bytes.count - headerByteCount) / 4 else { return nil }
    var result: [UInt8] = []
    for number in 0..<count {
      let length = Swift.min(block, byteCount - number * block)
      let isSplit = flags & 0x10 == 0 && length == block
      let streams = isSplit ? size : 1
      guard length % streams == 0,
        let packed = unpacked(
          bytes, at: word(bytes, headerByteCount + 4 * number), streams: streams,
          of: length / streams)
      else { return nil }
      result += unshuffled(packed, size, flags)
    }
    return result
  }

  private static func word(_ bytes: [UInt8], _ offset: Int) -> Int {
    (0..<4).reduce(0) { $0 | Int(bytes[offset + $1]) << (8 * $1) }
  }

  private static func unpacked(
    _ bytes: [UInt8], at start: Int, streams: Int, of length: Int
  ) -> [UInt8]? {
    var result: [UInt8] = []
    var offset = start
    for _ in 0..<streams {
      guard offset >= headerByteCount, offset <= bytes.count - 4 else { return nil }
      let stored = word(bytes, offset)
      offset += 4
      guard stored <= bytes.count - offset else { return nil }
      let stream = bytes[offset..<offset + stored]
      offset += stored
      if stored == length {
        result += stream
        continue
      }
      var part = [UInt8](repeating: 0, count: length)
      let isWhole = unsafe part.withUnsafeMutableBytes { to in
        unsafe stream.withUnsafeBytes {
          unsafe $0.isEmpty ? to.isEmpty : decompressLZ4($0, into: to)
        }
      }
      guard isWhole else { return nil }
      result += part
    }
    return result
  }

  private static func unshuffled(_ bytes: [UInt8], _ size: Int, _ flags: UInt8) -> [UInt8] {
    let count = bytes.count / size
    var result = bytes
    if flags & 0x01 != 0, size > 1 {
      for byte in 0..<size {
        for index in 0..<count { result[index * size + byte] = bytes[byte * count + index] }
      }
    } else if flags & 0x04 != 0, count > 0, count % 8 == 0 {
      for index in 0..<count * size { result[index] = 0 }
      for plane in 0..<8 * size {
        for index in 0..<count {
          let bit = bytes[plane * (count / 8) + index / 8] >> (index % 8) & 1
          result[index * size + plane / 8] |= bit << (plane % 8)
        }
      }
    }
    return result
  }
}
