#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// A sequence of an LZ4 block: literals, and bytes from before that are repeated.
struct LZ4Sequence {
  /// The format's own rule: no match begins nearer than this to a block's end, or ends nearer than that.
  private static let matchStartLimit = 12
  private static let matchEndLimit = 5
  /// A pattern is doubled to this length before it is copied as a whole.
  private static let patternByteCount = 4096

  /// Where the literals are in the block.
  let literals: Range<Int>
  /// How far back the match lies.
  let offset: Int
  /// Bytes of the match; 0 in the block's last sequence, which has none.
  let matchByteCount: Int
  /// Where the next sequence begins.
  let next: Int

  /// Whether it becomes so many bytes that to copy them takes longer than to read it.
  var isLong: Bool { literals.count + matchByteCount >= 2048 }

  /// Reads a sequence, if it lies inside both pieces of memory and keeps the format's rules.
  ///
  /// - Parameters:
  ///   - position: Where it begins in the block.
  ///   - written: What the sequences before it became.
  ///   - byteCount: What all become.
  @inline(__always)
  init?(
    in source: UnsafeRawBufferPointer, at position: Int, written: Int, of byteCount: Int
  ) {
    guard position < source.count else { return nil }
    let token = unsafe Int(source[position])
    guard let (literals, start) = unsafe Self.length(token >> 4, in: source, at: position + 1),
      literals <= byteCount - written, literals <= source.count - start
    else { return nil }
    let end = start + literals
    self.literals = start..<end
    if end == source.count {
      guard written + literals == byteCount, token & 15 == 0 else { return nil }
      (offset, matchByteCount, next) = (0, 0, end)
      return
    }
    guard literals <= byteCount - written - Self.matchStartLimit, source.count - end >= 2 else {
      return nil
    }
    let offset = unsafe Int(source[end]) | Int(source[end + 1]) << 8
    guard let (more, next) = unsafe Self.length(token & 15, in: source, at: end + 2) else {
      return nil
    }
    let match = more + 4
    guard offset > 0, offset <= written + literals,
      match <= byteCount - written - literals - Self.matchEndLimit
    else { return nil }
    self.offset = offset
    matchByteCount = match
    self.next = next
  }

  /// A length that a token begins and bytes from a position on may continue, and the position behind.
  @inline(__always)
  private static func length(
    _ begun: Int, in source: UnsafeRawBufferPointer, at position: Int
  ) -> (length: Int, next: Int)? {
    var (length, position) = (begun, position)
    guard begun == 15 else { return (length, position) }
    // A match of many planes is a hundred such bytes and more.
    while source.count - position >= 8,
      unsafe source.loadUnaligned(fromByteOffset: position, as: UInt64.self) == .max
    {
      length += 8 * 255
      position += 8
    }
    while position < source.count {
      let more = unsafe source[position]
      length += Int(more)
      position += 1
      if more != 255 { return (length, position) }
    }
    return nil
  }

  /// Copies a match, whose bytes are again and again the `offset` bytes before it where it is longer.
  ///
  /// - Parameter pattern: What it repeats; right before `target` where it is longer.
  static func repeatBytes(
    _ pattern: UnsafeRawPointer, _ target: UnsafeMutableRawPointer, offset: Int, count: Int
  ) {
    var length = offset
    var done = 0
    while done < count {
      let part = Swift.min(length, count - done)
      unsafe memcpy(target + done, pattern, part)
      done += part
      if length < patternByteCount { length += part }
    }
  }
}
