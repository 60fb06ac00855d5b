public import HyperslabCore

/// When a write makes what it has written permanent. Commits are made one after the other, each while the
/// next buffer is encoded. Small buffers that end before the commit in progress does, 16 MiB of them at most,
/// share the next one; none waits for a source that takes its time.
public enum CommitPolicy: Hashable, Sendable {
  /// After every buffer: a crash costs at most that one and the next, or a few small ones.
  case everyBuffer
  /// After the first buffer that ends so many seconds after the last commit, and at the end.
  case interval(seconds: Double)
  /// Once, at the end: all or nothing.
  case atEnd
}

/// What is said of a write beside the data themselves.
public struct WriteOptions: Sendable {
  /// What reads where nothing was stored; 0 when not given.
  public var fillValue: FillValue?
  /// The axes' names; nil for an axis without one.
  public var dimensionNames: [String?]?
  /// The unit of the values.
  public var unit: String?
  /// Anything else worth knowing, as JSON.
  public var attributes: JSONObject
  /// How the store should compress.
  public var compression: Compression
  /// Another chunk shape than the iterator's, as `H5DataIO(chunks=…)`; buffers that cover such
  /// chunks only partly cost a read and a second write of them, and are committed once, at the end: a
  /// chunk that is half there must not pass for a whole one.
  public var chunkShape: Shape?
  /// How far each axis may grow, nil without limit; what the iterator's plan says when not given. Chunks
  /// whose shape is not given are then those of the grown array.
  public var maximumShape: [Int?]?
  /// When to commit.
  public var commit: CommitPolicy
  /// Continues the data set that is there, if one is: what it holds is left alone, what is missing
  /// is written, and where the source has become longer along axis 0, so does the data set.
  public var resume: Bool
  /// The share of the buffers to write, where several processes write one data set together.
  public var part: WritePart?
  /// Above how many bytes a buffer of a file is read in pieces; smaller ones leave threads without work at
  /// the end of each.
  package var pieceByteCount = 32 << 20
  /// How long the runs of a file must be at least for its chunks to be encoded while they are read: each
  /// costs a call.
  package var leastRunByteCount = 2048
  /// More are never at work.
  private static let mostThreads = 1024
  var threadCount: Int { Swift.min(threads ?? Machine.processorCount, Self.mostThreads) }

  /// How many threads encode chunks; all active cores when not given.
  public var threads: Int?
  /// The bytes that buffers may take, all in flight together; a write whose single buffer is larger
  /// is refused. When not given, the iterator's buffer limit (1 GB for an explicit buffer shape), but
  /// at least one buffer. Lent memory does not count.
  public var memoryByteCount: Int?
  /// Ends the write when cancelled; so does cancelling the task that calls.
  public var cancellation: Cancellation?

  /// Options, each with its usual value.
  public init(
    fillValue: FillValue? = nil, dimensionNames: [String?]? = nil, unit: String? = nil,
    attributes: JSONObject = [:], compression: Compression = Compression(),
    chunkShape: Shape? = nil, maximumShape: [Int?]? = nil, commit: CommitPolicy = .everyBuffer,
    resume: Bool = false, part: WritePart? = nil, threads: Int? = nil, memoryByteCount: Int? = nil,
    cancellation: Cancellation? = nil
  ) {
    self.fillValue = fillValue
    self.dimensionNames = dimensionNames
    self.unit = unit
    self.attributes = attributes
    self.compression = compression
    self.chunkShape = chunkShape
    self.maximumShape = maximumShape
    self.commit = commit
    self.resume = resume
    self.part = part
    self.threads = threads
    self.memoryByteCount = memoryByteCount
    self.cancellation = cancellation
  }

  /// The data set that holds a plan's array: shape, maximum shape, type and chunk shape come along.
  ///
  /// - Parameter sourceFingerprint: Identifies the data; not kept where it is too long, or where a store that
  ///   keeps what failed may hold a half written chunk, which only a look at the values can find out.
  public func description(
    for plan: BufferPlan, sourceFingerprint: String? = nil
  ) -> DatasetDescription {
    let isKept =
      (sourceFingerprint?.utf8.count ?? 0) <= DatasetDescription.maximumFingerprintByteCount
      && chunksAreWhole(plan)
    return DatasetDescription(
      shape: plan.shape, chunkShape: chunkShape ?? plan.chunkShape, dataType: plan.dataType,
      maximumShape: maximumShape ?? plan.maximumShape, fillValue: fillValue,
      dimensionNames: dimensionNames, unit: unit,
      attributes: attributes, compression: compression,
      sourceFingerprint: isKept ? sourceFingerprint : nil)
  }

  /// Whether no chunk lies in two buffers.
  func chunksAreWhole(_ plan: BufferPlan) -> Bool {
    guard let chunkShape, chunkShape.rank == plan.shape.rank else { return true }
    return plan.shape.indices.allSatisfy { axis in
      plan.bufferShape[axis] >= plan.shape[axis]
        || chunkShape[axis] > 0 && plan.bufferShape[axis] % chunkShape[axis] == 0
    }
  }

  /// Refuses what cannot be, before anything is created.
  func validate() throws(HyperslabError) {
    if let threads, threads < 1 {
      throw HyperslabError(
        .invalidValue, "the number of threads", expected: "at least 1", found: "\(threads)",
        remedy: "Leave it out for all processors")
    }
    if let memoryByteCount, memoryByteCount < 0 {
      throw HyperslabError(
        .invalidValue, "the bytes that buffers may take", expected: "0 or more",
        found: "\(memoryByteCount)", remedy: "Leave it out for the usual")
    }
    if case .interval(let seconds) = commit, !(seconds >= 0) {
      throw HyperslabError(
        .invalidValue, "the seconds between commits", expected: "at least 0", found: "\(seconds)")
    }
    try attributes.checkWritable()
  }
}
