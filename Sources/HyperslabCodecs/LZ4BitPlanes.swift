#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

extension BitPlanes {
  /// Unpacks an LZ4 block of bit planes only as far as they are not at hand; false when it does not fill
  /// `target` exactly.
  ///
  /// Bits of noise are literals, planes long, which stay in the packed block; those above are the same in
  /// every plane, or zeros, and are one plane. So of 16-bit voltages a sixth is copied.
  ///
  /// - Parameters:
  ///   - source: The block, which must stay as long as the planes are used.
  ///   - target: Room for all planes.
  func unpackLZ4(
    _ source: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer, elementCount: Int
  ) -> Bool {
    guard let to = target.baseAddress else { return false }
    unsafe lie(at: to, elementCount: elementCount)
    var planes = unsafe LZ4BitPlanes(source, to, byteCount: target.count, self)
    planes.unpack()
    if planes.isComplete { return true }
    planes.copyPlaces()
    unsafe lie(at: to, elementCount: elementCount)
    return unsafe decompressLZ4(source, into: target, after: (planes.consumed, planes.written))
  }
}

/// The unpacking of a block of bit planes, sequence by sequence.
@safe private struct LZ4BitPlanes {
  /// How many short sequences are done that are not copied by vectors; LZ4's own decoder takes half as long for
  /// those, and the rest of a block that has more.
  private static let shortSequences = 24

  private let source: UnsafeRawBufferPointer
  private let target: UnsafeMutableRawPointer
  private let byteCount: Int
  private let addresses: UnsafeMutablePointer<UnsafeRawPointer>
  private let planeByteCount: Int
  /// Bytes of the block that are done, up to the beginning of a sequence.
  private(set) var consumed = 0
  /// Bytes that they became.
  private(set) var written = 0
  /// The plane that is being made.
  private var plane = 0
  /// Where it begins.
  private var planeStart: Int { plane &* planeByteCount }

  init(
    _ source: UnsafeRawBufferPointer, _ target: UnsafeMutableRawPointer, byteCount: Int,
    _ planes: BitPlanes
  ) {
    unsafe self.source = source
    unsafe self.target = target
    self.byteCount = byteCount
    unsafe addresses = planes.addresses
    planeByteCount = planes.byteCount
  }

  var isComplete: Bool { unsafe consumed == source.count && written == byteCount }

  /// Does sequences up to the first that is unusual; what is malformed is for the library to say.
  mutating func unpack() {
    guard let from = unsafe source.baseAddress else { return }
    var shortLeft = Self.shortSequences
    while shortLeft >= 0 {
      unsafe copyWithinPlane(from)
      guard
        let sequence = unsafe LZ4Sequence(in: source, at: consumed, written: written, of: byteCount)
      else { return }
      if !sequence.isLong { shortLeft -= 1 }
      unsafe copy(from + sequence.literals.lowerBound, count: sequence.literals.count)
      copyMatch(offset: sequence.offset, count: sequence.matchByteCount)
      consumed = sequence.next
    }
  }

  /// Copies planes that are elsewhere to where a decoder looks for what it repeats.
  func copyPlaces() {
    for plane in 0..<written.dividedRoundingUp(by: planeByteCount) {
      let place = unsafe target + plane * planeByteCount
      if unsafe addresses[plane] != UnsafeRawPointer(place) {
        unsafe memcpy(place, addresses[plane], planeByteCount)
      }
    }
  }

  /// Does sequences that stay within the plane being made and repeat bytes of it or the one before, so far from
  /// the ends of planes and block that whole vectors can be copied.
  private mutating func copyWithinPlane(_ base: UnsafeRawPointer) {
    let vector = MemoryLayout<Vector>.size
    let planeStart = planeStart
    let before = planeStart &- planeByteCount
    // The last that literals, a match and what it repeats may end.
    let sourceEnd = unsafe source.count &- vector &- 3
    let planeEnd = planeStart &+ planeByteCount &- vector
    let beforeEnd = planeStart &- vector
    var (at, written) = (consumed, written)
    while at < sourceEnd {
      let token = unsafe Int(base.load(fromByteOffset: at, as: UInt8.self))
      var next = at &+ 1
      var literals = token >> 4
      if literals == 15 {
        unsafe literals &+= Int(base.load(fromByteOffset: next, as: UInt8.self))
        next &+= 1
      }
      let start = next
      next &+= literals
      guard literals < 15 + 255, next <= sourceEnd else { break }
      let offset = unsafe base.loadUnaligned(fromByteOffset: next, as: UInt16.self)
      next &+= 2
      var match = (token & 15) &+ 4
      if match == 19 {
        unsafe match &+= Int(base.load(fromByteOffset: next, as: UInt8.self))
        next &+= 1
      }
      let here = written &+ literals
      let from = here &- Int(UInt16(littleEndian: offset))
      guard match < 19 + 255, here &+ match <= planeEnd else { break }
      let pattern: UnsafeRawPointer
      if from >= planeStart {
        guard here &- from >= vector else { break }
        unsafe pattern = UnsafeRawPointer(target + from)
      } else {
        guard plane > 0, from >= before, from &+ match <= beforeEnd else { break }
        unsafe pattern = addresses[plane &- 1] + (from &- before)
      }
      unsafe Self.copy(base + start, target + written, atLeast: literals)
      unsafe Self.copy(pattern, target + here, atLeast: match)
      written = here &+ match
      at = next
    }
    (consumed, self.written) = (at, written)
  }

  private typealias Vector = SIMD64<UInt8>

  /// Copies whole vectors.
  @inline(__always)
  private static func copy(
    _ from: UnsafeRawPointer, _ to: UnsafeMutableRawPointer, atLeast count: Int
  ) {
    var done = 0
    repeat {
      unsafe (to + done).storeBytes(
        of: (from + done).loadUnaligned(as: Vector.self), as: Vector.self)
      done &+= MemoryLayout<Vector>.size
    } while done < count
  }

  // What is counted below lies within the block: LZ4Sequence looked at it.

  private mutating func copy(_ literals: UnsafeRawPointer, count: Int) {
    var done = 0
    while done < count {
      let part = Swift.min(count &- done, planeStart &+ planeByteCount &- written)
      if part == planeByteCount {
        unsafe addresses[plane] = literals + done
      } else {
        unsafe memcpy(target + written, literals + done, part)
      }
      done &+= part
      advance(by: part)
    }
  }

  private mutating func copyMatch(offset: Int, count: Int) {
    let start = written &- offset
    let end = written &+ count
    while written < end {
      var part = Swift.min(end &- written, planeStart &+ planeByteCount &- written)
      if part == planeByteCount, let same = samePlane(offset: offset, start: start) {
        unsafe addresses[plane] = addresses[same]
      } else {
        let from = written &- offset
        let other = from / planeByteCount
        let before = from &- other &* planeByteCount
        part = Swift.min(part, planeByteCount &- before)
        unsafe LZ4Sequence.repeatBytes(
          addresses[other] + before, target + written, offset: offset, count: part)
      }
      advance(by: part)
    }
  }

  /// An earlier plane that is the same as this, which a match fills, if the match says so.
  ///
  /// - Parameter start: Where the match repeats from: all bytes from there on repeat after `offset`.
  private func samePlane(offset: Int, start: Int) -> Int? {
    let period =
      offset % planeByteCount == 0 ? offset : planeByteCount % offset == 0 ? planeByteCount : nil
    guard let period, written &- period >= start else { return nil }
    return plane &- period / planeByteCount
  }

  private mutating func advance(by count: Int) {
    written &+= count
    if written == planeStart &+ planeByteCount { plane &+= 1 }
  }
}
