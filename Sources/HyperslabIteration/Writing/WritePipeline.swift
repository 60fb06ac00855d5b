import HyperslabCore

/// Drives a source's buffers into a data set: read, encode, commit.
struct WritePipeline<Source: DataChunkSource, Dataset: ChunkedDataset> {
  let reader: SourceReader<Source>
  let writer: BufferWriter<Dataset>
  let policy: CommitPolicy
  /// How many buffers may be in memory; nil where the source lends its own.
  let depth: Int?
  let commit: () throws(HyperslabError) -> Void

  private var lastCommit = ContinuousClock.now
  private var isPrepared = false
  /// The creation of the data set waits for a commit, too.
  private var hasUncommitted = true

  init(
    reader: SourceReader<Source>, writer: BufferWriter<Dataset>, policy: CommitPolicy, depth: Int?,
    commit: @escaping () throws(HyperslabError) -> Void
  ) {
    self.reader = reader
    self.writer = writer
    self.policy = policy
    self.depth = depth
    self.commit = commit
  }

  mutating func run() throws(HyperslabError) {
    do throws(HyperslabError) {
      if let depth { try writeCopies(depth: depth) } else { try writeLent() }
      if hasUncommitted { try commitNow() }
    } catch { throw error.located(at: "\(writer.dataset.path)") }
  }

  private mutating func writeLent() throws(HyperslabError) {
    for selection in reader.plan {
      try writer.checkCancelled()
      let isLent = try reader.lend(selection) { bytes, layout throws(HyperslabError) in
        try write(selection, bytes, layout)
      }
      guard isLent else {
        throw HyperslabError(
          .sourceFailed, "the source lends some of its memory, but not the selection \(selection)",
          remedy: "A source lends every selection or none")
      }
      try endBuffer()
    }
  }

  private mutating func writeCopies(depth: Int) throws(HyperslabError) {
    let buffers = BufferReader(reader, depth: depth)
    // Nobody may use the source after the write has returned.
    defer { buffers.finish() }
    try writer.checkCancelled()
    while let (selection, memory) = try buffers.next() {
      try memory.withBytes { bytes throws(HyperslabError) in
        guard
          let layout = StridedLayout.rowMajor(
            selection.shape, elementByteCount: reader.plan.dataType.byteCount)
        else {
          throw HyperslabError(
            .overflow, "a buffer of shape \(selection.shape) is larger than memory can be")
        }
        try write(selection, bytes, layout)
      }
      buffers.recycle(memory)
      try endBuffer()
      try writer.checkCancelled()
    }
  }

  private mutating func write(
    _ selection: Selection, _ bytes: RawSpan, _ layout: StridedLayout
  ) throws(HyperslabError) {
    if !isPrepared {
      try writer.dataset.prepare(sample: bytes, layout: layout)
      isPrepared = true
    }
    hasUncommitted = true
    try writer.write(selection, from: bytes, layout: layout)
  }

  private mutating func endBuffer() throws(HyperslabError) {
    switch policy {
    case .everyBuffer: try commitNow()
    case .interval(let seconds):
      if (ContinuousClock.now - lastCommit) / .seconds(1) >= seconds { try commitNow() }
    case .atEnd: break
    }
  }

  private mutating func commitNow() throws(HyperslabError) {
    try commit()
    hasUncommitted = false
    lastCommit = .now
    writer.meter.committed()
  }
}
