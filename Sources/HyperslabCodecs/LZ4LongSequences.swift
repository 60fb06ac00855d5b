#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// The long sequences that an LZ4 block begins with: literals and a match, most often a run of zeros.
///
/// LZ4's own decoder copies a match that ends near the block's end by eight bytes, each of which waits
/// for those before (measured: bit-shuffled digits, all but an eighth of them zeros, at 9 GB/s; this
/// way at 32). From the first short sequence on it is faster, and takes over. So does it where anything
/// is unusual: what is malformed is for it to say.
struct LZ4LongSequences {
  private static let leastByteCount = 2048
  /// The format's own rule: no match begins nearer than this to a block's end, or ends nearer than that.
  private static let matchStartLimit = 12
  private static let matchEndLimit = 5
  /// A pattern is doubled to this length before it is copied as a whole.
  private static let patternByteCount = 4096

  private let source: UnsafeRawBufferPointer
  private let target: UnsafeMutableRawBufferPointer
  /// Bytes of the block that are done, up to the beginning of a sequence.
  private(set) var consumed = 0
  /// Bytes that they became.
  private(set) var written = 0

  init(_ source: UnsafeRawBufferPointer, _ target: UnsafeMutableRawBufferPointer) {
    self.source = source
    self.target = target
  }

  /// Copies sequences up to the first that is short, unusual or the block's last.
  mutating func copy() {
    while let sequence = next() {
      guard let from = source.baseAddress, let to = target.baseAddress else { return }
      memcpy(to + written, from + sequence.literals.lowerBound, sequence.literals.count)
      written += sequence.literals.count
      copyMatch(to + written, offset: sequence.offset, count: sequence.matchByteCount)
      written += sequence.matchByteCount
      consumed = sequence.next
    }
  }

  /// Whether the block is a long run of zeros and the few literals that the format wants last, as LZ4 packs a
  /// block of nothing else; must be asked before anything is copied.
  var isZeros: Bool {
    // Others are larger, as a rule: their first sequence is not read for this.
    guard source.count <= target.count / 255 + 16, let run = next(), run.next < source.count else {
      return false
    }
    let last = run.next + 1..<source.count
    return last.count < 15 && Int(source[run.next]) == last.count << 4
      && run.literals.count + run.matchByteCount + last.count == target.count
      && source[run.literals].allSatisfy { $0 == 0 } && source[last].allSatisfy { $0 == 0 }
  }

  private struct Sequence {
    /// Where they are in the block.
    var literals: Range<Int>
    /// How far back the match lies.
    var offset: Int
    var matchByteCount: Int
    /// Where the next one begins.
    var next: Int
  }

  /// The sequence to come, if it is a long one inside both pieces of memory and not the last.
  private func next() -> Sequence? {
    guard consumed < source.count else { return nil }
    let token = Int(source[consumed])
    guard let (literals, start) = length(token >> 4, at: consumed + 1),
      literals <= target.count - written - Self.matchStartLimit,
      literals <= source.count - start - 2
    else { return nil }
    let end = start + literals
    let offset = Int(source[end]) | Int(source[end + 1]) << 8
    guard let (more, next) = length(token & 15, at: end + 2) else { return nil }
    let match = more + 4
    guard literals + match >= Self.leastByteCount, offset > 0, offset <= written + literals,
      match <= target.count - written - literals - Self.matchEndLimit
    else { return nil }
    return Sequence(literals: start..<end, offset: offset, matchByteCount: match, next: next)
  }

  /// A length that a token begins and bytes from a position on may continue, and the position behind.
  private func length(_ begun: Int, at position: Int) -> (length: Int, next: Int)? {
    var (length, position) = (begun, position)
    guard begun == 15 else { return (length, position) }
    while position < source.count {
      let more = source[position]
      length += Int(more)
      position += 1
      if more != 255 { return (length, position) }
    }
    return nil
  }

  /// Copies what lies `offset` bytes back, again and again where that is less than is wanted.
  private func copyMatch(_ to: UnsafeMutableRawPointer, offset: Int, count: Int) {
    let pattern = to - offset
    var length = offset
    var done = 0
    while done < count {
      let part = Swift.min(length, count - done)
      memcpy(to + done, pattern, part)
      done += part
      if length < Self.patternByteCount { length += part }
    }
  }
}
