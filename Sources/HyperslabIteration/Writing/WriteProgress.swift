/// How far a write has come, in bytes of the array, not of files.
public struct WriteProgress: Hashable, Sendable {
  /// Bytes that survive a crash from now on; never falls, and is the total at the end.
  public let committedByteCount: Int
  /// Bytes given to the store so far, with those that were committed before the write began.
  public let writtenByteCount: Int
  /// Bytes that were committed before the write began; the total where nothing was left to do.
  public let skippedByteCount: Int
  /// Bytes in all.
  public let totalByteCount: Int
  /// Time since the write began.
  public let elapsed: Duration

  /// The committed part, 0 to 1; 1 where there is nothing to write.
  public var fractionCompleted: Double {
    totalByteCount == 0 ? 1 : Double(committedByteCount) / Double(totalByteCount)
  }

  /// Bytes given to the store a second, on average; 0 at the very start.
  public var bytesPerSecond: Double {
    let seconds = elapsed / .seconds(1)
    return seconds > 0 ? Double(writtenByteCount - skippedByteCount) / seconds : 0
  }

  /// The time that the rest takes at that rate; nil before there is a rate.
  public var remaining: Duration? {
    if writtenByteCount >= totalByteCount { return .zero }
    let seconds = Double(totalByteCount - writtenByteCount) / bytesPerSecond
    // A duration ends at 2^63 seconds.
    return seconds.isFinite && seconds < 0x1p60 ? .seconds(seconds) : nil
  }
}
