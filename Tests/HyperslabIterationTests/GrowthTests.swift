import HyperslabCore
import HyperslabIteration
import HyperslabTestSupport
import Testing

/// Chunks of arrays that are short now and will grow.
@Suite struct GrowthTests {
  private func plan(
    _ shape: Shape, _ limits: [Int?]?, _ type: DataType = .int16, chunkMB: Double? = nil,
    chunkShape: Shape? = nil, bufferShape: Shape? = nil
  ) throws -> BufferPlan {
    try BufferPlan(
      shape: shape, dataType: type, bufferShape: bufferShape, chunkMB: chunkMB,
      chunkShape: chunkShape, maximumShape: limits)
  }

  static let cases: [(shape: Shape, limits: [Int?], chunk: Shape)] = [
    ([10, 384], [nil, 384], [12_837, 384]), ([10, 4], [nil, 4], [1_250_000, 4]),
    ([4, 10], [4, nil], [4, 1_250_000]), ([10, 4], [50, 4], [50, 4]),
    ([0, 384], [nil, 384], [12_837, 384]),
    ([10, 10], [nil, nil], [2236, 2236]), ([1], [nil], [5_000_000]), ([0], [nil], [5_000_000]),
    ([10, 4], [10, 4], [10, 4]),
  ]

  @Test(arguments: cases)
  func shortArraysGetTheChunksOfLongOnes(_ shape: Shape, _ limits: [Int?], _ chunk: Shape) throws {
    let plan = try plan(shape, limits)
    #expect(plan.chunkShape == chunk)
    #expect(plan.maximumShape == limits)
    // What is walked is what there is.
    let walked = plan.reduce(0) { $0 + $1.shape.reduce(1, *) }
    #expect(walked == shape.reduce(1, *))
    #expect(zip(plan.bufferShape, shape).allSatisfy { $0 <= max($1, 1) })
  }

  @Test func fixedAndLongArraysAreHDMFs() throws {
    var generator = SeededGenerator(seed: 7)
    for _ in 0..<300 {
      let rank = Int.random(in: 1...4, using: &generator)
      let shape = Shape((0..<rank).map { _ in Int.random(in: 0...400, using: &generator) })
      let megabytes = Double.random(in: 0.001...3, using: &generator)
      let plain = try plan(shape, nil, chunkMB: megabytes)
      #expect(try plan(shape, shape.map { $0 }, chunkMB: megabytes) == plain)
      // As long as a chunk already: growing changes nothing.
      var limits: [Int?] = shape.map { $0 }
      limits[0] = nil
      let others = shape.dropFirst().reduce(2.0) { $0 * Double(max($1, 1)) }
      if Double(shape[0]) * others >= megabytes * 1e6 {
        #expect(try plan(shape, limits, chunkMB: megabytes).chunkShape == plain.chunkShape)
      }
    }
    let long: Shape = [3_000_000, 64]
    #expect(try plan(long, [nil, 64]).chunkShape == plan(long, nil).chunkShape)
  }

  @Test func chunksMayBeLongerThanTheArrayWhereItGrows() throws {
    let long = try plan([10, 4], [nil, 4], chunkShape: [500, 2])
    #expect(long.chunkShape == [500, 2])
    #expect(long.chunkCount == 2)
    #expect(try plan([10, 4], [500, 4], chunkShape: [500, 2]).chunkShape == [500, 2])
    for (limits, chunk) in [
      ([nil, 4], [500, 5]), ([499, 4], [500, 2]), ([10, 4], [11, 4]), ([10, nil], [11, 4]),
    ] as [([Int?], Shape)] {
      let error = #expect(throws: HyperslabError.self) {
        try plan([10, 4], limits, chunkShape: chunk)
      }
      #expect(error?.code == .chunkExceedsData)
    }
    for limits in [[nil], [9, 4], [nil, 4, 4]] as [[Int?]] {
      let error = #expect(throws: HyperslabError.self) { try plan([10, 4], limits) }
      #expect(error?.code == .invalidShape)
    }
    // A buffer's shape that was chosen decides.
    #expect(try plan([12, 4], [nil, 4], bufferShape: [12, 4]).chunkShape == [12, 4])
  }

  @Test func tenRowsAndTwentyThousandMoreAreOneChunk() throws {
    let store = MemoryStore()
    let rows = { (count: Int) in
      try InMemorySource(
        elements: (0..<count * 4).map { Int16(truncatingIfNeeded: $0) }, shape: [count, 4])
    }
    var dataset = try store.write(
      GenericDataChunkIterator(rows(10)), to: "d", options: WriteOptions(maximumShape: [nil, 4]))
    #expect(dataset.description.chunkShape == [1_250_000, 4])
    dataset = try store.append(rows(20_000), to: "d")
    #expect(dataset.grid.arrayShape == [20_010, 4])
    #expect(dataset.grid.chunkCount == 1)
    let all = try dataset.read(Int16.self).elements
    #expect(all[..<40].elementsEqual((0..<40).map { Int16($0) }))
    #expect(all[40...].elementsEqual((0..<80_000).map { Int16(truncatingIfNeeded: $0) }))
    // The iterator's own say is enough, and a chunk shape that was given stays.
    let told = try store.write(
      GenericDataChunkIterator(rows(10), growingTo: [nil, 4]), to: "told")
    #expect(told.description.maximumShape == [nil, 4])
    let given = try store.write(
      GenericDataChunkIterator(rows(10), chunkShape: [500, 4], growingTo: [nil, 4]), to: "given")
    #expect(given.description.chunkShape == [500, 4])
    #expect(try given.read(Int16.self).elements == Array(all[..<40]))
  }
}
