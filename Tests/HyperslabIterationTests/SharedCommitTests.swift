import Dispatch
import HyperslabCore
import HyperslabIteration
import Synchronization
import Testing

/// Small buffers that end while a commit is made share the next one.
@Suite struct SharedCommitTests {
  /// Counts up along one axis, and tells before it gives the elements from an index on.
  struct Source: DataChunkSource {
    let shape: Shape
    var lends = true
    var willGive: @Sendable (Int) throws -> Void = { _ in }

    var dataType: DataType { .int32 }

    private func elements(_ selection: Selection) throws -> [Int32] {
      try willGive(selection.origin[0])
      return selection.bounds[0].map { Int32(truncatingIfNeeded: $0) }
    }

    func read(_ selection: Selection, into buffer: inout OutputRawSpan) throws {
      for element in try elements(selection) { buffer.append(element, as: Int32.self) }
    }

    func withBytes<R>(
      of selection: Selection, _ body: (RawSpan, StridedLayout) throws -> R
    ) throws -> R? {
      guard lends, let layout = StridedLayout.rowMajor(selection.shape, elementByteCount: 4)
      else { return nil }
      return try elements(selection).withUnsafeBytes { try body($0.bytes, layout) }
    }
  }

  private func iterator(_ source: Source) throws -> GenericDataChunkIterator<Source> {
    try GenericDataChunkIterator(source, bufferShape: [2], chunkShape: [1])
  }

  private func end(_ commits: SlowCommits) {
    DispatchQueue.global().asyncAfter(deadline: .now() + .milliseconds(20)) { commits.end() }
  }

  @Test func whatIsReadyWhenACommitEndsSharesTheNext() throws {
    let commits = SlowCommits()
    let log = ReportLog()
    var store = commits.store(chunks: 10)
    store.onChunk = { chunk in
      if chunk == [9] { commits.end() }
      commits.state.withLock { $0.chunks += 1 }
    }
    try store.write(
      iterator(Source(shape: [10])), to: "x", options: WriteOptions(threads: 1),
      progress: { log.add($0) })
    #expect(commits.state.withLock { $0.chunksAtBegin } == [2, 10])
    #expect(log.reports.map(\.committedByteCount) == [8, 40])
    #expect(try store.dataset("x").read(Int32.self).elements == [Int32](0..<10))
  }

  @Test func largeBuffersDoNot() throws {
    let commits = SlowCommits()
    var store = commits.store(chunks: 3)
    store.onChunk = { _ in
      commits.state.withLock { $0.chunks += 1 }
      end(commits)
    }
    let length = 16 << 20
    let elements = [UInt8](repeating: 7, count: 3 * length)
    let iterator = try GenericDataChunkIterator(
      InMemorySource(elements: elements, shape: [3 * length]), bufferShape: [length],
      chunkShape: [length])
    try store.write(iterator, to: "x", options: WriteOptions(threads: 1))
    #expect(commits.state.withLock { $0.chunksAtBegin } == [1, 2, 3])
  }

  /// A recording gives the next buffer when there is one: what was written until then is not left lying.
  @Test func noneWaitsForASlowSource() throws {
    let commits = SlowCommits()
    let second = DispatchSemaphore(value: 0)
    let didCommit = Mutex(false)
    var store = commits.store(chunks: 6)
    let begin = store.onBegin
    store.onBegin = { completion in
      begin?(completion)
      if commits.state.withLock({ $0.begun }) == 2 { second.signal() }
    }
    store.onChunk = { chunk in
      commits.state.withLock { $0.chunks += 1 }
      if chunk != [0] && chunk != [2] { end(commits) }
    }
    let source = Source(
      shape: [6], lends: false,
      willGive: { index in
        guard index == 4 else { return }
        let isInTime = second.wait(timeout: .now() + .seconds(10)) == .success
        didCommit.withLock { $0 = isInTime }
      })
    try store.write(iterator(source), to: "x", options: WriteOptions(threads: 1))
    #expect(didCommit.withLock { $0 })
    #expect(commits.state.withLock { $0.chunksAtBegin } == [2, 4, 6])
  }

  @Test func whatWaitedIsCommittedWhenTheSourceFails() throws {
    struct Failure: Error {}
    let commits = SlowCommits()
    var store = commits.store(chunks: 6)
    store.onChunk = { _ in commits.state.withLock { $0.chunks += 1 } }
    let source = Source(
      shape: [10],
      willGive: { index in
        guard index == 6 else { return }
        end(commits)
        throw Failure()
      })
    let error = #expect(throws: HyperslabError.self) {
      try store.write(iterator(source), to: "x", options: WriteOptions(threads: 1))
    }
    #expect(error?.code == .sourceFailed)
    #expect(commits.state.withLock { $0.chunksAtBegin } == [2, 6])
  }

  /// Half a buffer is nothing to commit.
  @Test func whatWaitedIsNotCommittedWithHalfABuffer() throws {
    let commits = SlowCommits()
    var store = commits.store(chunks: 10)
    store.onChunk = { chunk throws(HyperslabError) in
      if chunk == [7] {
        end(commits)
        throw HyperslabError(.invalidValue, "the disk is full")
      }
      commits.state.withLock { $0.chunks += 1 }
    }
    let error = #expect(throws: HyperslabError.self) {
      try store.write(
        iterator(Source(shape: [10])), to: "x", options: WriteOptions(threads: 1))
    }
    #expect(error?.code == .invalidValue)
    #expect(commits.state.withLock { $0.chunksAtBegin } == [2])
  }
}
