#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// SplitMix64: random numbers that repeat, so that a failure can be had again.
///
/// Tests take the base seed from the environment variable `HYPERSLAB_SEED` (decimal, or `random`
/// for another one in every process) and print it with a failure; without it the seed is fixed.
public struct SeededGenerator: RandomNumberGenerator, Sendable {
  /// What the sequence started from.
  public let seed: UInt64
  private var state: UInt64

  /// The seed of this process.
  public static let baseSeed: UInt64 = {
    guard let text = unsafe getenv("HYPERSLAB_SEED") else { return 0x5EED }
    let word = unsafe String(cString: text)
    var system = SystemRandomNumberGenerator()
    return word == "random" ? system.next() : UInt64(word) ?? 0x5EED
  }()

  /// The sequence of a seed.
  public init(seed: UInt64 = Self.baseSeed) {
    self.seed = seed
    state = seed
  }

  /// A sequence of its own for every label and index, all following from the base seed.
  public init(_ label: String, _ index: Int = 0) {
    // FNV-1a; the standard library's hash differs from process to process.
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in label.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
    var mixer = SeededGenerator(seed: Self.baseSeed ^ hash)
    // Seeds that differ by a multiple of the increment give the same sequence, only shifted.
    var scrambler = SeededGenerator(seed: mixer.next() ^ UInt64(bitPattern: Int64(index)))
    self.init(seed: scrambler.next())
  }

  /// The next number.
  public mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var word = state
    word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
    word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
    return word ^ (word >> 31)
  }

  /// Whether an event of the given odds, `hits` in `of`, happens.
  public mutating func chance(_ hits: Int, in total: Int) -> Bool {
    Int.random(in: 0..<total, using: &self) < hits
  }
}
