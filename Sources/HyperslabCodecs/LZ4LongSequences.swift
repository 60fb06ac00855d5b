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
@safe struct LZ4LongSequences {
  private let source: UnsafeRawBufferPointer
  private let target: UnsafeMutableRawBufferPointer
  /// Bytes of the block that are done, up to the beginning of a sequence.
  private(set) var consumed = 0
  /// Bytes that they became.
  private(set) var written = 0

  init(_ source: UnsafeRawBufferPointer, _ target: UnsafeMutableRawBufferPointer) {
    unsafe self.source = source
    unsafe self.target = target
  }

  /// Copies sequences up to the first that is short, unusual or the block's last.
  mutating func copy() {
    while let sequence = next() {
      guard let from = unsafe source.baseAddress, let to = unsafe target.baseAddress else { return }
      unsafe memcpy(to + written, from + sequence.literals.lowerBound, sequence.literals.count)
      written += sequence.literals.count
      unsafe LZ4Sequence.repeatBytes(
        to + written - sequence.offset, to + written, offset: sequence.offset,
        count: sequence.matchByteCount)
      written += sequence.matchByteCount
      consumed = sequence.next
    }
  }

  /// Whether the block is a long run of zeros and the few literals that the format wants last, as LZ4 packs a
  /// block of nothing else; must be asked before anything is copied.
  var isZeros: Bool {
    // Others are larger, as a rule: their first sequence is not read for this.
    guard unsafe source.count <= target.count / 255 + 16, let run = next(),
      unsafe run.next < source.count
    else {
      return false
    }
    let last = unsafe run.next + 1..<source.count
    return unsafe last.count < 15 && Int(source[run.next]) == last.count << 4
      && run.literals.count + run.matchByteCount + last.count == target.count
      && source[run.literals].allSatisfy { $0 == 0 } && source[last].allSatisfy { $0 == 0 }
  }

  /// The sequence to come, if it is a long one and not the last.
  private func next() -> LZ4Sequence? {
    guard
      let sequence = unsafe LZ4Sequence(
        in: source, at: consumed, written: written, of: target.count),
      sequence.matchByteCount > 0, sequence.isLong
    else { return nil }
    return sequence
  }
}
