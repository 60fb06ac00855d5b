import HyperslabCore

/// One call of `append`: grows a data set along an axis, step by step, each step committed whole.
struct AppendJob<Store: ChunkedStore, Source: DataChunkSource> {
  let store: Store
  let source: Source
  let path: NodePath
  let axis: Int
  let options: WriteOptions
  let progress: (@Sendable (WriteProgress) -> Void)?
  /// The source's, looked at once: one that changes would be another each time.
  private let appended: Shape
  /// How much of the source the commits of this call hold.
  private var committedCount = 0
  /// The data set as the last of them left it.
  private var committed: Store.Dataset?

  init(
    _ store: Store, _ source: Source, _ path: NodePath, axis: Int, _ options: WriteOptions,
    _ progress: (@Sendable (WriteProgress) -> Void)?
  ) {
    self.store = store
    self.source = source
    appended = source.shape
    self.path = path
    self.axis = axis
    self.options = options
    self.progress = progress
  }

  mutating func run() throws(HyperslabError) {
    try options.validate()
    do throws(HyperslabError) {
      try appendAll()
    } catch {
      var error = error.located(at: "\(path)")
      if committedCount > 0 {
        let stays = (try? hasCommitted()) ?? false
        error.remedy =
          "\(committedCount) of \(appended[axis]) along axis \(axis) were appended and "
          + (stays
            ? "stay; append only the rest"
            : "committed, and are gone with what was replaced, removed, cut shorter or put back since; "
              + "append all again if it belongs to what is there now")
      }
      throw error
    }
  }

  /// Appends what is not committed yet, again after what another process appended first: order helps.
  private mutating func appendAll() throws(HyperslabError) {
    var conflicts = 0
    while true {
      do throws(HyperslabError) {
        let dataset = try store.dataset(path)
        try check(dataset)
        return try append(to: dataset)
      } catch {
        conflicts += 1
        guard error.code == .conflict, conflicts < Self.mostConflicts else { throw error }
        try store.reload(after: error)
      }
      try checkCommitted()
    }
  }

  /// The rest of a source goes behind its beginning, and nowhere else.
  private func checkCommitted() throws(HyperslabError) {
    guard committedCount > 0, try !holdsCommitted(store.dataset(path)) else { return }
    throw HyperslabError(
      .conflict, "another writer replaced the data set or cut it shorter", at: "\(path)")
  }

  private func hasCommitted() throws(HyperslabError) -> Bool {
    try store.reload()
    return holdsCommitted(try store.dataset(path))
  }

  /// Whether a data set is the one that was appended to, and reaches as far as it did then.
  private func holdsCommitted(_ dataset: Store.Dataset) -> Bool {
    guard let committed else { return true }
    return dataset.isSame(as: committed)
      && dataset.grid.arrayShape[axis] >= committed.grid.arrayShape[axis]
  }

  /// Whoever meets a conflict so often in turn gives up: each time others got on.
  private static var mostConflicts: Int { 1000 }

  // MARK: - Checks

  private func check(_ dataset: Store.Dataset) throws(HyperslabError) {
    guard !options.resume, options.part == nil else {
      throw HyperslabError(
        .invalidValue, "an append that resumes or is one of several parts", at: "\(path)",
        remedy: "Append what is missing")
    }
    let shape = dataset.grid.arrayShape
    guard axis >= 0, axis < shape.rank else {
      throw HyperslabError(
        .invalidShape, "axis \(axis) of a data set of shape \(shape)", at: "\(path)",
        expected: shape.isEmpty ? "at least one axis" : "0 to \(shape.rank - 1)")
    }
    var expected = shape.axes
    if appended.rank == shape.rank { expected[axis] = appended[axis] }
    guard appended.axes == expected, appended[axis] >= 0 else {
      throw HyperslabError(
        .invalidShape, "appending an array of shape \(appended)", at: "\(path)",
        expected: "the shape \(shape) but for axis \(axis)")
    }
    guard source.dataType == dataset.description.dataType else {
      throw HyperslabError(
        .typeMismatch, "appending elements of another type", at: "\(path)",
        expected: "\(dataset.description.dataType)", found: "\(source.dataType)",
        remedy: "Convert them first")
    }
    // A store of others may describe fewer axes than there are.
    let limits = dataset.description.maximumShape
    let limit = limits.indices.contains(axis) ? limits[axis] ?? Int.max : shape[axis]
    guard let total = Checked.add(shape[axis], appended[axis] - committedCount), total <= limit
    else {
      throw HyperslabError(
        .invalidShape, "appending \(appended[axis]) to the \(shape[axis]) along axis \(axis)",
        at: "\(path)",
        expected: limit == .max
          ? "less than 2^63 in all" : "at most \(limit) in all, the maximum shape",
        remedy: limit == .max
          ? nil : "Create the data set with a maximum shape that leaves room (maximumShape)")
    }
    try checkLastChunks(dataset)
  }

  /// Completing a chunk would make values up for what nobody wrote in it.
  private func checkLastChunks(_ dataset: Store.Dataset) throws(HyperslabError) {
    let shape = dataset.grid.arrayShape
    guard shape[axis] % dataset.grid.chunkShape[axis] != 0, appended[axis] > 0,
      !shape.isEmptyArray
    else { return }
    var bounds = Selection(all: shape).bounds
    bounds[axis] = shape[axis] - 1..<shape[axis]
    for chunk in dataset.grid.chunks(touching: Selection(bounds))
    where try dataset.state(of: chunk) == .neverWritten {
      throw HyperslabError(
        .neverWritten, "never written, so that nothing can be appended to it", at: "\(path)",
        chunk: chunk, remedy: "Finish writing the data set first (resume)")
    }
  }

  // MARK: - Work

  private mutating func append(to dataset: Store.Dataset) throws(HyperslabError) {
    let done = committedCount
    let old = dataset.grid.arrayShape[axis]
    let count = appended[axis] - done
    if count == 0 { return }
    // What the last chunk along the axis holds; its other part is the first to be written.
    let tail = old % dataset.grid.chunkShape[axis]
    let plan = try plan(dataset, axisLength: tail + count)
    let reader = SourceReader(source: source, dataType: source.dataType)
    let first = step(0, of: plan, tail, after: done).buffers.first
    let depth =
      try reader.lendsMemory(first)
      ? nil : MemoryBudget(plan, options.memoryByteCount).bufferDepth()
    var origin = Array(repeating: 0, count: appended.rank)
    origin[axis] = old - done
    let (store, path, cancellation) = (store, path, options.cancellation)
    let meter = ProgressMeter(total: byteCount, observer: progress)
    let feed = BufferFeed(
      reader: reader, depth: depth, chunkShape: dataset.grid.chunkShape, origin: origin,
      pieceByteCount: options.pieceByteCount, leastRunByteCount: options.leastRunByteCount,
      checkCancelled: { () throws(HyperslabError) in try checkCancelled(cancellation, at: path) })
    func writer(_ dataset: Store.Dataset) -> BufferWriter<Store.Dataset> {
      BufferWriter(
        dataset: dataset, threads: options.threadCount,
        cancellation: cancellation, meter: meter)
    }
    var pipeline = WritePipeline(
      feed: feed, writer: writer(dataset), policy: options.commit, hasUncommitted: false,
      beginCommit: store.beginCommit(completion:))
    var dataset = dataset
    for number in 0..<plan.bufferGrid[axis] {
      let step = step(number, of: plan, tail, after: done)
      // No further than what the commit writes: whoever kills it leaves a shorter data set.
      var shape = dataset.grid.arrayShape.axes
      shape[axis] = old - done + step.end
      try checkUnchanged(dataset)
      dataset = try store.resizeDataset(path, to: Shape(shape))
      guard dataset.grid.arrayShape.axes == shape else {
        throw HyperslabError(
          .unsupported, "the store did not resize the data set", at: "\(path)",
          expected: "\(Shape(shape))", found: "\(dataset.grid.arrayShape)")
      }
      pipeline.writer = writer(dataset)
      pipeline.hasUncommitted = true
      try pipeline.write(step.buffers, at: origin, together: true)
      try pipeline.commitIfDue()
      if !pipeline.hasUncommitted { (committedCount, committed) = (step.end, dataset) }
    }
    try pipeline.finish()
    (committedCount, committed) = (appended[axis], dataset)
  }

  /// A store without commits tells in no other way that somebody else changed the data set's shape.
  private func checkUnchanged(_ dataset: Store.Dataset) throws(HyperslabError) {
    let current = try store.dataset(path)
    guard current.isSame(as: dataset), current.grid.arrayShape == dataset.grid.arrayShape else {
      throw HyperslabError(.conflict, "another writer changed the data set's shape", at: "\(path)")
    }
  }

  /// How the last chunks along the axis and everything new are walked.
  private func plan(
    _ dataset: Store.Dataset, axisLength: Int
  ) throws(HyperslabError) -> BufferPlan {
    var region = dataset.grid.arrayShape.axes
    region[axis] = axisLength
    let chunk = zip(dataset.grid.chunkShape, region).map { Swift.min($0, Swift.max($1, 1)) }
    let gigabytes =
      options.memoryByteCount.map { Swift.min(Swift.max(Double($0), 1) / 1e9, 1) } ?? 1
    return try BufferPlan(
      shape: Shape(region), dataType: source.dataType, bufferGB: gigabytes,
      chunkShape: Shape(chunk))
  }

  /// One step along the axis: where it ends, and its buffers, both counted in the source.
  private struct Step {
    var end: Int
    var buffers: [Selection]
  }

  /// - Parameter done: How much of the source was appended before.
  private func step(_ number: Int, of plan: BufferPlan, _ tail: Int, after done: Int) -> Step {
    let start = number * plan.bufferShape[axis]
    let length = Swift.min(plan.bufferShape[axis], plan.shape[axis] - start)
    let range = done + Swift.max(start - tail, 0)..<done + start + length - tail
    let buffers = plan.buffers(ofStep: number, along: axis).map { selection in
      var bounds = selection.bounds
      bounds[axis] = range
      return Selection(bounds)
    }
    return Step(end: range.upperBound, buffers: buffers)
  }

  private var byteCount: Int {
    Checked.product(appended.axes + [source.dataType.byteCount]) ?? .max
  }
}

extension BufferPlan {
  /// The buffers whose position along an axis is the given one.
  func buffers(ofStep step: Int, along axis: Int) -> [Selection] {
    let length = bufferGrid[axis]
    let inner = bufferGrid[(axis + 1)...].reduce(1, *)
    return (0..<(length == 0 ? 0 : count / length)).map { number in
      self[(number / inner * length + step) * inner + number % inner]
    }
  }
}
