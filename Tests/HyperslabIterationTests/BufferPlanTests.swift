import HyperslabCore
import HyperslabIteration
import Testing

@Suite("Plans")
struct BufferPlanTests {
  /// Random plans with explicit and with computed shapes.
  static let plans: [BufferPlan] = {
    var random = SplitMix(state: 20)
    var plans: [BufferPlan] = []
    while plans.count < 300 {
      let rank = Int.random(in: 0...6, using: &random)
      let shape = Shape((0..<rank).map { _ in Int.random(in: 0...9, using: &random) })
      let chunk = Shape(shape.map { Int.random(in: 1...max(1, $0), using: &random) })
      let buffer = Shape(
        zip(shape, chunk).map { length, chunk in
          let count = Int.random(in: 1...4, using: &random)
          return count == 4 ? max(length, 1) : min(count, max(length, 1) / chunk) * chunk
        })
      let type = DataType.allCases.randomElement(using: &random) ?? .int16
      let explicit = try? BufferPlan(
        shape: shape, dataType: type, bufferShape: buffer, chunkShape: chunk)
      let computed = try? BufferPlan(
        shape: shape, dataType: type, bufferGB: Double.random(in: 1e-7...1e-6, using: &random),
        chunkMB: Double.random(in: 3e-5...3e-4, using: &random))
      plans += [explicit, computed].compactMap { $0 }
    }
    return plans
  }()

  @Test func buffersTileTheArrayExactlyOnce() {
    for plan in Self.plans {
      let count = plan.shape.elementCount ?? 0
      var seen = Array(repeating: 0, count: count)
      for selection in plan {
        #expect(!selection.isEmpty)
        var offsets = [0]
        for (axis, range) in selection.bounds.enumerated() {
          offsets = offsets.flatMap { offset in range.map { offset * plan.shape[axis] + $0 } }
        }
        for offset in offsets { seen[offset] += 1 }
      }
      #expect(seen.allSatisfy { $0 == 1 }, "\(plan)")
    }
  }

  @Test func bordersBetweenBuffersAreBordersBetweenChunks() {
    for plan in Self.plans {
      for selection in plan {
        for (axis, range) in selection.bounds.enumerated() {
          #expect(range.lowerBound % plan.chunkShape[axis] == 0, "\(plan)")
          let isEnd = range.upperBound == plan.shape[axis]
          #expect(isEnd || range.upperBound % plan.chunkShape[axis] == 0, "\(plan)")
        }
      }
    }
  }

  @Test func selectionsComeInCOrder() {
    for plan in Self.plans {
      for (a, b) in zip(plan, plan.dropFirst()) {
        #expect(a.origin.lexicographicallyPrecedes(b.origin), "\(plan)")
      }
    }
  }

  @Test func aComputedBufferKeepsItsLimitUnlessAChunkIsLarger() throws {
    for gigabytes in [1e-6, 1e-4, 0.01, 0.2, 1, 3] {
      let plan = try BufferPlan(shape: [5000, 300, 7], dataType: .float64, bufferGB: gigabytes)
      let bytes = try #require(plan.bufferByteCount)
      if plan.bufferShape != plan.chunkShape { #expect(Double(bytes) <= gigabytes * 1e9) }
      #expect(
        plan.warnings.contains { $0.contains("is larger than the buffer") }
          == (Double(bytes) > gigabytes * 1e9))
    }
  }

  @Test func zeroLengthAxesHaveNoBuffers() throws {
    for shape: Shape in [[0], [0, 5], [5, 0, 3], [0, 0]] {
      let plan = try BufferPlan(shape: shape, dataType: .int16)
      #expect(plan.isEmpty)
      #expect(Array(plan) == [])
      #expect(plan.chunkShape == Shape(shape.map { max($0, 1) }))
      #expect(plan.bufferByteCount == 0)
      #expect(plan.chunkCount == 0)
      #expect(plan.warnings == [])
    }
  }

  @Test func rankZeroHasOneBuffer() throws {
    let plan = try BufferPlan(shape: [], dataType: .float64)
    #expect(Array(plan) == [Selection([])])
    #expect(plan.chunkShape == [])
    #expect(plan.bufferShape == [])
    #expect(plan.bufferByteCount == 8)
    let refusal = #expect(throws: HyperslabError.self) {
      try BufferPlan(shape: [], dataType: .float64, bufferShape: [1], chunkShape: [1])
    }
    #expect(refusal?.code == .invalidShape)
  }

  @Test(arguments: [
    BadPlan([5, -1], code: .invalidShape),
    BadPlan([5, 5], chunkShape: [2], code: .invalidShape),
    BadPlan([5, 5], bufferShape: [2, 2, 2], chunkShape: [2, 2], code: .invalidShape),
    BadPlan([5, 5], chunkShape: [], code: .invalidShape),
    BadPlan([5, 5], bufferShape: [4, 4], chunkShape: [-1, 2], code: .nonpositiveChunk),
    BadPlan([5, 5], bufferShape: [5, 5], chunkShape: [0, 5], code: .nonpositiveChunk),
    BadPlan([5, 5], bufferShape: [5, 5], chunkMB: 1e-6, code: .nonpositiveChunk),
    BadPlan([5, 5], bufferGB: .nan, code: .nonpositiveBufferGB),
    BadPlan([5, 5], chunkMB: .nan, code: .nonpositiveChunkMB),
    BadPlan([5, 5], chunkMB: -.infinity, code: .nonpositiveChunkMB),
    BadPlan([0, 5], bufferShape: [2, 5], chunkShape: [1, 5], code: .bufferExceedsData),
    BadPlan([.max, .max], bufferShape: [1, 1], chunkShape: [1, 1], code: .overflow),
  ])
  func refusals(_ bad: BadPlan) {
    let refusal = #expect(throws: HyperslabError.self) {
      try BufferPlan(
        shape: bad.shape, dataType: .int16, bufferGB: bad.bufferGB, bufferShape: bad.bufferShape,
        chunkMB: bad.chunkMB, chunkShape: bad.chunkShape)
    }
    #expect(refusal?.code == bad.code)
  }

  @Test func refusalsNameTheAxisTheNumbersAndTheWayOut() {
    let refusal = #expect(throws: HyperslabError.self) {
      try BufferPlan(
        shape: [2000, 384], dataType: .int16, bufferShape: [1000, 192], chunkShape: [1000, 5])
    }
    #expect(
      refusal?.description
        == "axis 1 of the buffer shape (1000, 192); expected whole chunks of 5 (chunk shape "
        + "(1000, 5)), or the whole axis of 384, found 192. Make it a multiple of the chunk's length"
    )
  }

  @Test func infiniteLimitsAreCutAtTheArray() throws {
    let plan = try BufferPlan(
      shape: [300, 7], dataType: .int32, bufferGB: .infinity, chunkMB: .infinity)
    #expect(plan.chunkShape == [300, 7])
    #expect(plan.bufferShape == [300, 7])
  }

  @Test func sizesBeyond64BitsAreNil() throws {
    let plan = try BufferPlan(
      shape: [.max, .max], dataType: .complex128, bufferShape: [.max, .max], chunkShape: [1, 1])
    #expect(plan.count == 1)
    #expect(plan.chunkCount == nil)
    #expect(plan.bufferByteCount == nil)
    #expect(plan.totalByteCount == nil)
    #expect(plan.first == Selection([0..<Int.max, 0..<Int.max]))
    #expect(plan.warnings.count == 2)
  }

  @Test func warningsComeBeforeAnythingIsWritten() throws {
    func warnings(
      _ shape: Shape, buffer: Shape? = nil, bufferGB: Double? = nil, chunk: Shape
    ) throws -> [String] {
      try BufferPlan(
        shape: shape, dataType: .int16, bufferGB: bufferGB, bufferShape: buffer, chunkShape: chunk
      ).warnings
    }
    #expect(try warnings([20_000, 5_000], buffer: [2000, 5000], chunk: [1000, 1000]) == [])
    #expect(
      try warnings([20_000, 5_000], bufferGB: 0.001, chunk: [1000, 5000])[0]
        .contains("10000000 bytes"))
    #expect(
      try warnings([40_000, 40_000], buffer: [40_000, 40_000], chunk: [40_000, 40_000])[0]
        .contains("slab store"))
    #expect(
      try warnings([1_000_000], buffer: [1_000_000], chunk: [2])[0].contains("500000 chunks"))
    #expect(
      try warnings([20_000, 4], buffer: [20_000, 4], chunk: [10, 4])[0]
        .contains("2000 chunk directories"))
    #expect(
      try warnings([20_000, 5_000], buffer: [20_000, 10], chunk: [500, 10])[0]
        .contains("500 passes, in pieces of 20 bytes"))
  }

  struct BadPlan: Sendable {
    let shape: Shape
    let bufferGB: Double?
    let bufferShape: Shape?
    let chunkMB: Double?
    let chunkShape: Shape?
    let code: HyperslabError.Code

    init(
      _ shape: Shape, bufferGB: Double? = nil, bufferShape: Shape? = nil, chunkMB: Double? = nil,
      chunkShape: Shape? = nil, code: HyperslabError.Code
    ) {
      self.shape = shape
      self.bufferGB = bufferGB
      self.bufferShape = bufferShape
      self.chunkMB = chunkMB
      self.chunkShape = chunkShape
      self.code = code
    }
  }
}
