import HyperslabCore

/// Drives buffers into a data set: read, encode, commit.
struct WritePipeline<Source: DataChunkSource, Dataset: ChunkedDataset> {
  let feed: BufferFeed<Source>
  var writer: BufferWriter<Dataset>
  let policy: CommitPolicy
  let commit: () throws(HyperslabError) -> Void
  /// Whether something waits for a commit: the creation of the data set, a new shape, chunks.
  var hasUncommitted: Bool
  /// Whether the store has seen data of the kind to come.
  var isPrepared: Bool

  private var lastCommit = ContinuousClock.now

  init(
    feed: BufferFeed<Source>, writer: BufferWriter<Dataset>, policy: CommitPolicy,
    hasUncommitted: Bool = true, isPrepared: Bool = false,
    commit: @escaping () throws(HyperslabError) -> Void
  ) {
    self.feed = feed
    self.writer = writer
    self.policy = policy
    self.hasUncommitted = hasUncommitted
    self.isPrepared = isPrepared
    self.commit = commit
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
    var (prepared, uncommitted, last) = (isPrepared, hasUncommitted, lastCommit)
    defer { (isPrepared, hasUncommitted, lastCommit) = (prepared, uncommitted, last) }
    try feed.forEach(
      buffers,
      use: { selection, bytes, layout throws(HyperslabError) in
        if !prepared {
          try writer.dataset.prepare(sample: bytes, layout: layout)
          prepared = true
        }
        uncommitted = true
        try writer.write(
          origin.map(selection.moved(by:)) ?? selection, from: bytes, layout: layout,
          onlyMissing: onlyMissing)
      },
      finish: { () throws(HyperslabError) in
        if together || !isDue(last) { return }
        try commitNow()
        uncommitted = false
        last = .now
      })
  }

  /// Commits if the policy says so.
  mutating func commitIfDue() throws(HyperslabError) {
    if isDue(lastCommit) { try finish() }
  }

  /// Commits what waits for it.
  mutating func finish() throws(HyperslabError) {
    if hasUncommitted { try commitNow() }
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

  private func commitNow() throws(HyperslabError) {
    try commit()
    writer.meter.committed()
  }
}

extension Selection {
  /// The box shifted by an offset an axis.
  func moved(by origin: [Int]) -> Selection {
    Selection(zip(bounds, origin).map { $0.lowerBound + $1..<$0.upperBound + $1 })
  }
}
