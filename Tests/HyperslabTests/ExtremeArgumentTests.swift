import Hyperslab
import SystemPackage
import Testing

/// Numbers that make no sense for showing and cutting: answered or refused, none ends the process.
@Suite struct ExtremeArgumentTests {
  private static let extremes = [Int.min, -1, 0, 1, 3, Int.max]

  private func code(_ body: () throws -> Void) -> HyperslabError.Code? {
    do { try body() } catch { return (error as? HyperslabError)?.code }
    return nil
  }

  private func dataset(_ shape: Shape, chunkShape: Shape) throws -> MemoryDataset {
    try MemoryStore().createDataset(
      "x", DatasetDescription(shape: shape, chunkShape: chunkShape, dataType: .int16))
  }

  @Test func plansShowAnyNumberOfSelections() throws {
    let plan = try BufferPlan(shape: [6], dataType: .int8, bufferShape: [2], chunkShape: [2])
    for count in Self.extremes {
      for threads in Self.extremes {
        let json = plan.json(selectionCount: count, threads: threads, bufferGB: .nan)
        #expect(json.object?["selections"]?.array?.count == Swift.max(0, Swift.min(3, count)))
      }
    }
  }

  @Test func piecesNeedChunksOfTheArray() throws {
    let slice = try ResolvedSlice([], in: [5, 7])
    for length in Self.extremes {
      for limit in Self.extremes {
        let pieces = try? SelectionPieces(
          slice, chunkShape: [length, 2], dataType: .int16, byteLimit: limit)
        #expect((pieces == nil) == (length < 1))
        #expect(pieces.map { $0.reduce(0) { $0 + $1.byteCount } } ?? 70 == 70)
      }
    }
    for shape in [[], [2], [2, 2, 2], [0, 2]] as [Shape] {
      let code = code {
        _ = try SelectionPieces(slice, chunkShape: shape, dataType: .int16, byteLimit: 100)
      }
      #expect(code == .invalidShape)
    }
    // Resolved against another array.
    let dataset = try dataset([4], chunkShape: [2])
    #expect(code { try dataset.forEachPiece(of: slice, missing: .fill) { _ in } } == .invalidShape)
    let longer = try ResolvedSlice([], in: [5])
    #expect(code { try dataset.forEachPiece(of: longer, missing: .fill) { _ in } } == .outOfBounds)
  }

  @Test func mapsAreDrawnInAnyRoom() throws {
    for dataset in [
      try dataset([9, 5], chunkShape: [2, 2]), try dataset([9], chunkShape: [2]),
      try dataset([0], chunkShape: [2]), try dataset([], chunkShape: []),
      try dataset([1 << 40], chunkShape: [1]),
      try dataset([1 << 20, 1 << 20], chunkShape: [1, 1]),
    ] {
      for (lines, columns) in [(Int.min, Int.max), (Int.max, -1), (0, 0), (3, Int.min), (-1, 3)] {
        let map = try ChunkMap(Unwritten(dataset), lineLimit: lines, columnLimit: columns)
        #expect(map.lines.count <= 1024 && map.lines.allSatisfy { $0.count <= 1024 })
      }
    }
    let many = try ChunkMap(
      Unwritten(try dataset([1 << 20, 1 << 20], chunkShape: [1, 1])), lineLimit: Int.max,
      columnLimit: Int.max)
    #expect(many.lines.count == 1024)
  }

  /// A data set whose chunks nobody wrote, which is known without a look at each.
  private struct Unwritten: ChunkedDataset {
    let base: MemoryDataset
    init(_ base: MemoryDataset) { self.base = base }
    var path: NodePath { base.path }
    var description: DatasetDescription { base.description }
    var grid: ChunkGrid { base.grid }
    func state(of chunk: ChunkIndex) -> ChunkState { .neverWritten }
    func forEachWrittenChunk(
      _ body: (ChunkIndex, ChunkState) throws(HyperslabError) -> Void
    ) throws(HyperslabError) {}
    func writeChunk(_ chunk: ChunkIndex, from bytes: RawSpan, layout: StridedLayout) {}
    func readChunk(
      _ chunk: ChunkIndex, region: StridedSelection, into bytes: inout MutableRawSpan,
      layout: StridedLayout
    ) {}
  }

  @Test func cornersOfManyAxesAreTooMuchText() throws {
    let shape = Shape(Array(repeating: 7, count: 9))
    let dataset = try dataset(shape, chunkShape: [1, 1, 1, 1, 1, 1, 1, 7, 7])
    #expect(code { _ = try ArrayText.summary(of: dataset, missing: .fill) } == .unsupportedFormat)
    let few = try ArrayText.summary([0, 0, 0], of: dataset, width: Int.min, missing: .fill)
    #expect(few.contains("0"))
    for width in Self.extremes {
      #expect(
        try ArrayText.summary([0, 0, 0, 0, 0, 0, 0, 0], of: dataset, width: width, missing: .fill)
          != "")
    }
  }

  @Test func textOfElementsThatAreNotThere() throws {
    let bytes: [UInt8] = [1, 0, 2, 0, 3]
    let element = ElementText(.int16)
    #expect(try element.text(of: bytes.span.bytes, at: 2) == "2")
    for offset in [Int.min, -1, 4, 5, 6, Int.max - 1, Int.max] {
      #expect(code { _ = try element.text(of: bytes.span.bytes, at: offset) } == .outOfBounds)
    }
  }

  @Test func headersOfNegativeAxesAreRefused() throws {
    for shape in [[-1], [3, Int.min]] as [Shape] {
      #expect(
        code { _ = try NpyHeader(shape: shape, type: NumPyType(.int8)).encoded() } == .invalidShape)
    }
  }

  @Test func budgetsOfAnySizeAreChecked() throws {
    for megabytes in [-.infinity, -1, 0, 1, .infinity, .nan, 1e13, .greatestFiniteMagnitude]
      as [Double]
    {
      #expect(code { _ = try MemoryBudget(megabytes: megabytes) } == .memoryBudget)
    }
    for threads in Self.extremes {
      _ = try? MemoryBudget(megabytes: 1000, threads: threads)
    }
    let budget = try MemoryBudget(megabytes: 9.2e12)
    let plan = try BufferPlan(
      shape: [Int.max / 2], dataType: .int8, bufferGB: .infinity, chunkShape: [Int.max / 4])
    #expect(code { try budget.check(plan) } == .memoryBudget)
    let wider = try BufferPlan(
      shape: [Int.max / 8], dataType: .int64, bufferGB: .infinity, chunkShape: [Int.max / 8])
    #expect(code { try budget.check(wider) } == .memoryBudget)
  }

  @Test func whatIsFinishedTakesNoMore() throws {
    let directory = try TemporaryDirectory()
    let output = try OutputFile(directory.path.appending("x"))
    try output.write(bytes: [1, 2])
    try output.finish()
    #expect(code { try output.write(bytes: [3]) } == .closed)
    #expect(code { try output.finish() } == .closed)
  }

  /// A description that nobody checked.
  @Test func keepingMetadataOfAnOddDescription() {
    var options = WriteOptions()
    for limits: [Int?] in [[], [3, 3], [nil]] {
      let odd = DatasetDescription(
        shape: [3], chunkShape: [1], dataType: .int8, maximumShape: limits)
      _ = options.keepMetadata(of: odd, shape: [3], dataType: .int8)
    }
  }
}
