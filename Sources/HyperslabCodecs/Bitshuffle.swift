import CPlatform

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Bit shuffle: the first bits of all elements, then the second bits, …
///
/// With `m` elements, `m` a multiple of eight, bit plane `8j + b` holds bit `b` (0 is least
/// significant) of byte `j` of every element, `m / 8` bytes a plane, element `i` at bit `i mod 8` of
/// byte `i div 8`. A block whose `m` is no multiple of eight is not shuffled at all (Blosc format 2;
/// later formats differ). Source: Blosc, `bitshuffle-generic.c` and `shuffle.c`.
///
/// It is done as a byte shuffle followed, in each byte plane, by a transposition of 8 × 8 bits in
/// every 8-byte word and of 8 × 8 bytes over eight words.
package enum Bitshuffle {
  /// Whether a block of that size is shuffled.
  static func applies(byteCount: Int, elementByteCount: Int) -> Bool {
    byteCount % (8 * elementByteCount) == 0
  }

  /// Splits `count` elements, a multiple of eight, into bit planes of `count / 8` bytes.
  ///
  /// - Parameter scratch: Room for as many bytes as there are; no memory overlaps.
  package static func split(
    _ source: UnsafeRawPointer, _ target: UnsafeMutableRawPointer, scratch: UnsafeMutableRawPointer,
    count: Int, elementByteCount: Int, width: Int = VectorWidth.best
  ) {
    var planes = unsafe source
    if elementByteCount > 1 {
      unsafe Shuffle.split(
        source, scratch, plane: count, count: count, elementByteCount: elementByteCount,
        width: width)
      unsafe planes = UnsafeRawPointer(scratch)
    }
    for byte in 0..<elementByteCount {
      let offset = byte * count
      if unsafe isZero(planes + offset, count) {
        unsafe memset(target + offset, 0, count)
        continue
      }
      if unsafe hyperslab_split_bits(width, planes + offset, target + offset, count / 8, count / 8)
        == 0
      {
        unsafe split(planes + offset, target + offset, count)
      }
    }
  }

  /// Joins the bits of some elements into byte planes, which ``Shuffle/join`` makes elements of.
  ///
  /// - Parameters:
  ///   - bits: The bit planes of a block's elements.
  ///   - elements: Which of them; both bounds multiples of eight.
  ///   - planes: Takes as many planes of `elements.count` bytes as an element has bytes.
  package static func join(
    _ bits: BitPlanes, _ elements: Range<Int>, _ planes: UnsafeMutableRawPointer,
    elementByteCount: Int, width: Int = VectorWidth.best
  ) {
    let offset = elements.lowerBound / 8
    for byte in 0..<elementByteCount {
      let to = unsafe planes + byte * elements.count
      if isZero(bits, byte) {
        unsafe memset(to, 0, elements.count)
        continue
      }
      let isDone = unsafe bits.withAddresses(from: 8 * byte, count: 8) {
        unsafe hyperslab_join_bits(width, $0, offset, to, elements.count / 8) != 0
      }
      if !isDone { unsafe join(bits.addresses + 8 * byte, offset, to, elements.count) }
    }
  }

  /// Joins the bits of some elements into elements.
  ///
  /// - Parameters:
  ///   - bits: The bit planes of a block's elements.
  ///   - elements: Which of them; both bounds multiples of eight.
  ///   - target: Takes `elements.count` elements.
  ///   - scratch: Room for as many; no memory overlaps.
  package static func joinElements(
    _ bits: BitPlanes, _ elements: Range<Int>, _ target: UnsafeMutableRawPointer,
    scratch: UnsafeMutableRawPointer, elementByteCount: Int, width: Int = VectorWidth.best
  ) {
    if elementByteCount == 2 {
      let isDone = unsafe bits.withAddresses(from: 0, count: 16) {
        unsafe hyperslab_join_bit_pairs(
          width, $0, elements.lowerBound / 8, target, elements.count / 8)
          != 0
      }
      if isDone { return }
    }
    unsafe join(bits, elements, scratch, elementByteCount: elementByteCount, width: width)
    unsafe Shuffle.join(
      scratch, plane: elements.count, target, count: elements.count,
      elementByteCount: elementByteCount, width: width)
  }

  /// Whether a byte plane is all zeros, as the upper ones of small numbers are: then so are its bit
  /// planes, and to look is ten times as fast as to transpose them.
  private static func isZero(_ bytes: UnsafeRawPointer, _ count: Int) -> Bool {
    unsafe count >= 8 && bytes.loadUnaligned(as: UInt64.self) == 0
      && memcmp(bytes, bytes + 8, count - 8) == 0
  }

  /// The same of a byte plane whose bits are still apart; planes in one place are looked at once.
  private static func isZero(_ bits: BitPlanes, _ byte: Int) -> Bool {
    let planes = unsafe bits.addresses + 8 * byte
    return (0..<8).allSatisfy { bit in
      unsafe bit > 0 && planes[bit] == planes[bit - 1] || isZero(planes[bit], bits.byteCount)
    }
  }

  private typealias Pair = SIMD2<UInt64>

  /// One byte plane into its eight bit planes: sixteen words a step, two groups of eight side by
  /// side, so that every operation is on whole vectors.
  private static func split(
    _ source: UnsafeRawPointer, _ target: UnsafeMutableRawPointer, _ byteCount: Int
  ) {
    let plane = byteCount / 8
    var offset = 0
    while offset + 128 <= byteCount {
      var words = Words { index in
        unsafe Pair(
          source.loadUnaligned(fromByteOffset: offset + 8 * index, as: UInt64.self),
          source.loadUnaligned(fromByteOffset: offset + 64 + 8 * index, as: UInt64.self))
      }
      words.transposeBits()
      words.transposeBytes()
      words.forEach { index, pair in
        unsafe target.storeBytes(of: pair, toByteOffset: index * plane + offset / 8, as: Pair.self)
      }
      offset += 128
    }
    while offset < byteCount {
      let word = unsafe transposeBits(source.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
      for bit in 0..<8 {
        unsafe target.storeBytes(
          of: UInt8(truncatingIfNeeded: word >> UInt64(8 * bit)),
          toByteOffset: bit * plane + offset / 8, as: UInt8.self)
      }
      offset += 8
    }
  }

  /// Eight bit planes, from some byte on, back into their byte plane.
  private static func join(
    _ planes: UnsafePointer<UnsafeRawPointer>, _ start: Int, _ target: UnsafeMutableRawPointer,
    _ byteCount: Int
  ) {
    var offset = 0
    while offset + 128 <= byteCount {
      var words = Words { index in
        unsafe planes[index].loadUnaligned(fromByteOffset: start + offset / 8, as: Pair.self)
      }
      words.transposeBytes()
      words.transposeBits()
      words.forEach { index, pair in
        unsafe target.storeBytes(of: pair.x, toByteOffset: offset + 8 * index, as: UInt64.self)
        unsafe target.storeBytes(of: pair.y, toByteOffset: offset + 64 + 8 * index, as: UInt64.self)
      }
      offset += 128
    }
    while offset < byteCount {
      var word: UInt64 = 0
      for bit in 0..<8 {
        let byte = unsafe planes[bit].load(fromByteOffset: start + offset / 8, as: UInt8.self)
        word |= UInt64(byte) << UInt64(8 * bit)
      }
      unsafe target.storeBytes(of: transposeBits(word), toByteOffset: offset, as: UInt64.self)
      offset += 8
    }
  }

  /// Transposes 8 × 8 bits: bit `i` of byte `j` becomes bit `j` of byte `i`.
  private static func transposeBits(_ word: UInt64) -> UInt64 {
    var x = word
    var t = (x ^ x >> 7) & 0x00AA_00AA_00AA_00AA
    x ^= t ^ t << 7
    t = (x ^ x >> 14) & 0x0000_CCCC_0000_CCCC
    x ^= t ^ t << 14
    t = (x ^ x >> 28) & 0x0000_0000_F0F0_F0F0
    return x ^ t ^ t << 28
  }

  /// Eight words of two groups each.
  private struct Words {
    var a, b, c, d, e, f, g, h: Pair

    @inline(__always)
    init(_ load: (Int) -> Pair) {
      a = load(0)
      b = load(1)
      c = load(2)
      d = load(3)
      e = load(4)
      f = load(5)
      g = load(6)
      h = load(7)
    }

    @inline(__always)
    func forEach(_ body: (Int, Pair) -> Void) {
      body(0, a)
      body(1, b)
      body(2, c)
      body(3, d)
      body(4, e)
      body(5, f)
      body(6, g)
      body(7, h)
    }

    @inline(__always)
    mutating func transposeBits() {
      a = Self.transposeBits(a)
      b = Self.transposeBits(b)
      c = Self.transposeBits(c)
      d = Self.transposeBits(d)
      e = Self.transposeBits(e)
      f = Self.transposeBits(f)
      g = Self.transposeBits(g)
      h = Self.transposeBits(h)
    }

    /// Byte `i` of word `j` becomes byte `j` of word `i`, in both groups.
    @inline(__always)
    mutating func transposeBytes() {
      Self.exchange(&a, &e, 32, 0x0000_0000_FFFF_FFFF)
      Self.exchange(&b, &f, 32, 0x0000_0000_FFFF_FFFF)
      Self.exchange(&c, &g, 32, 0x0000_0000_FFFF_FFFF)
      Self.exchange(&d, &h, 32, 0x0000_0000_FFFF_FFFF)
      Self.exchange(&a, &c, 16, 0x0000_FFFF_0000_FFFF)
      Self.exchange(&b, &d, 16, 0x0000_FFFF_0000_FFFF)
      Self.exchange(&e, &g, 16, 0x0000_FFFF_0000_FFFF)
      Self.exchange(&f, &h, 16, 0x0000_FFFF_0000_FFFF)
      Self.exchange(&a, &b, 8, 0x00FF_00FF_00FF_00FF)
      Self.exchange(&c, &d, 8, 0x00FF_00FF_00FF_00FF)
      Self.exchange(&e, &f, 8, 0x00FF_00FF_00FF_00FF)
      Self.exchange(&g, &h, 8, 0x00FF_00FF_00FF_00FF)
    }

    @inline(__always)
    private static func exchange(
      _ low: inout Pair, _ high: inout Pair, _ shift: UInt64, _ mask: UInt64
    ) {
      let by = Pair(repeating: shift)
      let t = (low &>> by ^ high) & Pair(repeating: mask)
      high ^= t
      low ^= t &<< by
    }

    @inline(__always)
    private static func transposeBits(_ word: Pair) -> Pair {
      var x = word
      var t = (x ^ x &>> Pair(repeating: 7)) & Pair(repeating: 0x00AA_00AA_00AA_00AA)
      x ^= t ^ t &<< Pair(repeating: 7)
      t = (x ^ x &>> Pair(repeating: 14)) & Pair(repeating: 0x0000_CCCC_0000_CCCC)
      x ^= t ^ t &<< Pair(repeating: 14)
      t = (x ^ x &>> Pair(repeating: 28)) & Pair(repeating: 0x0000_0000_F0F0_F0F0)
      return x ^ t ^ t &<< Pair(repeating: 28)
    }
  }
}
