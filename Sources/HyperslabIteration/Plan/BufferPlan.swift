public import HyperslabCore

/// How an array is walked: HDMF's chunk shape and buffer shape, and the buffers in order.
///
/// A buffer is a box of whole chunks that fits into memory; the last one on an axis is cut at the
/// end of the array. The buffers tile the array exactly once, in C order (last axis fastest), and
/// every border between two of them is a border between chunks. The plan is pure arithmetic and a
/// collection of ``HyperslabCore/Selection``s: nothing is read, and it can be walked again.
///
///     let plan = try BufferPlan(shape: [20_000, 5_000], dataType: .int32, bufferGB: 0.2)
///     plan.chunkShape    // (3160, 790)
///     plan.bufferShape   // (12640, 3160)
///     Array(plan)        // 4 selections, the first [0:12640, 0:3160]
///
/// The shapes are those of HDMF 6.2's `GenericDataChunkIterator`, bit for bit. Where HDMF falls
/// over, the plan answers: an axis of length 0 counts as 1 in the rules and leaves no buffer; rank
/// 0 has one buffer, `[]`; infinite limits are cut at the array; chunk axes are always checked.
public struct BufferPlan: Sendable, Hashable {
  /// The array's shape.
  public let shape: Shape
  /// The element type.
  public let dataType: DataType
  /// How far each axis may grow, nil without limit; the shape itself where nothing else was said.
  public let maximumShape: [Int?]
  /// The shape of the storage chunks; every axis at least 1. Longer than the array only along an axis
  /// that may grow.
  public let chunkShape: Shape
  /// The shape of a buffer that is not cut by the end of the array; every axis at least 1.
  public let bufferShape: Shape
  /// The number of buffers.
  public let count: Int
  /// The number of buffers along each axis.
  let bufferGrid: Shape
  /// The buffer limit in bytes: the one asked for, or 1 GB.
  let bufferByteLimit: Double
  /// Whether the buffer's shape follows from that limit.
  let isBufferSized: Bool
  /// How the chunk's shape was asked for.
  let chunkChoice: ChunkChoice

  /// What was said of the chunk's shape.
  enum ChunkChoice: Hashable { case usual, megabytes(Double), shape }

  /// Resolves the shapes.
  ///
  /// - Parameters:
  ///   - shape: The array's shape; axes may be 0.
  ///   - dataType: The element type.
  ///   - bufferGB: Memory for one buffer in units of 1e9 bytes; 1 when no buffer option is given.
  ///   - bufferShape: The buffer's shape instead.
  ///   - chunkMB: Bytes of one chunk in units of 1e6; 10 when no chunk option is given.
  ///   - chunkShape: The chunk's shape instead.
  ///   - maximumShape: How far each axis may grow, nil without limit; the shape when not given. The
  ///     usual chunk shape is then the one of an array that has grown to at least a chunk.
  /// - Throws: the refusals of HDMF in HDMF's order (`buffer_gb_and_shape`, `chunk_mb_and_shape`,
  ///   `nonpositive_chunk_mb`, `nonpositive_buffer_gb`, `nonpositive_chunk`, `nonpositive_buffer`,
  ///   `chunk_exceeds_data`, `buffer_exceeds_data`, `chunk_exceeds_buffer`,
  ///   `chunk_not_dividing_buffer`), `invalid_shape` for a negative axis or ranks that differ,
  ///   `overflow` for more buffers than 64 bits count.
  public init(
    shape: Shape, dataType: DataType, bufferGB: Double? = nil, bufferShape: Shape? = nil,
    chunkMB: Double? = nil, chunkShape: Shape? = nil, maximumShape: [Int?]? = nil
  ) throws(HyperslabError) {
    let limits = maximumShape ?? shape.map { $0 }
    let checks = PlanChecks(shape: shape, elementByteCount: dataType.byteCount)
    try checks.requireOne(
      of: bufferGB, bufferShape, .bufferGBAndShape, "both buffer_gb and buffer_shape")
    try checks.requireOne(
      of: chunkMB, chunkShape, .chunkMBAndShape, "both chunk_mb and chunk_shape")
    try checks.requireArray(chunkShape: chunkShape, bufferShape: bufferShape)
    try checks.requireRoom(limits)

    let chunk: Shape
    if let chunkShape {
      try checks.requireChunk(chunkShape, within: limits)
      chunk = chunkShape
    } else {
      // Where the buffer's shape was chosen, chunks have to fit into that.
      let grown =
        bufferShape == nil
        ? GrowthRule.plannedShape(
          of: shape, upTo: limits, elementByteCount: dataType.byteCount, chunkMB: chunkMB ?? 10)
        : shape
      chunk = try ChunkShapeRule.chunkShape(
        of: grown, elementByteCount: dataType.byteCount, chunkMB: chunkMB ?? 10)
    }
    // What of a chunk there is now: what buffers are made of.
    let present = GrowthRule.present(chunk, in: shape, upTo: limits)
    let buffer: Shape
    if let bufferShape {
      buffer = bufferShape
    } else {
      buffer = try BufferShapeRule.bufferShape(
        of: shape, chunkShape: present, elementByteCount: dataType.byteCount,
        bufferGB: bufferGB ?? 1)
    }
    try checks.requireFit(chunkShape: present, bufferShape: buffer)

    let grid = Shape(zip(shape, buffer).map { $0.dividedRoundingUp(by: $1) })
    guard let count = grid.elementCount else {
      throw HyperslabError(
        .overflow, "array \(shape) in buffers of \(buffer) has more buffers than 64 bits count",
        remedy: "Choose a larger buffer")
    }
    self.shape = shape
    self.dataType = dataType
    self.maximumShape = limits
    self.chunkShape = chunk
    self.bufferShape = buffer
    self.count = count
    bufferGrid = grid
    bufferByteLimit = (bufferGB ?? 1) * 1e9
    isBufferSized = bufferShape == nil
    chunkChoice = chunkShape != nil ? .shape : chunkMB.map { .megabytes($0) } ?? .usual
  }

  /// The same array, known to grow: its chunks are those of the grown one, unless their shape was given.
  func growing(to limits: [Int?]?) throws(HyperslabError) -> BufferPlan {
    guard let limits, limits != maximumShape else { return self }
    return try BufferPlan(
      shape: shape, dataType: dataType,
      bufferGB: isBufferSized ? bufferByteLimit / 1e9 : nil,
      bufferShape: isBufferSized ? nil : bufferShape,
      chunkMB: chunkChoice == .shape ? nil : chunkMB,
      chunkShape: chunkChoice == .shape ? chunkShape : nil, maximumShape: limits)
  }

  /// The chunk's size that was asked for, in megabytes; nil for another way.
  private var chunkMB: Double? { if case .megabytes(let size) = chunkChoice { size } else { nil } }

  /// The same walk in buffers made of other chunks: those of a data set that is there already.
  func aligned(to chunks: Shape) throws(HyperslabError) -> BufferPlan {
    let chunk = Shape(zip(chunks, shape).map { Swift.min($0, Swift.max($1, 1)) })
    if chunk == chunkShape { return self }
    if isBufferSized {
      return try BufferPlan(
        shape: shape, dataType: dataType, bufferGB: bufferByteLimit / 1e9, chunkShape: chunk)
    }
    let buffer = shape.indices.map { axis in
      let whole = Swift.max(shape[axis], 1)
      let length = Swift.max(bufferShape[axis] / chunk[axis], 1) * chunk[axis]
      return bufferShape[axis] >= whole ? whole : Swift.min(length, whole)
    }
    return try BufferPlan(
      shape: shape, dataType: dataType, bufferShape: Shape(buffer), chunkShape: chunk)
  }

  /// The number of chunks; nil where it does not fit into 64 bits.
  public var chunkCount: Int? {
    Shape(zip(shape, chunkShape).map { $0.dividedRoundingUp(by: $1) }).elementCount
  }

  /// The bytes of one whole buffer, 0 for an empty array; nil where they do not fit into 64 bits.
  public var bufferByteCount: Int? {
    Checked.product(zip(bufferShape, shape).map { Swift.min($0, $1) } + [dataType.byteCount])
  }

  /// The bytes of one whole chunk; nil where they do not fit into 64 bits.
  public var chunkByteCount: Int? { Checked.product(chunkShape.axes + [dataType.byteCount]) }

  /// The bytes of the whole array; nil where they do not fit into 64 bits.
  public var totalByteCount: Int? { Checked.product(shape.axes + [dataType.byteCount]) }
}

extension BufferPlan: RandomAccessCollection {
  /// Always 0.
  public var startIndex: Int { 0 }
  /// The number of buffers.
  public var endIndex: Int { count }

  /// The part of the array that the buffer at a position in C order holds.
  ///
  /// - Precondition: the position is one of the collection's, as for `Array`.
  public subscript(position: Int) -> Selection {
    precondition(indices.contains(position), "buffer \(position) of \(count)")
    var bounds = Array(repeating: 0..<0, count: shape.rank)
    var rest = position
    for axis in shape.indices.reversed() {
      let start = rest % bufferGrid[axis] * bufferShape[axis]
      rest /= bufferGrid[axis]
      let length = Swift.min(bufferShape[axis], shape[axis] - start)
      bounds[axis] = start..<start + length
    }
    return Selection(bounds)
  }
}
