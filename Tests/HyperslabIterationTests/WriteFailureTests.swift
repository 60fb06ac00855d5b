import HyperslabCore
import HyperslabIteration
import Synchronization
import Testing

@Suite("Writes that cannot go on")
struct WriteFailureTests {
  static let cases: [(BytesSource.Behaviour, HyperslabError.Code)] = [
    (.short, .sourceTooShort), (.long, .sourceTooLong), (.twiceTheWidth, .sourceTooLong),
    (.throwing, .sourceFailed), (.changesType, .typeMismatch),
  ]

  func source(_ behaviour: BytesSource.Behaviour, from: Int) -> BytesSource {
    var source = BytesSource(shape: [10, 3], type: .int32)
    source.behaviour = behaviour
    source.from = from
    return source
  }

  @Test(arguments: [0, 1, 4])
  func aBadSourceEndsTheWriteAndNothingOfThatBufferIsWritten(from: Int) throws {
    for (behaviour, code) in Self.cases {
      for memory in [24, 48] {
        let commits = CommitCounter()
        let store = WatchedStore(onCommit: { commits.add() })
        let iterator = try GenericDataChunkIterator(
          source(behaviour, from: from), bufferShape: [2, 3], chunkShape: [1, 3])
        let refusal = #expect(throws: HyperslabError.self) {
          try store.write(iterator, to: "x", options: WriteOptions(memoryByteCount: memory))
        }
        #expect(refusal?.code == code, "\(behaviour)")
        #expect(refusal?.place == "x")
        let dataset = try store.dataset(NodePath("x"))
        let written = try dataset.grid.chunks.filter { try dataset.state(of: $0) != .neverWritten }
        #expect(commits.value == from, "\(behaviour)")
        #expect(written.count == 2 * from, "\(behaviour)")
      }
    }
  }

  @Test func aFailureCarriesCauseAndSelection() throws {
    let iterator = try GenericDataChunkIterator(
      source(.throwing, from: 1), bufferShape: [4, 3], chunkShape: [2, 3])
    let refusal = #expect(throws: HyperslabError.self) {
      try MemoryStore().write(iterator, to: "x")
    }
    #expect(refusal?.cause is BytesSource.Failure)
    #expect(refusal?.description.contains("[4:8, 0:3]") ?? false)
  }

  @Test func arraysOfAnotherLengthOrTypeAreRefused() throws {
    for (surplus, declared, code) in [
      (1, DataType.int32, HyperslabError.Code.sourceTooLong), (-1, .int32, .sourceTooShort),
      (0, .float32, .typeMismatch), (0, .int64, .typeMismatch),
    ] {
      var source = RampSource(shape: [6, 2])
      source.surplus = surplus
      source.declared = declared
      let iterator = try GenericDataChunkIterator(source)
      let refusals = [
        #expect(throws: HyperslabError.self) { try MemoryStore().write(iterator, to: "x") },
        #expect(throws: HyperslabError.self) { try iterator.next() },
      ]
      for refusal in refusals { #expect(refusal?.code == code) }
    }
  }

  @Test func lentMemoryIsChecked() throws {
    struct Liar: DataChunkSource {
      let layout: StridedLayout
      var shape: Shape { [4] }
      var dataType: DataType { .int32 }
      func read(_ selection: Selection, into buffer: inout OutputRawSpan) {}
      func withBytes<R>(
        of selection: Selection, _ body: (RawSpan, StridedLayout) throws -> R
      ) throws -> R? {
        let bytes = [UInt8](repeating: 1, count: 16)
        return try bytes.withUnsafeBytes { try body($0.bytes, layout) }
      }
    }
    for (layout, code) in [
      (StridedLayout(shape: [3], byteStrides: [4]), HyperslabError.Code.sizeMismatch),
      (StridedLayout(shape: [4], byteStrides: []), .sizeMismatch),
      (StridedLayout(shape: [4], byteStrides: [8]), .sourceTooShort),
      (StridedLayout(shape: [4], byteStrides: [-4]), .sourceTooShort),
      (StridedLayout(shape: [4], byteOffset: .max, byteStrides: [4]), .sourceTooShort),
    ] {
      let iterator = try GenericDataChunkIterator(Liar(layout: layout))
      for refusal in [
        #expect(throws: HyperslabError.self) { try MemoryStore().write(iterator, to: "x") },
        #expect(throws: HyperslabError.self) { try iterator.next() },
        #expect(throws: HyperslabError.self) { try iterator.forEachBuffer { _, _ in } },
      ] { #expect(refusal?.code == code) }
    }
  }

  @Test func errorsOfTheStorePass() throws {
    let store = WatchedStore(onChunk: { chunk throws(HyperslabError) in
      if chunk == [3, 0] { throw HyperslabError(.closed, "full", chunk: chunk) }
    })
    let iterator = try GenericDataChunkIterator(
      source(.good, from: 0), bufferShape: [4, 3], chunkShape: [1, 3])
    let refusal = #expect(throws: HyperslabError.self) { try store.write(iterator, to: "x") }
    #expect(refusal?.code == .closed)
    #expect(refusal?.chunk == [3, 0])
  }

  @Test func anExistingDatasetIsNotTouched() throws {
    let store = MemoryStore()
    let iterator = try GenericDataChunkIterator(RampSource(shape: [4]))
    try store.write(iterator, to: "x")
    let refusal = #expect(throws: HyperslabError.self) { try store.write(iterator, to: "x") }
    #expect(refusal?.code == .alreadyExists)
    #expect(throws: HyperslabError.self) { try store.write(iterator, to: "a//b") }
  }

  @Test func badOptionsCreateNothing() throws {
    let iterator = try GenericDataChunkIterator(RampSource(shape: [4]))
    for (options, code) in [
      (WriteOptions(threads: 0), HyperslabError.Code.invalidValue),
      (WriteOptions(commit: .interval(seconds: .nan)), .invalidValue),
      (WriteOptions(commit: .interval(seconds: -1)), .invalidValue),
      (WriteOptions(fillValue: FillValue(1.5)), .typeMismatch),
      (WriteOptions(chunkShape: [2, 2]), .invalidShape),
      (WriteOptions(memoryByteCount: 15), .memoryBudget),
    ] {
      let store = MemoryStore()
      let refusal = #expect(throws: HyperslabError.self) {
        try store.write(iterator, to: "x", options: options)
      }
      #expect(refusal?.code == code)
      #expect(throws: HyperslabError.self) { try store.dataset(NodePath("x")) }
    }
  }

  @Test func cancellingEndsTheWriteBetweenChunks() throws {
    let cancellation = Cancellation()
    let chunks = CommitCounter()
    let commits = CommitCounter()
    let store = WatchedStore(
      onCommit: { commits.add() },
      onChunk: { _ in
        chunks.add()
        if chunks.value == 3 { cancellation.cancel() }
      })
    let iterator = try GenericDataChunkIterator(
      source(.good, from: 0), bufferShape: [10, 3], chunkShape: [1, 3])
    let refusal = #expect(throws: HyperslabError.self) {
      try store.write(
        iterator, to: "x", options: WriteOptions(threads: 1, cancellation: cancellation))
    }
    #expect(refusal?.code == .cancelled)
    #expect(chunks.value == 3)
    #expect(commits.value == 0)
  }

  @Test func cancellingTheTaskEndsBothForms() async throws {
    let iterator = try GenericDataChunkIterator(
      source(.good, from: 0), bufferShape: [10, 3], chunkShape: [1, 3])
    let plain = Task {
      withUnsafeCurrentTask { $0?.cancel() }
      try MemoryStore().write(iterator, to: "x")
    }
    let background = Task {
      withUnsafeCurrentTask { $0?.cancel() }
      try await MemoryStore().writeInBackground(iterator, to: "x")
    }
    let refusals = [
      await #expect(throws: HyperslabError.self) { try await plain.value },
      await #expect(throws: HyperslabError.self) { try await background.value },
    ]
    for refusal in refusals { #expect(refusal?.code == .cancelled) }
  }
}
