import HyperslabCore

/// One call of `write`: makes the data set or finds the one to continue, and writes what is missing.
struct WriteJob<Store: ChunkedStore, Source: DataChunkSource> {
  /// The handle whose changes are this write's own.
  let store: Store
  let source: Source
  let path: NodePath
  let options: WriteOptions
  let progress: (@Sendable (WriteProgress) -> Void)?
  /// How the array is walked; in the chunks of the data set once that is known.
  private var plan: BufferPlan
  private let originalPlan: BufferPlan
  private var depth: Int?

  init(
    _ store: Store, _ iterator: GenericDataChunkIterator<Source>, _ path: NodePath,
    _ options: WriteOptions, _ progress: (@Sendable (WriteProgress) -> Void)?
  ) {
    self.store = store
    source = iterator.source
    plan = iterator.plan
    originalPlan = iterator.plan
    self.path = path
    self.options = options
    self.progress = progress
  }

  private var reader: SourceReader<Source> {
    SourceReader(source: source, dataType: plan.dataType)
  }

  private var feed: BufferFeed<Source> {
    BufferFeed(
      reader: reader, depth: depth, chunkShape: options.chunkShape ?? plan.chunkShape,
      pieceByteCount: options.pieceByteCount, leastRunByteCount: options.leastRunByteCount,
      checkCancelled: { () throws(HyperslabError) in
        try checkCancelled(options.cancellation, at: path)
      })
  }

  /// The positions of the buffers that are this process's to write.
  private var share: Range<Int> {
    options.part?.positions(of: plan.count) ?? plan.startIndex..<plan.endIndex
  }

  /// Does the work; the data set is committed when it returns.
  mutating func run() throws(HyperslabError) -> Store.Dataset {
    try options.validate()
    var conflicts = 0
    while true {
      do throws(HyperslabError) { return try attempt() } catch {
        // Whoever was first wrote what a write that resumes may continue.
        conflicts += 1
        guard error.code == .conflict, options.resume, conflicts < 8 else { throw error }
        try store.reload(after: error)
        plan = originalPlan
      }
    }
  }

  private mutating func attempt() throws(HyperslabError) -> Store.Dataset {
    do throws(HyperslabError) {
      if options.chunkShape == nil { plan = try plan.growing(to: options.maximumShape) }
      try checkPart()
      depth = try bufferDepth()
      if options.resume || options.part != nil, let dataset = try existing() {
        return try resume(dataset)
      }
      guard options.part == nil else { return try startTogether() }
      let dataset = try store.createDataset(path, newDescription)
      let writer = writer(dataset, meter: ProgressMeter(total: byteCount, observer: progress))
      var pipeline = pipeline(writer, hasUncommitted: true)
      try pipeline.write(plan)
      try pipeline.finish()
      return dataset
    } catch { throw error.located(at: "\(path)") }
  }

  private func bufferDepth() throws(HyperslabError) -> Int? {
    if try reader.lendsMemory(plan.first) { return nil }
    return try MemoryBudget(plan, options.memoryByteCount).bufferDepth()
  }

  private func existing() throws(HyperslabError) -> Store.Dataset? {
    do { return try store.dataset(path) } catch {
      if error.code == .notFound { return nil }
      throw error
    }
  }

  private var newDescription: DatasetDescription {
    options.description(for: plan, sourceFingerprint: source.fingerprint)
  }

  private func writer(
    _ dataset: Store.Dataset, meter: ProgressMeter
  ) -> BufferWriter<Store.Dataset> {
    BufferWriter(
      dataset: dataset, threads: options.threadCount,
      cancellation: options.cancellation, meter: meter)
  }

  private func pipeline(
    _ writer: BufferWriter<Store.Dataset>, hasUncommitted: Bool
  ) -> WritePipeline<Source, Store.Dataset> {
    // A chunk of which a part is committed would pass for a whole one.
    let policy = options.chunksAreWhole(plan) ? options.commit : .atEnd
    return WritePipeline(
      feed: feed, writer: writer, policy: policy, hasUncommitted: hasUncommitted,
      isPrepared: options.part != nil,
      beginCommit: store.beginCommit(completion:))
  }

  // MARK: - Parts

  private func checkPart() throws(HyperslabError) {
    guard let part = options.part else { return }
    guard options.chunksAreWhole(plan) else {
      throw HyperslabError(
        .invalidValue, "part \(part) in chunks that lie in several buffers", at: "\(path)",
        expected: "buffers of whole chunks, so that no two parts write one chunk",
        remedy: "Leave out the write's own chunk shape")
    }
    guard store.isShareable else {
      throw HyperslabError(
        .invalidValue, "part \(part) in a store of fast durability", at: "\(path)",
        remedy: "Use full durability where several processes write")
    }
  }

  /// Makes the data set for all parts, its filter chosen; whoever commits first has made it.
  private mutating func startTogether() throws(HyperslabError) -> Store.Dataset {
    for _ in 0..<8 {
      do throws(HyperslabError) {
        try prepare(try store.createDataset(path, newDescription))
        try store.commit()
      } catch {
        guard error.code == .conflict || error.code == .alreadyExists else { throw error }
        try store.reload(after: error)
      }
      if let dataset = try existing() { return try resume(dataset) }
    }
    throw HyperslabError(
      .conflict, "others keep creating and removing the data set", at: "\(path)",
      remedy: "See who else writes there, and begin again")
  }

  /// Shows the store the array's first buffer, the same one in every part.
  private func prepare(_ dataset: Store.Dataset) throws(HyperslabError) {
    let sample = plan.prefix(1).map(feed.sample(of:))
    try feed.forEach(sample) { _, bytes, layout throws(HyperslabError) in
      try dataset.prepare(sample: bytes, layout: layout)
    }
  }

  // MARK: - Continuing

  private mutating func resume(_ dataset: Store.Dataset) throws(HyperslabError) -> Store.Dataset {
    try StoredSettings(dataset.description).check(plan, options, source.dataType)
    plan = try plan.aligned(to: dataset.description.chunkShape)
    depth = try bufferDepth()
    try checkSource(dataset)
    if options.part != nil, dataset.description.compression.filter == nil { try prepare(dataset) }

    let old = dataset.grid
    var dataset = dataset
    let grows = plan.shape != old.arrayShape
    if grows { dataset = try store.resizeDataset(path, to: plan.shape) }
    let edge = grows ? cutChunks(of: old) : nil
    let work = try remainingWork(dataset, edge)
    let meter = ProgressMeter(
      total: byteCount, skipped: work.writtenByteCount, observer: progress)
    var pipeline = pipeline(writer(dataset, meter: meter), hasUncommitted: grows)
    if let edge {
      // With the new shape in one commit: half-filled chunks must never pass for whole ones.
      let parts = plan.map { $0.intersection(edge) }.filter { !$0.isEmpty }
      try pipeline.write(parts, together: true)
      try pipeline.commitIfDue()
    }
    try pipeline.write(work.buffers, onlyMissing: true)
    try pipeline.finish()
    if !grows, work.buffers.isEmpty { meter.note(committed: meter.writtenByteCount) }
    return dataset
  }

  /// The chunks that the array used to end in the middle of, as a box of the grown array.
  private func cutChunks(of old: ChunkGrid) -> Selection? {
    guard let length = old.arrayShape.first, let step = old.chunkShape.first, length % step != 0,
      let grown = plan.shape.first
    else { return nil }
    let start = length - length % step
    let end = Swift.min(Checked.add(start, step) ?? .max, grown)
    return Selection([start..<end] + Selection(all: plan.shape).bounds.dropFirst())
  }

  /// Which buffers of this process's share have chunks that nobody wrote.
  private func remainingWork(
    _ dataset: Store.Dataset, _ edge: Selection?
  ) throws(HyperslabError) -> RemainingWork {
    var work = RemainingWork()
    for position in share {
      let selection = plan[position]
      try dataset.checkStored(in: selection)
      var isMissing = false
      for chunk in dataset.grid.chunks(touching: selection) {
        let box = dataset.grid.selection(of: chunk)
        if let edge, edge.contains(box) { continue }
        if try dataset.state(of: chunk) == .neverWritten {
          isMissing = true
        } else {
          work.writtenByteCount += byteCount(of: box)
        }
      }
      if isMissing { work.buffers.append(selection) }
    }
    return work
  }

  private struct RemainingWork {
    var buffers: [Selection] = []
    var writtenByteCount = 0
  }

  /// Trusts a source that says it is the same; looks at everything written otherwise.
  private func checkSource(_ dataset: Store.Dataset) throws(HyperslabError) {
    let stored = dataset.description.sourceFingerprint
    let found = source.fingerprint
    if let stored, stored == found, plan.shape == dataset.grid.arrayShape { return }
    if !options.resume, let stored, let found, stored != found {
      throw HyperslabError(
        .resumeMismatch, "the data set is being written from other data", at: "\(path)",
        expected: stored, found: found,
        remedy: "Give all parts the same source, or add --resume to have the values compared")
    }
    let whole = Selection(all: dataset.grid.arrayShape)
    let comparison = SourceComparison(
      dataset: dataset, threads: options.threadCount)
    var buffers: [Selection] = []
    for position in share {
      let selection = plan[position].intersection(whole)
      if try comparison.isWritten(anywhereIn: selection) { buffers.append(selection) }
    }
    try feed.forEach(buffers) { selection, bytes, layout throws(HyperslabError) in
      try comparison.check(selection, bytes, layout)
    }
  }

  // MARK: - Bytes

  private var byteCount: Int {
    if options.part == nil { return plan.totalByteCount ?? .max }
    return share.reduce(0) { $0 + byteCount(of: plan[$1]) }
  }

  private func byteCount(of selection: Selection) -> Int {
    Checked.product(selection.shape.axes + [plan.dataType.byteCount]) ?? 0
  }
}
