public import HyperslabCore
public import HyperslabIteration

/// A hard bound on the memory of a whole import, and what it leaves for buffers.
public struct MemoryBudget: Hashable, Sendable {
  /// What may be used in all.
  public let byteCount: Int
  /// What is kept for everything but buffers: the program itself, the threads' scratch, files being read.
  public static let workingByteCount = 32_000_000

  /// A budget in units of 1e6 bytes.
  ///
  /// - Throws: `memory_budget` when nothing is left for buffers.
  public init(megabytes: Double) throws(HyperslabError) {
    guard let bytes = Int(exactly: (megabytes * 1e6).rounded(.down)), bytes > Self.workingByteCount
    else {
      throw HyperslabError(
        .memoryBudget, "a memory budget of \(megabytes) MB",
        expected:
          "more than the \(Self.workingByteCount / 1_000_000) MB that go to anything but buffers")
    }
    byteCount = bytes
  }

  /// What is left for buffers.
  public var bufferByteCount: Int { byteCount - Self.workingByteCount }
  /// The same as a limit for a plan.
  public var bufferGB: Double { Double(bufferByteCount) / 1e9 }

  /// Checks that a plan's buffers fit.
  ///
  /// - Throws: `memory_budget` naming buffer, chunk, budget and the way out.
  public func check(_ plan: BufferPlan) throws(HyperslabError) {
    if let bytes = plan.bufferByteCount, bytes <= bufferByteCount { return }
    throw HyperslabError(
      .memoryBudget,
      "one buffer of shape \(plan.bufferShape), made of chunks of \(plan.chunkShape), does not fit",
      expected: "at most \(bufferByteCount) bytes, which the budget of \(byteCount) leaves",
      found: plan.bufferByteCount.map { "\($0) bytes" } ?? "more than 64 bits of bytes",
      remedy: "Choose smaller chunks or buffers, or a larger budget")
  }
}
