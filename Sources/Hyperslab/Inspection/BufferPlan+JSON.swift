public import HyperslabCore
public import HyperslabIteration

extension BufferPlan {
  /// The most memory that writing along this plan takes: buffers in flight and what each thread
  /// needs to encode, at LZ4's HC levels up to 12 MB more; nil beyond 64 bits.
  ///
  /// - Parameters:
  ///   - threads: How many encode.
  ///   - bufferGB: The budget for buffers. A second buffer is read ahead only where two fit into it.
  public func peakMemoryByteCount(threads: Int, bufferGB: Double = 1) -> Int? {
    guard let bufferByteCount else { return nil }
    let inFlight =
      count > 1 && 2 * Double(bufferByteCount) <= bufferGB * 1e9 ? 2 : Swift.min(count, 1)
    guard let buffers = Checked.multiply(inFlight, bufferByteCount),
      let scratch = Checked.multiply(Swift.max(threads, 1), 5 << 19)
    else { return nil }
    return Checked.add(buffers, scratch)
  }

  /// The plan as `slab plan --json` prints it, with its first `selectionCount` buffers; none for a
  /// negative number.
  public func json(selectionCount: Int = 0, threads: Int, bufferGB: Double = 1) -> JSONValue {
    let peak = peakMemoryByteCount(threads: threads, bufferGB: bufferGB)
    return [
      "shape": shape.json, "dtype": .string(dataType.rawValue), "chunk_shape": chunkShape.json,
      "buffer_shape": bufferShape.json, "buffer_count": .integer(count),
      "chunk_count": chunkCount.map { .integer($0) } ?? .null,
      "peak_memory_bytes": peak.map { .integer($0) } ?? .null,
      "selections": .array(prefix(Swift.max(0, selectionCount)).map(\.json)),
      "warnings": .array(warnings.map { .string($0) }),
    ]
  }
}

extension Selection {
  /// `[[start, stop], …]`, a pair an axis.
  package var json: JSONValue {
    .array(bounds.map { [.integer($0.lowerBound), .integer($0.upperBound)] })
  }
}

extension HyperslabError {
  /// The error as `--json` output shows it: its code and its description.
  public var json: JSONValue {
    ["error": .string(code.rawValue), "message": .string(description)]
  }
}
