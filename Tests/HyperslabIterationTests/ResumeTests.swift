import HyperslabCore
import HyperslabIteration
import Synchronization
import Testing

@Suite("Resuming")
struct ResumeTests {
  /// A random array, its plan, and where its write breaks off.
  struct Case {
    var source: BytesSource
    let chunk: Shape
    let buffer: Shape
    let breakAt: Int

    init(rank: Int, seed: UInt64) {
      var random = SplitMix(state: seed &* 977)
      let type = DataType.allCases.randomElement(using: &random) ?? .int16
      let shape = Shape((0..<rank).map { _ in Int.random(in: 1...9, using: &random) })
      source = BytesSource(shape: shape, type: type, seed: seed)
      chunk = Shape(shape.map { Int.random(in: 1...$0, using: &random) })
      buffer = Shape(
        zip(shape, chunk).map { min(Int.random(in: 1...2, using: &random), $0 / $1) * $1 })
      let grid = zip(shape, chunk).map { $0.dividedRoundedUp(by: $1) }
      breakAt = Int.random(in: 0..<grid.reduce(1, *), using: &random)
    }

    func iterator() throws -> GenericDataChunkIterator<BytesSource> {
      try GenericDataChunkIterator(source, bufferShape: buffer, chunkShape: chunk)
    }
  }

  /// Counts how often each chunk was written, and stops at one of the writes.
  final class ChunkLog: Sendable {
    private let writes = Mutex<[ChunkIndex: Int]>([:])
    private let stop: Int
    private let action: @Sendable () throws(HyperslabError) -> Void

    init(
      stop: Int = .max,
      _ action: @escaping @Sendable () throws(HyperslabError) -> Void = {
        () throws(HyperslabError) in throw HyperslabError(.closed, "the disk is gone")
      }
    ) {
      self.stop = stop
      self.action = action
    }

    func add(_ chunk: ChunkIndex) throws(HyperslabError) {
      let count = writes.withLock { $0.values.reduce(0, +) }
      if count == stop { try action() }
      writes.withLock { $0[chunk, default: 0] += 1 }
    }
    var counts: [ChunkIndex: Int] { writes.withLock { $0 } }
  }

  @Test(arguments: 0...5)
  func aWriteThatBrokeOffIsCompleted(rank: Int) throws {
    for seed in 0..<40 {
      var job = Case(rank: rank, seed: UInt64(rank * 100 + seed))
      job.source.fingerprint = seed % 2 == 0 ? "the same" : nil
      let cancellation = Cancellation()
      let log =
        seed % 3 == 0
        ? ChunkLog(stop: job.breakAt) { cancellation.cancel() } : ChunkLog(stop: job.breakAt)
      var store = WatchedStore(onChunk: { chunk throws(HyperslabError) in try log.add(chunk) })
      var options = WriteOptions(threads: 1, cancellation: cancellation)
      let failure = Result {
        try store.write(try job.iterator(), to: "x", options: options)
      }
      if case .success = failure { #expect(seed % 3 == 0) }

      let rest = ChunkLog()
      store.onChunk = { chunk throws(HyperslabError) in try rest.add(chunk) }
      options = WriteOptions(resume: true)
      let dataset = try store.write(try job.iterator(), to: "x", options: options)
      #expect(try dataset.readBytes().bytes == job.source.bytes, "rank \(rank), seed \(seed)")
      let all = log.counts.merging(rest.counts, uniquingKeysWith: +)
      #expect(all.count == dataset.grid.chunkCount)
      #expect(all.values.allSatisfy { $0 == 1 }, "no chunk is written twice")
    }
  }

  @Test func nothingIsReadOrCommittedWhereNothingIsMissing() throws {
    let commits = CommitCounter()
    let store = WatchedStore(onCommit: { commits.add() })
    for fingerprint in ["a", nil] {
      var source = BytesSource(shape: [6, 4], type: .int16)
      source.fingerprint = fingerprint
      let path = fingerprint ?? "without"
      func iterator() throws -> GenericDataChunkIterator<BytesSource> {
        try GenericDataChunkIterator(source, bufferShape: [2, 4], chunkShape: [2, 2])
      }
      try store.write(try iterator(), to: path)
      let before = commits.value
      source.ledger = Ledger()
      let log = ReportLog()
      try store.write(
        try iterator(), to: path, options: WriteOptions(resume: true),
        progress: { log.add($0) })
      #expect(commits.value == before)
      // Without a fingerprint the values are compared, once.
      #expect(source.ledger.readCount == (fingerprint == nil ? 3 : 0))
      #expect(log.reports.last?.skippedByteCount == 48)
      #expect(log.reports.last?.fractionCompleted == 1)
    }
  }

  @Test func whatIsThereCountsAsCommittedFromTheStart() throws {
    let source = BytesSource(shape: [10], type: .int8)
    let log = ChunkLog(stop: 3)
    var store = WatchedStore(onChunk: { chunk throws(HyperslabError) in try log.add(chunk) })
    func iterator() throws -> GenericDataChunkIterator<BytesSource> {
      try GenericDataChunkIterator(source, bufferShape: [2], chunkShape: [2])
    }
    #expect(throws: HyperslabError.self) {
      try store.write(try iterator(), to: "x", options: WriteOptions(threads: 1))
    }
    store.onChunk = { _ in }
    let reports = ReportLog()
    try store.write(
      try iterator(), to: "x", options: WriteOptions(resume: true), progress: { reports.add($0) })
    let all = reports.reports
    #expect(all.map(\.committedByteCount) == [8, 10])
    #expect(all.allSatisfy { $0.skippedByteCount == 6 && $0.totalByteCount == 10 })
  }

  @Test func anotherSourceIsToldByTheFirstValueThatDiffers() throws {
    let store = MemoryStore()
    var values = [Int32](0..<24)
    func write(_ options: WriteOptions) throws {
      let source = try InMemorySource(elements: values, shape: [6, 4])
      try store.write(
        try GenericDataChunkIterator(source, bufferShape: [4, 4], chunkShape: [2, 2]), to: "x",
        options: options)
    }
    try write(WriteOptions())
    values[14] = -5
    values[21] = -6
    let refusal = #expect(throws: HyperslabError.self) { try write(WriteOptions(resume: true)) }
    #expect(refusal?.code == .resumeMismatch)
    #expect(
      refusal?.description
        == "x: element [3, 2] was written from other data; expected 14, as stored, found -5. "
        + "Give the source that the write was begun with, or write under another name")
    values[14] = 14
    values[21] = 21
    try write(WriteOptions(resume: true))
  }

  @Test func everyDifferentSettingIsListed() throws {
    let store = MemoryStore()
    let source = try InMemorySource(elements: [Int16](0..<24), shape: [6, 4])
    let stored = WriteOptions(
      fillValue: FillValue(Int16(7)), dimensionNames: ["t", nil], unit: "mV",
      attributes: ["rate": 1, "who": "me"], compression: Compression(filter: .shuffle, level: 3),
      maximumShape: [nil, 4])
    try store.write(
      try GenericDataChunkIterator(source, chunkShape: [2, 2]), to: "x", options: stored)
    // What is left out is taken as it is.
    try store.write(
      try GenericDataChunkIterator(source), to: "x", options: WriteOptions(resume: true))

    let other = try InMemorySource(elements: [Float](repeating: 0, count: 20), shape: [5, 4])
    let asked = WriteOptions(
      fillValue: FillValue(Float(1)), dimensionNames: ["t", "x"], unit: "V",
      attributes: ["rate": 2, "new": nil],
      compression: Compression(filter: Filter.none, level: 4, delta: 1),
      maximumShape: [9, 4], resume: true)
    let refusal = #expect(throws: HyperslabError.self) {
      try store.write(
        try GenericDataChunkIterator(other, chunkShape: [5, 2]), to: "x", options: asked)
    }
    #expect(refusal?.code == .resumeMismatch)
    let list = refusal?.what.split(separator: "(stored → asked): ").last.map(String.init)
    #expect(
      list?.components(separatedBy: "; ") == [
        "shape: (6, 4) → (5, 4)", "dtype: int16 → float32", "chunk_shape: (2, 2) → (5, 2)",
        "max_shape: (?, 4) → (9, 4)", "fill_value: 7 → 1.0", "filter: shuffle → none",
        "delta: none → axis 1", "level: 3 → 4", "dims: t,- → t,x", "unit: mV → V",
        "attribute new: none → null",
        "attribute rate: 1 → 2",
      ])
    #expect(refusal?.remedy != nil)
  }

  @Test func aChunkThatMayBeHalfWrittenIsNotTrusted() throws {
    var source = BytesSource(shape: [12], type: .int8)
    source.fingerprint = "the same"
    let log = ChunkLog(stop: 1)
    var store = WatchedStore(onChunk: { chunk throws(HyperslabError) in try log.add(chunk) })
    let options = WriteOptions(chunkShape: [6], threads: 1)
    #expect(throws: HyperslabError.self) {
      try store.write(
        try GenericDataChunkIterator(source, bufferShape: [4], chunkShape: [4]), to: "x",
        options: options)
    }
    store.onChunk = { _ in }
    var resuming = options
    resuming.resume = true
    let refusal = #expect(throws: HyperslabError.self) {
      try store.write(
        try GenericDataChunkIterator(source, bufferShape: [4], chunkShape: [4]), to: "x",
        options: resuming)
    }
    #expect(refusal?.code == .resumeMismatch)
  }

  @Test(arguments: [[], [24], [2, 3, 4], [6, 4, 1, 1]] as [Shape])
  func anotherRankIsAnotherShape(shape: Shape) throws {
    let store = MemoryStore()
    let source = BytesSource(shape: [6, 4], type: .int8)
    try store.write(try GenericDataChunkIterator(source, chunkShape: [2, 2]), to: "x")
    let other = BytesSource(shape: shape, type: .int8)
    for bufferShape in [nil, shape] {
      for options in [WriteOptions(resume: true), WriteOptions(part: try WritePart(0, of: 2))] {
        let refusal = #expect(throws: HyperslabError.self) {
          try store.write(
            try GenericDataChunkIterator(other, bufferShape: bufferShape), to: "x",
            options: options)
        }
        #expect(refusal?.code == .resumeMismatch)
      }
    }
  }

  // MARK: - Growing sources

  @Test(arguments: 1...4)
  func aSourceThatGrewIsFollowed(rank: Int) throws {
    for seed in 0..<40 {
      let job = Case(rank: rank, seed: UInt64(rank * 1000 + seed))
      var random = SplitMix(state: UInt64(seed))
      let store = MemoryStore()
      var box = Selection(all: job.source.shape).bounds
      var length = 0
      while length < job.source.shape[0] {
        length = Int.random(in: length + 1...job.source.shape[0], using: &random)
        box[0] = 0..<length
        let part = try job.source.part(Selection(box))
        // The usual chunk shape differs from length to length; the stored one counts.
        let options = WriteOptions(
          maximumShape: [nil] + job.source.shape.dropFirst().map { $0 }, resume: true)
        let dataset = try store.write(
          try GenericDataChunkIterator(part), to: "x", options: options)
        #expect(dataset.grid.arrayShape == part.shape)
        #expect(try dataset.readBytes().bytes == part.bytes, "rank \(rank), seed \(seed)")
      }
    }
  }

  @Test func aSourceThatShrankOrOutgrewItsLimitIsRefused() throws {
    let store = MemoryStore()
    func write(_ count: Int, _ maximum: Int) throws {
      let source = try InMemorySource(elements: [Int8](repeating: 1, count: count), shape: [count])
      try store.write(
        try GenericDataChunkIterator(source, chunkShape: [2]), to: "x",
        options: WriteOptions(maximumShape: [maximum], resume: true))
    }
    try write(5, 8)
    try write(8, 8)
    for (count, text) in [
      (7, "shape: (8,) → (7,)"), (9, "shape: (8,) → (9,), beyond max_shape (8,)"),
    ] {
      let refusal = #expect(throws: HyperslabError.self) { try write(count, max(count, 8)) }
      #expect(refusal?.code == .resumeMismatch)
      #expect(refusal?.what.contains(text) ?? false, "\(String(describing: refusal))")
    }
  }
}

extension Int {
  fileprivate func dividedRoundedUp(by divisor: Int) -> Int { (self + divisor - 1) / divisor }
}
