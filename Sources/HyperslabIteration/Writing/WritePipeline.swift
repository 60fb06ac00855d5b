import HyperslabCore

/// Drives buffers into a data set: read, encode, commit; one buffer is committed while the next is
/// encoded. Small buffers may be encoded faster than committed; those that are ready by then share the
/// next commit.
struct WritePipeline<Source: DataChunkSource, Dataset: ChunkedDataset> {
  let feed: BufferFeed<Source>
  var writer: BufferWriter<Dataset>
  let policy: CommitPolicy
  /// Begins a commit; what it is given is called when that is over.
  let beginCommit: (@escaping @Sendable (Result<Void, HyperslabError>) -> Void) -> Void
  /// Whether something waits for a commit: the creation of the data set, a new shape, chunks.
  var hasUncommitted: Bool
  /// Whether the store has seen data of the kind to come.
  var isPrepared: Bool

  private var lastCommit = ContinuousClock.now
  private var commit: Commit?

  /// A commit that is being made.
  private struct Commit {
    let result = Pending<Void>()
    /// How much had been written when it began.
    let byteCount: Int
  }

  /// How many bytes may be written while a commit is made and still wait for the next buffer to share
  /// one: a commit of few bytes waits for the disk as often as one of many.
  private static var sharedByteCount: Int { 16 << 20 }

  init(
    feed: BufferFeed<Source>, writer: BufferWriter<Dataset>, policy: CommitPolicy,
    hasUncommitted: Bool = true, isPrepared: Bool = false,
    beginCommit: @escaping (@escaping @Sendable (Result<Void, HyperslabError>) -> Void) -> Void
  ) {
    self.feed = feed
    self.writer = writer
    self.policy = policy
    self.hasUncommitted = hasUncommitted
    self.isPrepared = isPrepared
    self.beginCommit = beginCommit
  }

  /// Writes buffers and commits between them as the policy says.
  ///
  /// - Parameters:
  ///   - origin: Where in the data set the source's first element goes.
  ///   - onlyMissing: Whether chunks that were written before are left alone.
  ///   - together: Whether a commit may only come after all of them.
  mutating func write<Buffers: RandomAccessCollection<Selection>>(
    _ buffers: Buffers, at origin: [Int]? = nil, onlyMissing: Bool = false, together: Bool = false
  ) throws(HyperslabError) where Buffers.Index == Int {
    var (prepared, uncommitted, last, commit) = (isPrepared, hasUncommitted, lastCommit, commit)
    // Whether all that is not committed are whole buffers that wait to share a commit.
    var isWaiting = false
    defer {
      (isPrepared, hasUncommitted, lastCommit, self.commit) = (prepared, uncommitted, last, commit)
    }
    func finish(isNextReady: Bool) throws(HyperslabError) {
      if together || !isDue(last) { return }
      isWaiting = isNextReady && canShare(after: commit)
      if isWaiting { return }
      try Self.wait(for: &commit)
      commit = startCommit()
      uncommitted = false
      last = .now
    }
    func placed(_ buffer: Selection) -> Selection { origin.map(buffer.moved(by:)) ?? buffer }
    do throws(HyperslabError) {
      if let box = writer.streamedBox(of: buffers, at: origin),
        let source = feed.streamSource(ofBoxes: box.shape)
      {
        try feed.forEachStream(
          of: source, buffers,
          use: { stream throws(HyperslabError) in
            if !prepared { try writer.prepare(stream) }
            (prepared, uncommitted, isWaiting) = (true, true, false)
            try writer.write(placed(stream.box), from: stream, onlyMissing: onlyMissing)
          }, finish: finish)
      } else {
        try feed.forEach(
          buffers,
          use: { selection, bytes, layout throws(HyperslabError) in
            if !prepared { try writer.dataset.prepare(sample: bytes, layout: layout) }
            (prepared, uncommitted, isWaiting) = (true, true, false)
            try writer.write(
              placed(selection), from: bytes, layout: layout, onlyMissing: onlyMissing)
          }, finish: finish)
      }
    } catch {
      // Nobody is to hear of the write after it has failed; and a commit that failed did so first.
      try Self.wait(for: &commit)
      if isWaiting {
        commit = startCommit()
        try Self.wait(for: &commit)
        uncommitted = false
      }
      throw error
    }
  }

  /// Commits if the policy says so.
  mutating func commitIfDue() throws(HyperslabError) {
    if isDue(lastCommit) { try finish() }
  }

  /// Commits what waits for it.
  mutating func finish() throws(HyperslabError) {
    try Self.wait(for: &commit)
    guard hasUncommitted else { return }
    commit = startCommit()
    try Self.wait(for: &commit)
    hasUncommitted = false
    lastCommit = .now
  }

  private func isDue(_ last: ContinuousClock.Instant) -> Bool {
    switch policy {
    case .everyBuffer: true
    case .interval(let seconds): (ContinuousClock.now - last) / .seconds(1) >= seconds
    case .atEnd: false
    }
  }

  /// Whether what was written since a commit began may wait for the next buffer to share one.
  private func canShare(after commit: Commit?) -> Bool {
    guard let commit, !commit.result.isComplete else { return false }
    return writer.meter.writtenByteCount - commit.byteCount < Self.sharedByteCount
  }

  /// Begins a commit of all that was written so far.
  private func startCommit() -> Commit {
    let meter = writer.meter
    let commit = Commit(byteCount: meter.writtenByteCount)
    beginCommit { result in
      if case .success = result { meter.note(committed: commit.byteCount) }
      commit.result.complete(result)
    }
    return commit
  }

  private static func wait(for commit: inout Commit?) throws(HyperslabError) {
    defer { commit = nil }
    try commit?.result.wait()?.get()
  }
}

extension Selection {
  /// The box shifted by an offset an axis.
  func moved(by origin: [Int]) -> Selection {
    Selection(zip(bounds, origin).map { $0.lowerBound + $1..<$0.upperBound + $1 })
  }
}
