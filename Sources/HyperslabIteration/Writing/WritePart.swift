public import HyperslabCore

/// One of several shares of a plan's buffers, which as many processes write into one data set.
///
/// Shares are contiguous in the plan's order and differ by at most one buffer. All processes must
/// walk the array alike: the same chunk and buffer options, the same memory limit.
public struct WritePart: Hashable, Sendable, CustomStringConvertible {
  /// Which share, from 0.
  public let index: Int
  /// How many shares there are.
  public let count: Int

  /// A share.
  ///
  /// - Throws: `invalid_value` unless 0 ≤ index < count.
  public init(_ index: Int, of count: Int) throws(HyperslabError) {
    guard index >= 0, index < count else {
      throw HyperslabError(
        .invalidValue, "part \(index) of \(count)", expected: "0 ≤ part < number of parts",
        remedy: "Parts are counted from 0: 0/4, 1/4, 2/4, 3/4")
    }
    self.index = index
    self.count = count
  }

  /// As it is typed: `0/4`.
  public var description: String { "\(index)/\(count)" }

  /// The positions of the share among so many buffers.
  func positions(of bufferCount: Int) -> Range<Int> {
    let (size, rest) = bufferCount.quotientAndRemainder(dividingBy: count)
    func start(_ index: Int) -> Int { index * size + Swift.min(index, rest) }
    return start(index)..<start(index + 1)
  }
}
