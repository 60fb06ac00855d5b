import HyperslabCore
import HyperslabIteration
import Testing

@Suite("Memory")
struct MemoryBudgetTests {
  /// A buffer of it has 96 bytes.
  let source = BytesSource(shape: [64, 3], type: .float64)

  @Test(arguments: [(96, 1), (191, 1), (192, 2), (1000, 2)])
  func buffersInFlightKeepTheBudget(memory: Int, buffers: Int) throws {
    var source = source
    source.ledger = Ledger()
    let ledger = source.ledger
    let iterator = try GenericDataChunkIterator(
      source, bufferShape: [4, 3], chunkShape: [2, 3])
    // A buffer is done with when it has been committed.
    let store = WatchedStore(onCommit: { ledger.end() })
    try store.write(iterator, to: "x", options: WriteOptions(memoryByteCount: memory))
    #expect(ledger.highestInFlight <= buffers)
    #expect(ledger.readCount == 16)
  }

  @Test func theNextBufferIsReadWhileOneIsWritten() throws {
    var source = source
    source.ledger = Ledger()
    let ledger = source.ledger
    let iterator = try GenericDataChunkIterator(
      source, bufferShape: [4, 3], chunkShape: [2, 3])
    // The first chunk waits until the second buffer has been begun; one at a time would never end.
    let store = WatchedStore(onChunk: { _ in while ledger.readCount < 2 {} })
    try store.write(iterator, to: "x", options: WriteOptions(memoryByteCount: 192))
    #expect(ledger.readCount == 16)
  }

  @Test func withoutALimitTheBufferSizeIsTheBudget() throws {
    for (gigabytes, buffers) in [(96e-9, 1), (190e-9, 1)] {
      var source = source
      source.ledger = Ledger()
      let ledger = source.ledger
      let iterator = try GenericDataChunkIterator(
        source, bufferGB: gigabytes, chunkShape: [4, 3])
      let store = WatchedStore(onCommit: { ledger.end() })
      try store.write(iterator, to: "x")
      #expect(ledger.highestInFlight <= buffers)
    }
  }

  @Test func aBufferThatCannotFitIsRefusedWithTheWayOut() throws {
    let iterator = try GenericDataChunkIterator(source, bufferShape: [8, 3], chunkShape: [4, 3])
    let refusal = #expect(throws: HyperslabError.self) {
      try MemoryStore().write(iterator, to: "x", options: WriteOptions(memoryByteCount: 100))
    }
    #expect(refusal?.code == .memoryBudget)
    #expect(
      refusal?.description
        == "x: one buffer of shape (8, 3) in chunks of (4, 3), 96 bytes each, does not fit into the "
        + "memory allowed; expected at most 100 bytes, found 192 bytes. Ask for a buffer_gb of 1e-07 "
        + "or less, or allow more memory")
  }

  @Test func lentMemoryNeedsNoBudget() throws {
    let source = try InMemorySource(elements: [Double](repeating: 1, count: 100), shape: [100])
    let iterator = try GenericDataChunkIterator(source)
    try MemoryStore().write(iterator, to: "x", options: WriteOptions(memoryByteCount: 0))
  }
}
