import HyperslabCore
import HyperslabIteration
import Testing

/// Places that no array has, and elements of sizes that no type has: refused before memory is touched.
@Suite struct ExtremeSourceTests {
  private static let outside: [Selection] = [
    Selection([0..<5, 0..<3]), Selection([-1..<1, 0..<3]), Selection([4..<6, 0..<1]),
    Selection([Int.min..<Int.max, 0..<3]), Selection([Int.max - 1..<Int.max, 0..<3]),
    Selection([0..<4]), Selection([0..<4, 0..<3, 0..<1]), Selection([]),
  ]

  private func code(_ body: () throws -> Void) -> HyperslabError.Code? {
    do { try body() } catch { return (error as? HyperslabError)?.code }
    return nil
  }

  private func read(_ source: some DataChunkSource, _ selection: Selection) throws -> [UInt8] {
    var failure: (any Error)?
    let bytes = [UInt8](unsafeUninitializedCapacity: 64) { memory, count in
      let raw = UnsafeMutableRawBufferPointer(memory)
      var output = OutputRawSpan(buffer: raw, initializedCount: 0)
      do { try source.read(selection, into: &output) } catch { failure = error }
      count = output.finalize(for: raw)
    }
    if let failure { throw failure }
    return bytes
  }

  @Test func sourcesRefuseWhatLiesOutside() throws {
    let elements = (0..<12).map { Int8($0) }
    let source = try InMemorySource(elements: elements, shape: [4, 3])
    #expect(try read(source, Selection([1..<2, 1..<3])) == [4, 5])
    for selection in Self.outside {
      #expect(code { _ = try read(source, selection) } == .outOfBounds)
      #expect(code { _ = try source.withBytes(of: selection) { _, _ in } } == .outOfBounds)
    }
    try elements.withUnsafeBytes { memory in
      let raw = try RawMemorySource(bytes: memory, shape: [4, 3], dataType: .int8)
      for selection in Self.outside {
        #expect(code { _ = try read(raw, selection) } == .outOfBounds)
        #expect(code { _ = try raw.withBytes(of: selection) { _, _ in } } == .outOfBounds)
      }
      let layout = StridedLayout(shape: [Int.min, 3], byteStrides: [3, 1])
      #expect(
        code {
          _ = try RawMemorySource(
            bytes: memory, shape: [Int.min, 3], dataType: .int8, layout: layout)
        } == .invalidShape)
    }
    for shape in [[-4, -3], [Int.min, 0], [Int.max, Int.max]] as [Shape] {
      #expect(code { _ = try InMemorySource(elements: elements, shape: shape) } == .sizeMismatch)
      #expect(code { _ = try NDArray(shape: shape, elements: elements) } == .sizeMismatch)
    }
  }

  @Test func elementsAreOfTheSizesThatTypesHave() throws {
    let bytes: [UInt8] = Array(0..<32)
    let layout = StridedLayout(shape: [4], byteStrides: [8])
    for size in [Int.min, -8, -1, 0, 3, 5, 7, 9, 12, 17, 32, Int.max] {
      var target = [UInt8](repeating: 0xAA, count: 64)
      let refusal = target.withUnsafeMutableBytes { memory in
        var output = OutputRawSpan(buffer: memory, initializedCount: 0)
        let code = code {
          try output.appendElements(at: layout, of: bytes.span.bytes, elementByteCount: size)
        }
        _ = output.finalize(for: memory)
        return code
      }
      #expect(refusal == .invalidValue)
      #expect(target == Array(repeating: 0xAA, count: 64))
    }
  }

  @Test func piecesStandInAnArray() throws {
    for selection in [Selection([Int.min..<Int.max]), Selection([-2..<0]), Selection([-1..<1])] {
      #expect(code { _ = try DataChunk(selection: selection, elements: [1, 2]) } == .outOfBounds)
    }
    for selection in [Selection([0..<Int.max]), Selection([0..<Int.max, 0..<Int.max])] {
      #expect(code { _ = try DataChunk(selection: selection, elements: [1, 2]) } == .sizeMismatch)
    }
    let last = Selection([Int.max - 2..<Int.max])
    let piece = try DataChunk(selection: last, elements: [1, 2])
    #expect(piece.count == 2 && piece.shape == [2] && piece.minimumBounds == [Int.max])
  }

  @Test func plansOfExtremesAreMadeOrRefused() {
    let lengths = [Int.min, -1, 0, 1, 3, Int.max]
    let sizes: [Double?] = [nil, -.infinity, -1, 0, .leastNonzeroMagnitude, 1, .infinity, .nan]
    for length in lengths {
      for other in lengths {
        for size in sizes {
          let shape: Shape = [length, other]
          for plan in [
            try? BufferPlan(shape: shape, dataType: .int64, bufferGB: size, chunkMB: size),
            try? BufferPlan(shape: [3, 3], dataType: .int64, bufferGB: size, chunkShape: shape),
            try? BufferPlan(shape: [3, 3], dataType: .int64, bufferShape: shape, chunkMB: size),
            try? BufferPlan(
              shape: [3, 3], dataType: .int64, bufferShape: shape, chunkShape: [other, length]),
            try? BufferPlan(shape: [3, 3], dataType: .int64, maximumShape: [length, other]),
          ] {
            guard let plan else { continue }
            #expect(plan.shape.allSatisfy { $0 >= 0 } && plan.chunkShape.allSatisfy { $0 >= 1 })
            #expect(plan.isEmpty || Selection(all: plan.shape).contains(plan[plan.count - 1]))
            _ = (plan.warnings, plan.chunkCount, plan.bufferByteCount, plan.totalByteCount)
          }
        }
      }
    }
  }

  @Test func partsOfExtremesAreRefused() {
    for index in [Int.min, -1, 0, Int.max] {
      for count in [Int.min, -1, 0, 1, Int.max] where index < 0 || index >= count {
        #expect(code { _ = try WritePart(index, of: count) } == .invalidValue)
      }
    }
  }
}
