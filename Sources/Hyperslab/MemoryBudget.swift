public import HyperslabCore
public import HyperslabIteration

/// A hard bound on the memory of a whole import, and what it leaves for buffers.
public struct MemoryBudget: Hashable, Sendable {
  /// What may be used in all.
  public let byteCount: Int
  /// What is kept for everything but buffers: the program itself, the threads' scratch, files being read.
  public let workingByteCount: Int

  /// Of which the program and its libraries take 25 MB, and the scratch of four threads the rest.
  private static let leastWorkingByteCount = 40_000_000
  /// What each thread more takes.
  private static let threadByteCount = 5 << 19

  /// A budget in units of 1e6 bytes.
  ///
  /// - Parameter threads: Threads that encode chunks; nil for as many as there are cores.
  /// - Throws: `memory_budget` when nothing is left for buffers.
  public init(megabytes: Double, threads: Int? = nil) throws(HyperslabError) {
    let more = Swift.min(Swift.max(threads ?? Machine.processorCount, 4), 1 << 20) - 4
    workingByteCount = Self.leastWorkingByteCount + more * Self.threadByteCount
    guard let bytes = Int(exactly: (megabytes * 1e6).rounded(.down)), bytes > workingByteCount
    else {
      throw HyperslabError(
        .memoryBudget, "a memory budget of \(megabytes) MB",
        expected:
          "more than the \(Self.megabytes(workingByteCount)) MB that go to anything but buffers",
        remedy:
          "Allow \(Self.megabytes(workingByteCount + 20_000_000)) MB, which leaves room for a buffer "
          + "of two chunks of the usual size")
    }
    byteCount = bytes
  }

  private static func megabytes(_ byteCount: Int) -> Int {
    byteCount.dividedRoundingUp(by: 1_000_000)
  }

  /// What is left for buffers.
  public var bufferByteCount: Int { byteCount - workingByteCount }
  /// The same as a limit for a plan.
  public var bufferGB: Double { Double(bufferByteCount) / 1e9 }

  /// Bytes that a chunk takes until it is committed, and after that.
  private static let (uncommittedRowByteCount, rowByteCount) = (512, 64)
  /// What small buffers may hold that wait to share a commit.
  private static let sharedByteCount = 16 << 20
  /// Rows that ``workingByteCount`` has room for.
  private static let freeRowByteCount = 8_000_000

  /// Checks that a plan's buffers fit, and the rows of the index beside them.
  ///
  /// - Throws: `memory_budget` naming buffer, chunk, budget and the way out.
  public func check(_ plan: BufferPlan) throws(HyperslabError) {
    guard let bytes = plan.bufferByteCount, bytes <= bufferByteCount else {
      throw HyperslabError(
        .memoryBudget,
        "one buffer of shape \(plan.bufferShape), made of chunks of \(plan.chunkShape), does not fit",
        expected: "at most \(bufferByteCount) bytes, which the budget of \(byteCount) leaves",
        found: plan.bufferByteCount.map { "\($0) bytes" } ?? "more than 64 bits of bytes",
        remedy: "Choose smaller chunks or buffers, or a budget of at least "
          + (plan.bufferByteCount.flatMap { Checked.add($0, workingByteCount) }
            .map { "\(Self.megabytes($0)) MB" } ?? "as much"))
    }
    let rows = Self.rowByteCount(of: plan)
    let left = bufferByteCount - Self.pieceByteCount(of: plan, bytes) + Self.freeRowByteCount
    guard rows.map({ $0 <= left }) ?? false else {
      throw HyperslabError(
        .memoryBudget,
        "the index's rows of \(plan.chunkCount.map(String.init) ?? "all") chunks of "
          + "\(plan.chunkShape) do not fit beside the elements",
        expected: "at most \(left) bytes",
        found: rows.map { "\($0) bytes" }, remedy: "Choose larger chunks, or a larger budget")
    }
  }

  /// What is in memory of a buffer whose pieces are read from a file: two of them, each 32 MiB or a row
  /// of chunks.
  private static func pieceByteCount(of plan: BufferPlan, _ bufferByteCount: Int) -> Int {
    let rows = zip(plan.bufferShape, plan.chunkShape).map { $0.dividedRoundingUp(by: $1) }
    let row = bufferByteCount / (rows.filter { $0 > 1 }.min() ?? 1)
    return Swift.min(
      bufferByteCount, Swift.max(64 << 20, Checked.multiply(row, 2) ?? Int.max))
  }

  private static func rowByteCount(of plan: BufferPlan) -> Int? {
    guard let count = plan.chunkCount, let buffer = plan.bufferByteCount,
      let chunk = plan.chunkByteCount, let buffers = Checked.multiply(buffer, 2),
      let waiting = Checked.add(sharedByteCount, buffers),
      let rows = Checked.multiply(count, rowByteCount)
    else { return nil }
    let uncommitted = Swift.min(count, waiting / Swift.max(1, chunk))
    return Checked.multiply(uncommitted, uncommittedRowByteCount).flatMap { Checked.add($0, rows) }
  }
}
