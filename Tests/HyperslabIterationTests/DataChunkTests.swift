import HyperslabCore
import HyperslabIteration
import Testing

@Suite("Data chunks")
struct DataChunkTests {
  // HDMF: test_len_operator_no_data, test_len_operator_with_data
  @Test func countIsTheLengthOfTheFirstAxis() throws {
    #expect(try DataChunk(selection: Selection([0..<0]), elements: [Int16]()).count == 0)
    let chunk = try DataChunk(selection: Selection([2..<5, 0..<2]), elements: [Int16](0..<6))
    #expect(chunk.count == 3)
    #expect(chunk.shape == [3, 2])
    #expect(try DataChunk(selection: Selection([]), elements: [1.5]).count == 1)
  }

  // HDMF: DataChunkTests.test_dtype
  @Test func elementsComeBackAsTheirTypeOnly() throws {
    let chunk = try DataChunk(selection: Selection([1..<4]), elements: [0, 1, 2] as [Float])
    #expect(chunk.dataType == .float32)
    #expect(try chunk.elements(as: Float.self) == [0, 1, 2])
    let refusal = #expect(throws: HyperslabError.self) { try chunk.elements(as: Int32.self) }
    #expect(refusal?.code == .typeMismatch)
  }

  @Test func elementsMustMatchTheSelection() {
    let refusal = #expect(throws: HyperslabError.self) {
      try DataChunk(selection: Selection([0..<4]), elements: [1, 2, 3])
    }
    #expect(refusal?.code == .sizeMismatch)
  }

  // HDMF: get_min_bounds
  @Test func minimumBoundsAreTheUpperEnds() throws {
    let chunk = try DataChunk(selection: Selection([2..<5, 1..<2]), elements: [1, 2, 3])
    #expect(chunk.minimumBounds == [5, 2])
  }

  // HDMF: test_astype, test_datachunk_astype, test_datachunk_copy, test_datachunk_deepcopy
  @Test func conversionMakesAnotherValue() throws {
    let chunk = try DataChunk(
      selection: Selection([1..<6]), elements: [-1.5, 0, 300.7, .nan, .infinity])
    let bytes = try chunk.converted(to: .uint8)
    #expect(try bytes.elements(as: UInt8.self) == [0, 0, 255, 0, 255])
    #expect(bytes.selection == chunk.selection)
    #expect(try chunk.converted(to: .int16).elements(as: Int16.self) == [-1, 0, 300, 0, .max])
    #expect(
      try chunk.converted(to: .bool).elements(as: Bool.self) == [true, false, true, true, true])
    #expect(try chunk.elements(as: Double.self)[2] == 300.7)
  }

  @Test func integersWrapAndWidenWithoutLoss() throws {
    let chunk = try DataChunk(
      selection: Selection([0..<3]), elements: [Int64.min, -1, Int64.max])
    #expect(try chunk.converted(to: .int8).elements(as: Int8.self) == [0, -1, -1])
    #expect(
      try chunk.converted(to: .uint64).elements(as: UInt64.self) == [1 << 63, .max, 1 << 63 - 1])
    #expect(try chunk.converted(to: .int64).elements(as: Int64.self)[0] == .min)
  }

  @Test func everyPairOfTypesConverts() throws {
    let chunk = try DataChunk(selection: Selection([0..<3]), elements: [UInt8](0..<3))
    for first in DataType.allCases where first != .bool {
      for second in DataType.allCases where second != .bool {
        let there = try chunk.converted(to: first).converted(to: second)
        #expect(there.dataType == second)
        #expect(contents(there).count == 3 * second.byteCount)
        #expect(
          try there.converted(to: .uint8).elements(as: UInt8.self) == [0, 1, 2],
          "\(first) \(second)")
      }
    }
  }
}
