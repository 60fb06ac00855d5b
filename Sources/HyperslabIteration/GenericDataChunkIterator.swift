public import HyperslabCore
import Synchronization

/// Walks a data source in buffers that fit into memory and are made of whole storage chunks.
///
///     let iterator = try GenericDataChunkIterator(probe, bufferGB: 1)
///     print(iterator.chunkShape, iterator.bufferShape, iterator.bufferCount)
///     while let chunk = try iterator.next() { print(chunk.selection, chunk.count) }
///
/// It is HDMF's class of that name: the same options, the same shapes, the same order (see
/// ``BufferPlan``, which holds the arithmetic). It needs no store; `store.write(iterator, to:)`
/// writes it to one. ``next()`` goes through the array once; ``forEachBuffer(_:)``,
/// `for try await` and writing always start at the first buffer and leave ``next()`` where it is.
public final class GenericDataChunkIterator<Source: DataChunkSource>: Sendable {
  /// Where the data come from.
  public let source: Source
  /// The shapes and the buffers in order.
  public let plan: BufferPlan
  private let position = Atomic<Int>(0)

  /// Resolves the shapes for a source; reads nothing.
  ///
  /// - Parameters:
  ///   - source: Where the data come from.
  ///   - bufferGB: Memory for one buffer in units of 1e9 bytes; 1 when no buffer option is given.
  ///   - bufferShape: The buffer's shape instead.
  ///   - chunkMB: Bytes of one chunk in units of 1e6; 10 when no chunk option is given.
  ///   - chunkShape: The chunk's shape instead.
  ///   - growingTo: How far each axis may grow later, nil without limit; not at all when not given.
  /// - Throws: what ``BufferPlan`` refuses.
  public init(
    _ source: Source, bufferGB: Double? = nil, bufferShape: Shape? = nil, chunkMB: Double? = nil,
    chunkShape: Shape? = nil, growingTo limits: [Int?]? = nil
  ) throws(HyperslabError) {
    self.source = source
    plan = try BufferPlan(
      shape: source.shape, dataType: source.dataType, bufferGB: bufferGB, bufferShape: bufferShape,
      chunkMB: chunkMB, chunkShape: chunkShape, maximumShape: limits)
  }

  /// The shape of the storage chunks.
  public var chunkShape: Shape { plan.chunkShape }
  /// The shape of a buffer that is not cut by the end of the array.
  public var bufferShape: Shape { plan.bufferShape }
  /// The number of buffers: HDMF's `num_buffers`.
  public var bufferCount: Int { plan.count }
  /// The shape of the whole array: HDMF's `maxshape`.
  public var maximumShape: Shape { plan.shape }
  /// The element type.
  public var dataType: DataType { plan.dataType }
  /// The chunk shape for the data set to be written.
  public var recommendedChunkShape: Shape { plan.chunkShape }
  /// The shape for the data set to be written.
  public var recommendedDataShape: Shape { plan.shape }

  var reader: SourceReader<Source> { SourceReader(source: source, dataType: plan.dataType) }

  /// How far ``next()`` has come.
  public var progress: IterationProgress {
    IterationProgress(
      completedBufferCount: position.load(ordering: .relaxed), bufferCount: plan.count)
  }

  /// Reads the next buffer; nil after the last.
  ///
  /// The chunk owns its memory. After an error the same buffer is read again, so that none is
  /// passed over. One consumer at a time: two would race for the same buffer.
  ///
  /// - Throws: `source_failed` with the source's own error as cause, `source_too_short`,
  ///   `source_too_long`, `type_mismatch`, `cancelled`.
  public func next() throws -> DataChunk? {
    let current = position.load(ordering: .relaxed)
    guard current < plan.count else { return nil }
    let chunk = try readBuffer(at: current)
    position.store(current + 1, ordering: .relaxed)
    return chunk
  }

  /// Makes ``next()`` start at the first buffer again.
  public func reset() { position.store(0, ordering: .relaxed) }

  /// Reads the buffer at a position of the plan into memory of its own.
  func readBuffer(at position: Int) throws(HyperslabError) -> DataChunk {
    let selection = plan[position]
    var memory: (any BufferMemory)?
    let isLent = try reader.lend(selection) { bytes, layout throws(HyperslabError) in
      memory = try reader.copy(bytes, layout, reusing: nil)
    }
    if !isLent { memory = try reader.load(selection, reusing: nil) }
    guard let memory else {
      throw HyperslabError(
        .sourceTooShort, "the source lent nothing for the selection \(selection)",
        remedy: "A source lends every selection or none")
    }
    return DataChunk(selection: selection, dataType: plan.dataType, memory: memory)
  }

  /// Lends one buffer after the other, in order, its elements in C order and host byte order.
  ///
  /// One piece of memory is used for all of them, or none where the source's own lies in C order.
  ///
  /// - Throws: what ``next()`` throws, and what `body` throws.
  public func forEachBuffer(_ body: (Selection, RawSpan) throws -> Void) throws {
    let reader = reader
    let size = plan.dataType.byteCount
    var spare: ElementBuffer?
    for selection in plan {
      var failure: (any Error)?
      func lend(_ bytes: RawSpan) {
        do { try body(selection, bytes) } catch { failure = error }
      }
      let isLent = try reader.lend(selection) { bytes, layout throws(HyperslabError) in
        let whole = ChunkCopy(
          chunkShape: selection.shape, region: StridedSelection(Selection(all: selection.shape)),
          layout: layout, elementByteCount: size)
        if let offset = whole.contiguousOffset {
          lend(bytes.extracting(offset..<offset + whole.elementCount * size))
        } else {
          let memory = try reader.copy(bytes, layout, reusing: spare)
          spare = memory.buffer
          memory.withBytes { lend($0) }
        }
      }
      if !isLent {
        let memory = try reader.load(selection, reusing: spare)
        spare = (memory as? FilledBuffer)?.buffer
        memory.withBytes { lend($0) }
      }
      if let failure { throw failure }
    }
  }
}

/// How far an iterator has come.
public struct IterationProgress: Hashable, Sendable {
  /// Buffers read so far.
  public let completedBufferCount: Int
  /// Buffers in all.
  public let bufferCount: Int
  /// From 0 to 1; 1 where there is nothing to read.
  public var fractionCompleted: Double {
    bufferCount == 0 ? 1 : Double(completedBufferCount) / Double(bufferCount)
  }
}
