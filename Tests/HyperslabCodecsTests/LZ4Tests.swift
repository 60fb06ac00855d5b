import CLZ4
import HyperslabTestSupport
import Testing

@testable import HyperslabCodecs

/// Blocks of every kind, whole and damaged, decode to what LZ4's own decoder makes of them.
@Suite struct LZ4Tests {
  /// Pieces of noise, runs and repeated patterns, now and then long ones, of periods that copies by words
  /// and vectors could trip over.
  private func sample(_ generator: inout SeededGenerator) -> [UInt8] {
    var bytes: [UInt8] = []
    for _ in 0..<Int.random(in: 1...8, using: &generator) {
      let length = Int.random(
        in: 0...(generator.chance(1, in: 3) ? 40_000 : 300), using: &generator)
      switch Int.random(in: 0..<4, using: &generator) {
      case 0: bytes += (0..<length).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
      case 1: bytes += Array(repeating: UInt8.random(in: 0...3, using: &generator), count: length)
      case 2 where !bytes.isEmpty:
        let period = Int.random(in: 1...min(bytes.count, 9000), using: &generator)
        for _ in 0..<length { bytes.append(bytes[bytes.count - period]) }
      default: bytes += (0..<length).map { _ in UInt8.random(in: 0...1, using: &generator) }
      }
    }
    return bytes
  }

  private func packed(
    _ bytes: [UInt8], level: Int, skipsShortMatches: Bool = false
  ) -> [UInt8] {
    var target = [UInt8](repeating: 0, count: Int(LZ4_compressBound(Int32(bytes.count))) + 1)
    let count = bytes.withUnsafeBytes { source in
      target.withUnsafeMutableBytes {
        LZ4Compressor(level: level).compress(
          source, into: $0, skipsShortMatches: skipsShortMatches)
      }
    }
    return Array(target.prefix(count ?? 0))
  }

  /// Decodes with ours and with LZ4's decoder, in memory of exactly that size; nil for a refusal.
  ///
  /// - Parameter elementByteCount: Of blocks that are bit planes, which are put together from where they are.
  private func decoded(
    _ block: [UInt8], byteCount: Int, elementByteCount: Int? = nil
  ) -> (ours: [UInt8]?, theirs: [UInt8]?) {
    func decode(_ body: (UnsafeRawBufferPointer, UnsafeMutableRawBufferPointer) -> Bool) -> [UInt8]?
    {
      let source = UnsafeMutableRawBufferPointer.allocate(byteCount: block.count, alignment: 1)
      let memory = UnsafeMutableRawBufferPointer.allocate(
        byteCount: byteCount + 512, alignment: 1)
      defer {
        source.deallocate()
        memory.deallocate()
      }
      source.copyBytes(from: block)
      memory.initializeMemory(as: UInt8.self, repeating: 0xA5)
      let target = UnsafeMutableRawBufferPointer(rebasing: memory.prefix(byteCount))
      defer { #expect(memory.dropFirst(byteCount).allSatisfy { $0 == 0xA5 }, "written beyond") }
      return body(UnsafeRawBufferPointer(source), target) ? Array(target) : nil
    }
    let ours = decode { source, target in
      guard let elementByteCount else { return decompressLZ4(source, into: target) }
      guard let to = target.baseAddress else { return false }
      let count = byteCount / elementByteCount
      let planes = BitPlanes(to, elementCount: count, elementByteCount: elementByteCount)
      guard planes.unpackLZ4(source, into: target, elementCount: count) else { return false }
      let copy = (0..<8 * elementByteCount).flatMap {
        Array(UnsafeRawBufferPointer(start: planes.addresses[$0], count: count / 8))
      }
      target.copyBytes(from: copy)
      return true
    }
    let theirs = decode { source, target in
      guard let from = source.baseAddress, let to = target.baseAddress else { return false }
      return Int(
        LZ4_decompress_safe(
          from.assumingMemoryBound(to: CChar.self), to.assumingMemoryBound(to: CChar.self),
          Int32(source.count), Int32(target.count))) == target.count
    }
    return (ours, theirs)
  }

  @Test(arguments: [1, 9], [false, true])
  func allKindsComeBack(level: Int, skipsShortMatches: Bool) throws {
    var generator = SeededGenerator("LZ4 \(level) \(skipsShortMatches)")
    for _ in 0..<400 {
      let bytes = sample(&generator)
      if bytes.isEmpty { continue }
      let block = packed(bytes, level: level, skipsShortMatches: skipsShortMatches)
      let (ours, theirs) = decoded(block, byteCount: bytes.count)
      #expect(ours == bytes && theirs == bytes, "\(bytes.count) bytes")
    }
  }

  /// What LZ4 meets in bit planes: noise, planes that differ little from those before, and zeros; now and
  /// then from within a plane on.
  private func planes(_ generator: inout SeededGenerator, count: Int, byteCount: Int) -> [UInt8] {
    var bytes: [UInt8] = []
    while bytes.count < count * byteCount {
      let left = count * byteCount - bytes.count
      var length = min(left, byteCount * Int.random(in: 1...4, using: &generator))
      if generator.chance(1, in: 4) { length = Int.random(in: 1...length, using: &generator) }
      let before = bytes.count
      switch Int.random(in: 0..<6, using: &generator) {
      case 0: bytes += (0..<length).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
      case 1: bytes += Array(repeating: 0, count: length)
      case 5 where before > 0:
        // Many short repeats, from anywhere, now and then to the plane's end.
        while bytes.count < before + length {
          for _ in 0..<Int.random(in: 0...3, using: &generator) {
            bytes.append(UInt8.random(in: .min ... .max, using: &generator))
          }
          let period = Int.random(in: 1...min(bytes.count, 2 * byteCount), using: &generator)
          let rest = byteCount - bytes.count % byteCount
          let short = Int.random(in: 4...300, using: &generator)
          for _ in 0..<(generator.chance(1, in: 6) && rest < 270 ? rest : short) {
            bytes.append(bytes[bytes.count - period])
          }
        }
        bytes.removeLast(bytes.count - before - length)
      case 2 where before > 0:
        let period = Int.random(in: 1...min(before, 2 * byteCount), using: &generator)
        for _ in 0..<length { bytes.append(bytes[bytes.count - period]) }
      case 3 where before >= byteCount:
        for _ in 0..<length { bytes.append(bytes[bytes.count - byteCount]) }
      default:
        for _ in 0..<length {
          let same = before >= byteCount && !generator.chance(1, in: 40)
          bytes.append(
            same ? bytes[bytes.count - byteCount] : UInt8.random(in: 0...3, using: &generator))
        }
      }
    }
    return bytes
  }

  @Test(arguments: [1, 2, 4, 8], [false, true])
  func bitPlanesComeBack(elementByteCount: Int, skipsShortMatches: Bool) throws {
    var generator = SeededGenerator("bit planes \(elementByteCount) \(skipsShortMatches)")
    for byteCount in [1, 2, 7, 16, 33, 64, 250, 1024, 2048, 4069] {
      for _ in 0..<12 {
        let bytes = planes(&generator, count: 8 * elementByteCount, byteCount: byteCount)
        let block = packed(bytes, level: 1, skipsShortMatches: skipsShortMatches)
        let (ours, _) = decoded(block, byteCount: bytes.count, elementByteCount: elementByteCount)
        #expect(ours == bytes, "planes of \(byteCount) bytes")
      }
    }
  }

  /// Planes of noise stay in the block, planes that are the same are one.
  @Test func bitPlanesStayWhereTheyAre() throws {
    var generator = SeededGenerator("places of bit planes")
    let noise = (0..<3 * 1024).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
    let bytes =
      noise + (3..<14).flatMap { _ in noise.suffix(1024) } + Array(repeating: 0, count: 2048)
    let block = packed(bytes, level: 1)
    let target = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 64)
    defer { target.deallocate() }
    try block.withUnsafeBytes { source in
      let (from, to) = try (#require(source.baseAddress), #require(target.baseAddress))
      let planes = BitPlanes(to, elementCount: 8192, elementByteCount: 2)
      try #require(planes.unpackLZ4(source, into: target, elementCount: 8192))
      for plane in 0..<3 {
        let offset = from.distance(to: planes.addresses[plane])
        #expect(offset >= 0 && offset < block.count, "plane \(plane)")
      }
      for plane in 3..<14 { #expect(planes.addresses[plane] == planes.addresses[2]) }
      // The last bytes of a block are literals.
      #expect(planes.addresses[14] == to + 14 * 1024 && planes.addresses[15] == to + 15 * 1024)
    }
  }

  /// Blocks that would end within a vector of where they may, with more behind: no valid block does.
  @Test func nothingIsWrittenBeyondBitPlanes() {
    var generator = SeededGenerator("beyond bit planes")
    func noise(_ count: Int) -> [UInt8] {
      (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
    }
    for rest in 5...80 {
      for literals in [0, 1, 20, 70] {
        let match = 100
        let first = 2048 - 4 - 4 - literals - match - rest
        let block =
          sequence(noise(first), offset: 256, match: 4) + sequence([], offset: 256, match: 4)
          + sequence(noise(literals), offset: 64, match: match) + sequence(noise(200))
        let (ours, theirs) = decoded(block, byteCount: 2048, elementByteCount: 1)
        #expect(ours == nil && theirs == nil, "\(literals) literals, \(rest) bytes left")
      }
    }
  }

  /// Other bytes, fewer, or memory of another size: both refuse, or both make the same of it.
  @Test func damageIsJudgedAsByTheLibrary() throws {
    var generator = SeededGenerator("LZ4 damage")
    var refused = 0
    for _ in 0..<400 {
      let bytes =
        generator.chance(1, in: 2)
        ? sample(&generator)
        : planes(&generator, count: 16, byteCount: Int.random(in: 1...3000, using: &generator))
      let whole = packed(bytes, level: 1)
      if bytes.isEmpty || whole.isEmpty { continue }
      for _ in 0..<20 {
        var block = whole
        var byteCount = bytes.count
        switch Int.random(in: 0..<4, using: &generator) {
        case 0: block.removeLast(Int.random(in: 1...min(12, block.count), using: &generator))
        case 1: byteCount = max(0, byteCount + Int.random(in: -14...14, using: &generator))
        default:
          for _ in 0..<Int.random(in: 1...3, using: &generator) {
            // Mostly where the tokens are.
            let end = generator.chance(1, in: 2) ? block.count : min(block.count, 24)
            block[Int.random(in: 0..<end, using: &generator)] =
              [0, 0xFF, 0xF0, 0x0F, UInt8.random(in: .min ... .max, using: &generator)]
              .randomElement(using: &generator) ?? 0
          }
        }
        let (ours, theirs) = decoded(block, byteCount: byteCount)
        #expect(ours == theirs, "\(block.prefix(40)) of \(block.count) for \(byteCount) bytes")
        if ours == nil { refused += 1 }
        if byteCount > 0, byteCount % 16 == 0 {
          let (planes, _) = decoded(block, byteCount: byteCount, elementByteCount: 2)
          #expect(planes == theirs, "\(block.prefix(40)) of \(block.count), planes")
        }
      }
    }
    #expect(refused > 1000)
  }

  /// A long sequence that ends so near to the block's end that LZ4's rules forbid it, or just do not.
  @Test func longSequencesNearTheEndAreJudgedAsByTheLibrary() throws {
    var verdicts: Set<Bool> = []
    for (literals, match) in [(3000, 4), (3000, 9), (1, 4000), (17, 3000), (2000, 6000)] {
      for rest in 0...16 {
        for offset in [1, 2, literals, literals + 1] {
          let first = (0..<literals).map { UInt8($0 % 251) }
          let last = Array(repeating: UInt8(7), count: rest)
          let block = sequence(first, offset: offset, match: match) + sequence(last)
          for byteCount in [0, 1, 40].map({ literals + match + rest + $0 }) {
            let (ours, theirs) = decoded(block, byteCount: byteCount)
            #expect(
              ours == theirs,
              "\(literals), then \(match) from \(offset), then \(rest), for \(byteCount)")
            verdicts.insert(theirs != nil)
          }
        }
      }
    }
    #expect(verdicts.count == 2)
  }

  private func isZeros(_ block: [UInt8], byteCount: Int) -> Bool {
    var target = [UInt8](repeating: 1, count: byteCount)
    return block.withUnsafeBytes { source in
      target.withUnsafeMutableBytes { LZ4LongSequences(source, $0).isZeros }
    }
  }

  /// Blocks that are taken for zeros without unpacking them.
  @Test func zerosAreWhatTheLibraryUnpacksAsZeros() throws {
    for byteCount in [4096, 4097, 5000, 65535, 65536, 432_224, 1 << 22] {
      for level in [1, 3, 9, 12] {
        let zeros = [UInt8](repeating: 0, count: byteCount)
        #expect(isZeros(packed(zeros, level: level), byteCount: byteCount), "\(byteCount) \(level)")
        for other in [0, 1, byteCount / 2, byteCount - 1] {
          var bytes = zeros
          bytes[other] = 1
          #expect(!isZeros(packed(bytes, level: level), byteCount: byteCount))
        }
      }
    }
    // One byte another, one more or one less: whatever is still taken for zeros is zeros to the library.
    let byteCount = 8192
    let whole = packed([UInt8](repeating: 0, count: byteCount), level: 1)
    var taken = 0
    for position in whole.indices {
      for value in UInt8.min ... .max {
        var changed = whole
        changed[position] = value
        var longer = whole
        longer.insert(value, at: position)
        for block in [changed, longer, Array(whole.dropLast()), Array(whole.dropFirst())]
        where isZeros(block, byteCount: byteCount) {
          taken += 1
          let theirs = decoded(block, byteCount: byteCount).theirs
          #expect(theirs?.allSatisfy { $0 == 0 } == true, "\(block.prefix(20))")
        }
      }
    }
    #expect(taken >= whole.count)
  }

  /// A sequence as the format spells it; without a match it is the last.
  private func sequence(_ literals: [UInt8], offset: Int = 0, match: Int = 4) -> [UInt8] {
    func rest(_ length: Int) -> [UInt8] {
      length < 15
        ? [] : Array(repeating: 255, count: (length - 15) / 255) + [UInt8((length - 15) % 255)]
    }
    let token = UInt8(min(literals.count, 15) << 4 | min(match - 4, 15))
    let head = [token] + rest(literals.count) + literals
    return offset == 0
      ? head : head + [UInt8(offset & 255), UInt8(offset >> 8)] + rest(match - 4)
  }
}
