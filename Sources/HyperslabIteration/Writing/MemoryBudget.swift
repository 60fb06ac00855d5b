import HyperslabCore

/// How many buffers may be in memory at once.
struct MemoryBudget {
  let plan: BufferPlan
  let limit: Int?

  init(_ plan: BufferPlan, _ limit: Int?) {
    self.plan = plan
    self.limit = limit
  }

  /// 2 where the next buffer may be read while the last is written, else 1.
  ///
  /// - Throws: `memory_budget` when a limit was given and one buffer is larger; `overflow` when a
  ///   buffer is larger than memory can be.
  func bufferDepth() throws(HyperslabError) -> Int {
    guard let buffer = plan.bufferByteCount else {
      throw HyperslabError(
        .overflow, "a buffer of \(plan.bufferShape) is larger than memory can be",
        remedy: "Choose a smaller buffer")
    }
    if let limit, buffer > limit {
      throw HyperslabError(
        .memoryBudget,
        "one buffer of shape \(plan.bufferShape) in chunks of \(plan.chunkShape), "
          + "\(plan.chunkByteCount ?? buffer) bytes each, does not fit into the memory allowed",
        expected: "at most \(limit) bytes", found: "\(buffer) bytes",
        remedy: remedy(limit: limit))
    }
    let budget = limit.map(Double.init) ?? plan.bufferByteLimit
    return plan.count > 1 && 2 * Double(buffer) <= budget ? 2 : 1
  }

  private func remedy(limit: Int) -> String {
    if let chunk = plan.chunkByteCount, chunk <= limit {
      return "Ask for a buffer_gb of \(Double(limit) / 1e9) or less, or allow more memory"
    }
    return "Choose a chunk_mb of \(Double(Swift.max(limit, 0)) / 1e6) or less, or allow more memory"
  }
}
