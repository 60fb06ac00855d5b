import HyperslabCore
import HyperslabIteration
import Testing

@Suite("Iterating without a store")
struct IteratorTests {
  static let source = BytesSource(shape: [13, 7], type: .int32)

  func iterator<Source: DataChunkSource>(
    _ source: Source
  ) throws -> GenericDataChunkIterator<Source> {
    try GenericDataChunkIterator(source, bufferShape: [6, 4], chunkShape: [3, 2])
  }

  /// What a selection of the source holds.
  func expected(_ selection: Selection) -> [UInt8] {
    let source = Self.source
    return selection.bounds[0].flatMap { row in
      selection.bounds[1].flatMap { column in
        source.bytes[(row * 7 + column) * 4..<(row * 7 + column + 1) * 4]
      }
    }
  }

  @Test func nextGivesEveryBufferOnce() throws {
    let iterator = try iterator(Self.source)
    var selections: [Selection] = []
    var progress = [iterator.progress.fractionCompleted]
    while let chunk = try iterator.next() {
      #expect(contents(chunk) == expected(chunk.selection))
      selections.append(chunk.selection)
      progress.append(iterator.progress.fractionCompleted)
    }
    #expect(selections == Array(iterator.plan))
    #expect(progress == progress.sorted())
    #expect(progress.last == 1)
    #expect(try iterator.next() == nil)
    iterator.reset()
    #expect(try iterator.next()?.selection == iterator.plan[0])
  }

  @Test func lentMemoryGivesTheSame() throws {
    let source = Self.source
    try source.bytes.withUnsafeBytes { memory in
      let iterator = try iterator(
        RawMemorySource(bytes: memory, shape: source.shape, dataType: source.type))
      while let chunk = try iterator.next() {
        #expect(contents(chunk) == expected(chunk.selection))
      }
      var count = 0
      try iterator.forEachBuffer { selection, bytes in
        #expect(bytes.withUnsafeBytes { Array($0) } == expected(selection))
        count += 1
      }
      #expect(count == iterator.bufferCount)
    }
  }

  @Test func forEachBufferLendsEveryBuffer() throws {
    var selections: [Selection] = []
    let iterator = try iterator(Self.source)
    try iterator.forEachBuffer { selection, bytes in
      #expect(bytes.withUnsafeBytes { Array($0) } == expected(selection))
      selections.append(selection)
    }
    #expect(selections == Array(iterator.plan))
    #expect(iterator.progress.completedBufferCount == 0)
  }

  @Test func forEachBufferPassesErrorsOfItsBodyOn() throws {
    struct Mine: Error {}
    let iterator = try iterator(Self.source)
    #expect(throws: Mine.self) { try iterator.forEachBuffer { _, _ in throw Mine() } }
  }

  @Test func asynchronousIterationGivesTheSame() async throws {
    let iterator = try iterator(Self.source)
    for _ in 0..<2 {
      var selections: [Selection] = []
      for try await chunk in iterator {
        #expect(contents(chunk) == expected(chunk.selection))
        selections.append(chunk.selection)
      }
      #expect(selections == Array(iterator.plan))
    }
  }

  @Test func asynchronousIterationEndsWithItsTask() async throws {
    let iterator = try iterator(Self.source)
    let task = Task {
      withUnsafeCurrentTask { $0?.cancel() }
      for try await _ in iterator {}
    }
    let refusal = await #expect(throws: HyperslabError.self) { try await task.value }
    #expect(refusal?.code == .cancelled)
  }

  @Test func aFailedBufferIsReadAgain() throws {
    var source = BytesSource(shape: [13, 7], type: .int32)
    source.behaviour = .throwing
    source.from = 1
    let iterator = try iterator(source)
    _ = try iterator.next()
    for _ in 0..<2 {
      let refusal = #expect(throws: HyperslabError.self) { try iterator.next() }
      #expect(refusal?.code == .sourceFailed)
      #expect(refusal?.cause is BytesSource.Failure)
      #expect(refusal?.description.contains("\(iterator.plan[1])") ?? false)
    }
    #expect(iterator.progress.completedBufferCount == 1)
  }

  // HDMF: the tutorial's subclass
  @Test func arraysOfValuesAreASource() throws {
    let iterator = try GenericDataChunkIterator(
      RampSource(shape: [5, 4]), bufferShape: [2, 4], chunkShape: [2, 2])
    #expect(try iterator.next()?.elements(as: Int32.self) == [Int32](0..<8))
    #expect(try iterator.next()?.elements(as: Int32.self) == [Int32](8..<16))
    #expect(try iterator.next()?.elements(as: Int32.self) == [Int32](16..<20))
    #expect(try iterator.next() == nil)
  }

  @Test func rankZeroIsOneBuffer() throws {
    let iterator = try GenericDataChunkIterator(InMemorySource(elements: [2.5], shape: []))
    #expect(try iterator.next()?.elements(as: Double.self) == [2.5])
    #expect(try iterator.next() == nil)
  }

  @Test func emptyArraysHaveNoBuffer() throws {
    let iterator = try GenericDataChunkIterator(
      InMemorySource(elements: [Int8](), shape: [3, 0]))
    #expect(try iterator.next() == nil)
    #expect(iterator.progress.fractionCompleted == 1)
  }
}
