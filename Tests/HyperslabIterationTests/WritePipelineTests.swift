import HyperslabCore
import HyperslabIteration
import Synchronization
import Testing

@Suite("Writing")
struct WritePipelineTests {
  /// A random array with a random plan, written in a random way.
  struct Job {
    let source: BytesSource
    let chunkShape: Shape
    let bufferShape: Shape
    var options = WriteOptions()

    init(rank: Int, seed: UInt64) {
      var random = SplitMix(state: seed)
      let type = DataType.allCases.randomElement(using: &random) ?? .int16
      let shape = Shape((0..<rank).map { _ in Int.random(in: 0...7, using: &random) })
      source = BytesSource(shape: shape, type: type, seed: seed)
      let chunk = shape.map { Int.random(in: 1...max(1, $0), using: &random) }
      chunkShape = Shape(chunk)
      bufferShape = Shape(
        zip(shape, chunk).map { length, chunk in
          let count = Int.random(in: 1...3, using: &random)
          return count == 3 ? max(length, 1) : min(count, max(length, 1) / chunk) * chunk
        })
      options.threads = Int.random(in: 1...3, using: &random)
      options.commit =
        [.everyBuffer, .atEnd, .interval(seconds: 0)].randomElement(using: &random) ?? .atEnd
      options.fillValue = try? FillValue(
        bytes: (0..<type.byteCount).map { _ in type == .bool ? 1 : 7 }, dataType: type)
      if Bool.random(using: &random) {
        options.chunkShape = Shape(shape.map { Int.random(in: 1...max(1, $0), using: &random) })
      }
      if Bool.random(using: &random) {
        // One buffer or two.
        let byteCount = (bufferShape.elementCount ?? 0) * type.byteCount
        options.memoryByteCount = byteCount * Int.random(in: 1...2, using: &random)
      }
    }

    func write<Source: DataChunkSource>(_ source: Source) throws -> [UInt8] {
      let iterator = try GenericDataChunkIterator(
        source, bufferShape: bufferShape, chunkShape: chunkShape)
      let dataset = try MemoryStore().write(iterator, to: "a/b", options: options)
      #expect(dataset.description.chunkShape == options.chunkShape ?? chunkShape)
      for chunk in dataset.grid.chunks {
        #expect(try dataset.state(of: chunk) != .neverWritten)
      }
      let (bytes, shape) = try dataset.readBytes()
      #expect(shape == source.shape)
      return bytes
    }
  }

  @Test(arguments: 0...6)
  func whatIsWrittenIsTheSource(rank: Int) throws {
    for seed in 0..<60 {
      let job = Job(rank: rank, seed: UInt64(rank * 1000 + seed))
      #expect(try job.write(job.source) == job.source.bytes, "rank \(rank), seed \(seed)")
    }
  }

  @Test(arguments: 0...6)
  func lentMemoryIsWrittenFromWhereItLies(rank: Int) throws {
    for seed in 0..<30 {
      let job = Job(rank: rank, seed: UInt64(rank * 1000 + seed))
      let source = job.source
      try source.bytes.withUnsafeBytes { memory in
        let lent = try RawMemorySource(bytes: memory, shape: source.shape, dataType: source.type)
        #expect(try job.write(lent) == source.bytes, "rank \(rank), seed \(seed)")
      }
    }
  }

  @Test func stridedMemoryIsWrittenInItsLogicalOrder() throws {
    let shape: Shape = [5, 4, 3]
    let elements = [Int32](0..<60)
    try elements.withUnsafeBytes { memory in
      let source = try RawMemorySource(
        bytes: memory, shape: shape, dataType: .int32,
        layout: .columnMajor(shape, elementByteCount: 4))
      let iterator = try GenericDataChunkIterator(
        source, bufferShape: [4, 2, 3], chunkShape: [2, 2, 2])
      let array = try MemoryStore().write(iterator, to: "x").read(Int32.self)
      for (i, j, k) in [(0, 0, 0), (1, 0, 0), (4, 3, 2), (2, 1, 0)] {
        #expect(array[i, j, k] == Int32(i + 5 * j + 20 * k))
      }
    }
  }

  /// Four where rows are shorter than 4 KiB, more where they share lines of the cache.
  @Test(arguments: 1...5)
  func neighboursWithShortRowsAreWrittenTogether(threads: Int) throws {
    let cases = [
      (columns: 97, width: 1, most: 16), (97, 3, 16), (97, 10, 6), (97, 31, 4), (97, 32, 4),
      (97, 97, 1), (5000, 2047, 4), (5000, 2048, 1),
    ]
    for (columns, width, most) in cases {
      for rows in [5, 16, 40] {
        let groups = Mutex<[[ChunkIndex]]>([])
        let store = WatchedStore(onTogether: { group in groups.withLock { $0.append(group) } })
        let source = BytesSource(shape: [40, columns], type: .int16)
        let iterator = try GenericDataChunkIterator(
          source, bufferShape: [40, columns], chunkShape: [rows, width])
        let dataset = try store.write(iterator, to: "x", options: WriteOptions(threads: threads))
        #expect(try dataset.readBytes().bytes == source.bytes)
        let written = groups.withLock { $0 }
        let all = written.joined().map(\.coordinates).sorted { $0.lexicographicallyPrecedes($1) }
        #expect(all == dataset.grid.chunks.map(\.coordinates), "each once")
        for group in written {
          #expect(group.count <= most)
          for (one, next) in zip(group, group.dropFirst()) {
            #expect(next == [one.coordinates[0], one.coordinates[1] + 1])
          }
        }
        #expect(written.count >= min(threads, dataset.grid.chunkCount), "work for every thread")
        let isTogether = written.contains { $0.count > 1 }
        #expect(most == 1 ? !isTogether : threads > 1 || isTogether, "\(width)")
      }
    }
  }

  @Test func arraysOfValuesAreWritten() throws {
    let iterator = try GenericDataChunkIterator(
      RampSource(shape: [9, 5, 2]), bufferShape: [4, 5, 2], chunkShape: [2, 3, 2])
    let array = try MemoryStore().write(iterator, to: "ramp").read(Int32.self)
    #expect(array.elements == [Int32](0..<90))
  }

  @Test func theDescriptionComesFromTheIteratorAndTheOptions() throws {
    let iterator = try GenericDataChunkIterator(RampSource(shape: [9, 5]), chunkShape: [3, 5])
    var options = WriteOptions(
      fillValue: FillValue(Int32(-1)), dimensionNames: ["t", nil], unit: "mV",
      attributes: ["rate": 30_000], compression: Compression(filter: .shuffle, level: 3))
    let plain = try MemoryStore().write(iterator, to: "d", options: options).description
    #expect(plain.shape == [9, 5])
    #expect(plain.maximumShape == [9, 5])
    #expect(plain.dataType == .int32)
    #expect(plain.chunkShape == [3, 5])
    #expect(plain.fillValue == FillValue(Int32(-1)))
    #expect(plain.dimensionNames == ["t", nil])
    #expect(plain.unit == "mV")
    #expect(plain.attributes == ["rate": 30_000])
    #expect(plain.compression == Compression(filter: .shuffle, level: 3))
    options.maximumShape = [nil, 5]
    #expect(
      try MemoryStore().write(iterator, to: "d", options: options).description.maximumShape
        == [nil, 5])
  }

  @Test func commitsFollowThePolicy() throws {
    let iterator = try GenericDataChunkIterator(
      RampSource(shape: [10, 2]), bufferShape: [2, 2], chunkShape: [2, 2])
    for (policy, expected) in [
      (CommitPolicy.everyBuffer, 5), (.atEnd, 1), (.interval(seconds: 0), 5),
      (.interval(seconds: 1e9), 1),
    ] {
      let count = CommitCounter()
      let store = WatchedStore(onCommit: { count.add() })
      try store.write(iterator, to: "x", options: WriteOptions(commit: policy))
      #expect(count.value == expected)
    }
  }

  @Test func emptyArraysAreCreatedAndCommitted() throws {
    let count = CommitCounter()
    let store = WatchedStore(onCommit: { count.add() })
    let iterator = try GenericDataChunkIterator(
      InMemorySource(elements: [Float](), shape: [0, 4]))
    let dataset = try store.write(iterator, to: "empty")
    #expect(dataset.grid.chunkCount == 0)
    #expect(count.value == 1)
  }

  @Test func writingDoesNotDependOnNext() throws {
    let iterator = try GenericDataChunkIterator(
      RampSource(shape: [6]), bufferShape: [2], chunkShape: [2])
    _ = try iterator.next()
    for name in ["first", "second"] {
      let array = try MemoryStore().write(iterator, to: name).read(Int32.self)
      #expect(array.elements == [Int32](0..<6))
    }
    #expect(iterator.progress.completedBufferCount == 1)
  }

  @Test func progressNeverFallsAndEndsAtTheTotal() throws {
    let iterator = try GenericDataChunkIterator(
      BytesSource(shape: [40, 5], type: .float64), bufferShape: [8, 5], chunkShape: [2, 5])
    for policy in [CommitPolicy.everyBuffer, .atEnd] {
      let log = ReportLog()
      try MemoryStore().write(
        iterator, to: "x", options: WriteOptions(commit: policy), progress: { log.add($0) })
      let all = log.reports
      #expect(all.count >= (policy == .everyBuffer ? 5 : 1))
      for (a, b) in zip(all, all.dropFirst()) {
        #expect(a.committedByteCount <= b.committedByteCount)
        #expect(a.writtenByteCount <= b.writtenByteCount)
        #expect(a.elapsed <= b.elapsed)
      }
      #expect(all.allSatisfy { $0.committedByteCount <= $0.writtenByteCount })
      #expect(all.last?.committedByteCount == 1600)
      #expect(all.last?.totalByteCount == 1600)
      #expect(all.last?.fractionCompleted == 1)
      #expect(all.last?.remaining == .zero)
    }
  }

  @Test func inTheBackgroundTheSameIsWritten() async throws {
    let source = BytesSource(shape: [31, 9], type: .int16)
    let iterator = try GenericDataChunkIterator(
      source, bufferShape: [8, 9], chunkShape: [4, 3])
    let dataset = try await MemoryStore().writeInBackground(iterator, to: "x")
    #expect(try dataset.readBytes().bytes == source.bytes)
  }
}

/// Counts from any thread.
final class CommitCounter: Sendable {
  private let count = Atomic<Int>(0)
  func add() { count.wrappingAdd(1, ordering: .relaxed) }
  var value: Int { count.load(ordering: .relaxed) }
}

/// Keeps reports from any thread.
final class ReportLog: Sendable {
  private let log = Mutex<[WriteProgress]>([])
  func add(_ report: WriteProgress) { log.withLock { $0.append(report) } }
  var reports: [WriteProgress] { log.withLock { $0 } }
}
