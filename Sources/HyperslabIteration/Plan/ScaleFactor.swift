#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// The whole factor by which a box of `byteCount` bytes may grow along each of its axes and stay
/// within a limit, as HDMF computes it.
///
/// It is `⌊(limit / bytes)^(1 / rank)⌋` in double arithmetic: `1.0 / 3` is not a third, so that 64
/// elements in three axes give 3, not 4. An exact root would give other chunk shapes than HDMF's.
struct ScaleFactor {
  private let value: Double

  /// The factor for a limit in bytes above 0; infinite limits are legal.
  init(byteLimit: Double, byteCount: WideProduct, rank: Int) {
    value = pow(byteLimit / byteCount.doubleValue, 1.0 / Double(rank)).rounded(.down)
  }

  /// `length` scaled and cut at `limit`; the product may be far beyond 64 bits.
  func scale(_ length: Int, upTo limit: Int) -> Int {
    // Lengths are at least 1, so that a factor beyond every limit needs no product.
    guard value < 0x1p62 else { return limit }
    let (product, overflow) = Int(value).multipliedReportingOverflow(by: length)
    return overflow ? limit : Swift.min(product, limit)
  }
}
