import Dispatch
import HyperslabCore
import HyperslabIteration
import Synchronization
import Testing

@Suite("Parts")
struct PartsTests {
  let source = BytesSource(shape: [23, 7], type: .int16)

  func iterator() throws -> GenericDataChunkIterator<BytesSource> {
    try GenericDataChunkIterator(source, bufferShape: [4, 4], chunkShape: [2, 2])
  }

  @Test(arguments: [1, 2, 3, 5, 12, 13, 40])
  func sharesAreTheWholeAndNothingTwice(count: Int) throws {
    let log = ResumeTests.ChunkLog()
    let store = WatchedStore(onChunk: { chunk throws(HyperslabError) in try log.add(chunk) })
    var byteCount = 0
    for index in (0..<count).reversed() {
      let reports = ReportLog()
      try store.write(
        try iterator(), to: "x", options: WriteOptions(part: try WritePart(index, of: count)),
        progress: { reports.add($0) })
      let last = try #require(reports.reports.last)
      #expect(last.committedByteCount == last.totalByteCount)
      byteCount += last.totalByteCount
    }
    #expect(byteCount == source.bytes.count)
    let dataset = try store.dataset(NodePath("x"))
    #expect(try dataset.readBytes().bytes == source.bytes)
    #expect(log.counts.count == dataset.grid.chunkCount)
    #expect(log.counts.values.allSatisfy { $0 == 1 })
  }

  @Test func allAtOnceTheyMakeOneDataset() throws {
    for _ in 0..<20 {
      let store = MemoryStore()
      let failures = Mutex<[String]>([])
      DispatchQueue.concurrentPerform(iterations: 6) { index in
        do {
          try store.write(
            try iterator(), to: "g/x", options: WriteOptions(part: try WritePart(index, of: 6)))
        } catch { failures.withLock { $0.append("\(error)") } }
      }
      #expect(failures.withLock { $0 } == [])
      #expect(try store.dataset("g/x").readBytes().bytes == source.bytes)
    }
  }

  /// Engines start tasks twice: the second finds its work done, and does what is missing of it.
  @Test(arguments: [nil, "same"])
  func aPartThatWasBegunGoesOn(fingerprint: String?) throws {
    let store = MemoryStore()
    var source = source
    source.fingerprint = fingerprint
    let iterator = try GenericDataChunkIterator(source, bufferShape: [4, 4], chunkShape: [2, 2])
    let options = WriteOptions(part: try WritePart(1, of: 3))
    try store.write(iterator, to: "x", options: options)
    let reports = ReportLog()
    try store.write(iterator, to: "x", options: options, progress: { reports.add($0) })
    #expect(reports.reports.last.map { $0.skippedByteCount == $0.totalByteCount } ?? false)
  }

  @Test func aPartWrittenFromOtherDataIsRefused() throws {
    let store = MemoryStore()
    var source = source
    source.fingerprint = nil
    let options = WriteOptions(part: try WritePart(1, of: 3))
    for isSame in [true, false] {
      if !isSame { source = BytesSource(shape: source.shape, type: source.type, seed: 2) }
      let iterator = try GenericDataChunkIterator(source, bufferShape: [4, 4], chunkShape: [2, 2])
      if isSame {
        try store.write(iterator, to: "x", options: options)
      } else {
        let refusal = #expect(throws: HyperslabError.self) {
          try store.write(iterator, to: "x", options: options)
        }
        #expect(refusal?.code == .resumeMismatch)
      }
    }
  }

  @Test func othersMustWantTheSame() throws {
    let store = MemoryStore()
    try store.write(
      try iterator(), to: "x", options: WriteOptions(unit: "mV", part: try WritePart(0, of: 2)))
    var longer = BytesSource(shape: [24, 7], type: .int16)
    for options in [
      WriteOptions(unit: "V", part: try WritePart(1, of: 2)),
      WriteOptions(unit: "V", resume: true, part: try WritePart(1, of: 2)),
    ] {
      let refusal = #expect(throws: HyperslabError.self) {
        try store.write(try iterator(), to: "x", options: options)
      }
      #expect(refusal?.code == .resumeMismatch)
    }
    longer.fingerprint = nil
    let refusal = #expect(throws: HyperslabError.self) {
      try store.write(
        try GenericDataChunkIterator(longer, bufferShape: [4, 4], chunkShape: [2, 2]), to: "x",
        options: WriteOptions(resume: true, part: try WritePart(1, of: 2)))
    }
    #expect(refusal?.what.contains("shape: (23, 7) → (24, 7)") ?? false)
  }

  @Test func otherDataAreRefusedByTheirFingerprint() throws {
    let store = MemoryStore()
    for (index, name) in ["a", "b"].enumerated() {
      var source = source
      source.fingerprint = name
      let iterator = try GenericDataChunkIterator(
        source, bufferShape: [4, 4], chunkShape: [2, 2])
      let options = WriteOptions(part: try WritePart(index, of: 2))
      if index == 0 {
        try store.write(iterator, to: "x", options: options)
      } else {
        let refusal = #expect(throws: HyperslabError.self) {
          try store.write(iterator, to: "x", options: options)
        }
        #expect(refusal?.code == .resumeMismatch)
      }
    }
  }

  @Test func partsMustNotShareChunks() throws {
    let refusal = #expect(throws: HyperslabError.self) {
      try MemoryStore().write(
        try iterator(), to: "x",
        options: WriteOptions(chunkShape: [3, 7], part: try WritePart(0, of: 2)))
    }
    #expect(refusal?.code == .invalidValue)
    for (index, count) in [(-1, 2), (2, 2), (0, 0), (0, -1)] {
      let refusal = #expect(throws: HyperslabError.self) { try WritePart(index, of: count) }
      #expect(refusal?.code == .invalidValue)
    }
  }
}
