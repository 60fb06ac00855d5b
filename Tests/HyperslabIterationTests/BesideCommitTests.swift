import Dispatch
import HyperslabCore
import HyperslabIteration
import Synchronization
import Testing

/// A buffer is encoded while the one before is committed.
@Suite struct BesideCommitTests {
  private static func iterator(buffers: Int) throws -> GenericDataChunkIterator<RampSource> {
    try GenericDataChunkIterator(
      RampSource(shape: [2 * buffers]), bufferShape: [2], chunkShape: [1])
  }

  @Test func theNextBufferIsEncodedMeanwhile() throws {
    let commits = SlowCommits()
    let log = ReportLog()
    let store = commits.store(chunks: 10)
    // Whoever waited for a commit before going on would wait for ever.
    try store.write(
      Self.iterator(buffers: 5), to: "x", options: WriteOptions(threads: 1),
      progress: { log.add($0) })
    let found = commits.state.withLock { $0 }
    #expect(found.chunksAtBegin == [2, 4, 6, 8, 10])
    #expect(found.mostAtOnce == 1)
    #expect(log.reports.map(\.committedByteCount) == [8, 16, 24, 32, 40])
    let written = log.reports.map(\.writtenByteCount)
    #expect(zip(written, [8, 16, 24, 32, 40]).allSatisfy { $0 >= $1 })
    #expect(try store.dataset("x").read(Int32.self).elements == [Int32](0..<10))
  }

  @Test func aCommitThatFailsEndsTheWrite() throws {
    let commits = SlowCommits()
    let log = ReportLog()
    let failure = HyperslabError(.unsupported, "the disk is gone")
    var store = commits.store(chunks: 10)
    store.onChunk = { chunk in
      commits.end(chunk == [4] ? .failure(failure) : .success(()))
      commits.state.withLock { $0.chunks += 1 }
    }
    let error = #expect(throws: HyperslabError.self) {
      try store.write(
        Self.iterator(buffers: 5), to: "x", options: WriteOptions(threads: 1),
        progress: { log.add($0) })
    }
    #expect(error?.code == .unsupported)
    #expect(commits.state.withLock { $0.begun } == 2)
    #expect(log.reports.last?.committedByteCount == 8)
  }

  @Test func aBufferThatFailsWaitsForTheCommit() throws {
    let commits = SlowCommits()
    let log = ReportLog()
    var store = commits.store(chunks: 10)
    store.onChunk = { chunk throws(HyperslabError) in
      if chunk == [2] {
        DispatchQueue.global().asyncAfter(deadline: .now() + .milliseconds(20)) { commits.end() }
        throw HyperslabError(.invalidValue, "the disk is full")
      }
    }
    let error = #expect(throws: HyperslabError.self) {
      try store.write(
        Self.iterator(buffers: 5), to: "x", options: WriteOptions(threads: 1),
        progress: { log.add($0) })
    }
    #expect(error?.code == .invalidValue)
    // Told of by the time that the write is over, not after.
    #expect(log.reports.map(\.committedByteCount) == [8])
  }

  /// What a chunk fails with then is mostly that the commit did.
  @Test func aCommitThatFailedIsToldOfBeforeWhatCameOfIt() throws {
    let commits = SlowCommits()
    var store = commits.store(chunks: 10)
    store.onChunk = { chunk throws(HyperslabError) in
      if chunk == [2] {
        commits.end(.failure(HyperslabError(.unsupported, "the disk is gone")))
        throw HyperslabError(.invalidValue, "the store is no longer usable")
      }
    }
    let error = #expect(throws: HyperslabError.self) {
      try store.write(
        Self.iterator(buffers: 5), to: "x", options: WriteOptions(threads: 1))
    }
    #expect(error?.code == .unsupported)
  }
}
