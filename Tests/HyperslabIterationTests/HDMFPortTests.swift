import HyperslabCore
import HyperslabIteration
import Testing

/// What HDMF's own tests of its class demand, with the same numbers; each names its model in
/// `test_core_GenericDataChunkIterator.py`.
@Suite("HDMF's tests of GenericDataChunkIterator")
struct HDMFPortTests {
  static let source = BytesSource(shape: [2000, 384], type: .int16)

  func iterator(
    bufferGB: Double? = nil, bufferShape: Shape? = nil, chunkMB: Double? = nil,
    chunkShape: Shape? = nil
  ) throws -> GenericDataChunkIterator<BytesSource> {
    try GenericDataChunkIterator(
      Self.source, bufferGB: bufferGB, bufferShape: bufferShape, chunkMB: chunkMB,
      chunkShape: chunkShape)
  }

  func refusal(
    bufferGB: Double? = nil, bufferShape: Shape? = nil, chunkMB: Double? = nil,
    chunkShape: Shape? = nil
  ) -> HyperslabError.Code? {
    let error = #expect(throws: HyperslabError.self) {
      try iterator(
        bufferGB: bufferGB, bufferShape: bufferShape, chunkMB: chunkMB, chunkShape: chunkShape)
    }
    return error?.code
  }

  func expectWriteReproducesTheData(
    _ iterator: GenericDataChunkIterator<BytesSource>
  ) throws {
    let dataset = try MemoryStore().write(iterator, to: "data")
    #expect(dataset.description.chunkShape == iterator.chunkShape)
    #expect(try dataset.readBytes().bytes == Self.source.bytes)
  }

  // test_joint_option_assertions
  @Test func jointOptions() {
    #expect(refusal(bufferGB: 1, bufferShape: [2000, 384]) == .bufferGBAndShape)
    #expect(refusal(chunkMB: 1, chunkShape: [2000, 384]) == .chunkMBAndShape)
    #expect(refusal(chunkShape: [2001, 384]) == .chunkExceedsData)
    #expect(refusal(bufferShape: [1000, 192], chunkShape: [100, 384]) == .chunkExceedsBuffer)
    #expect(refusal(bufferShape: [1000, 192], chunkShape: [1000, 5]) == .chunkNotDividingBuffer)
  }

  // test_buffer_option_assertion_*, test_chunk_option_assertion_*
  @Test func singleOptions() {
    #expect(refusal(bufferGB: -1) == .nonpositiveBufferGB)
    #expect(refusal(bufferShape: [2001, 384]) == .bufferExceedsData)
    #expect(refusal(bufferShape: [-1, 384]) == .nonpositiveBuffer)
    #expect(refusal(chunkMB: -1) == .nonpositiveChunkMB)
    #expect(refusal(chunkShape: [-1, 384]) == .nonpositiveChunk)
  }

  // test_num_buffers
  @Test func bufferCount() throws {
    #expect(try iterator(bufferShape: [950, 190], chunkShape: [50, 38]).bufferCount == 9)
  }

  // test_numpy_array_chunk_iterator
  @Test func defaults() throws {
    let iterator = try iterator()
    #expect(iterator.plan.first == Selection(all: [2000, 384]))
    try expectWriteReproducesTheData(iterator)
  }

  // test_buffer_shape_option
  @Test func bufferShape() throws {
    let iterator = try iterator(bufferShape: [1580, 316], chunkMB: 1)
    #expect(iterator.bufferShape == [1580, 316])
    #expect(iterator.plan.first == Selection([0..<1580, 0..<316]))
    try expectWriteReproducesTheData(iterator)
  }

  // test_buffer_gb_option
  @Test func bufferSize() throws {
    let small = try iterator(bufferGB: 0.0005, chunkMB: 1)
    #expect(small.bufferShape == [1580, 316])
    #expect(small.chunkShape == [1580, 316])
    try expectWriteReproducesTheData(small)
    let large = try iterator(bufferGB: 2, chunkMB: 1)
    #expect(large.bufferShape == [2000, 384])
    try expectWriteReproducesTheData(large)
  }

  // test_chunk_shape_option, test_chunk_mb_option, test_chunk_mb_option_larger_than_total_size
  @Test func chunkOptions() throws {
    #expect(try iterator(chunkShape: [1580, 316]).chunkShape == [1580, 316])
    #expect(try iterator(chunkMB: 0.5).chunkShape == [1115, 223])
    #expect(try iterator(chunkMB: 2).chunkShape == [2000, 384])
  }

  // test_chunk_mb_option_while_condition, test_chunk_mb_option_while_condition_unit_maxshape_axis
  @Test func chunkSizeOfLopsidedArrays() throws {
    #expect(
      try BufferPlan(shape: [2, 2000, 2000], dataType: .int16, chunkMB: 1).chunkShape
        == [2, 79, 79])
    #expect(
      try BufferPlan(shape: [1, 2000, 2000], dataType: .int16, chunkMB: 1).chunkShape
        == [1, 79, 79])
  }

  // test_np_dtype_maxshape_attribute_int_type: products of sizes do not overflow (hdmf#780)
  @Test func sizesDoNotOverflow() throws {
    let plan = try BufferPlan(shape: [3_000_000_000, 3_000_000_000, 384], dataType: .float64)
    #expect(plan.totalByteCount == nil)
    #expect(try #require(plan.bufferByteCount) <= 1_000_000_000)
  }

  // test_abstract_assertions, test_progress_bar and others: a source says shape, type and data, and
  // the data set takes all it needs from the iterator.
  @Test func recommendations() throws {
    let iterator = try iterator(bufferGB: 0.001, chunkMB: 0.1)
    #expect(iterator.recommendedChunkShape == iterator.chunkShape)
    #expect(iterator.recommendedDataShape == [2000, 384])
    #expect(iterator.maximumShape == [2000, 384])
    #expect(iterator.dataType == .int16)
  }

  // test_io_hdf5_h5tools.py: test_chunk_shape_override_through_wrapper
  @Test func anotherChunkShapeWins() throws {
    let iterator = try iterator(bufferShape: [1000, 192], chunkShape: [500, 192])
    let dataset = try MemoryStore().write(
      iterator, to: "data", options: WriteOptions(chunkShape: [300, 100]))
    #expect(dataset.description.chunkShape == [300, 100])
    #expect(try dataset.readBytes().bytes == Self.source.bytes)
  }

  // test_pickle: the parameters make an equal plan
  @Test func plansFromTheSameOptionsAreEqual() throws {
    #expect(try iterator(bufferGB: 0.001).plan == iterator(bufferGB: 0.001).plan)
    #expect(try iterator(bufferGB: 0.001).plan != iterator(bufferGB: 0.002).plan)
  }
}
