package import HyperslabCore

/// Turns chunks into chunk files; one a thread, all memory reused from chunk to chunk.
///
/// A block goes from the source to the file while it stays in the cache: gather, statistics,
/// filters, LZ4, checksum.
package final class FrameEncoder {
  private let format: FrameFormat
  private let dataType: DataType
  private let fill: FillValue
  private let compressor: LZ4Compressor
  private let gathered: ElementBuffer
  private let filtered: ElementBuffer
  private let scratch: ElementBuffer
  /// Between the filters delta and bit shuffle.
  private let differences: ElementBuffer?
  private let window = StreamWindow()
  /// Files in the making, as many as were ever made together.
  private var outputs: [FrameOutput] = []
  /// A block of the fill value as stored, and its size before.
  private var packedFill: (decodedByteCount: Int, bytes: [UInt8])?

  /// Memory that files made together may take.
  private static let togetherByteCount = 1 << 22
  /// Each is open.
  private static let mostOpenFiles = 16

  /// An encoder for the chunks of one data set.
  package init(format: FrameFormat, level: Int, fill: FillValue) throws(HyperslabError) {
    self.format = format
    dataType = fill.dataType
    self.fill = fill
    compressor = LZ4Compressor(level: level)
    gathered = try ElementBuffer(allocating: format.blockByteCount)
    filtered = try ElementBuffer(allocating: format.blockByteCount)
    scratch = try ElementBuffer(allocating: format.blockByteCount)
    differences =
      format.deltaStride == nil ? nil : try ElementBuffer(allocating: format.blockByteCount)
  }

  /// Encodes some of the chunks that lie side by side along the last axis, while they are read.
  ///
  /// - Parameters:
  ///   - range: Which of the stream's chunks. All of them are read, so that what is read lies in one piece.
  ///   - stream: The elements of all of them.
  ///   - sinks: What takes the files of those in the range.
  package func encode(
    _ range: Range<Int>, of stream: ElementStream, chunkShape: Shape, to sinks: [some FrameSink]
  ) throws(HyperslabError) -> [EncodedChunk] {
    let copies = try window.begin(stream, chunkShape: chunkShape, format)
    return try encode(Array(copies[range]), from: .window(window), to: sinks)
  }

  /// How many chunks may be encoded together.
  package var mostTogether: Int {
    let fitting = Self.togetherByteCount / FrameOutput.leastByteCount(format)
    return Swift.max(1, Swift.min(fitting, Self.mostOpenFiles))
  }

  /// Encodes chunks together, a block of each in turn: neighbours whose rows share lines of the cache
  /// then fetch them once, not once each.
  ///
  /// - Parameters:
  ///   - copies: Where each chunk's valid part lies; must be of the format's chunk.
  ///   - supply: The memory that they speak of.
  ///   - sinks: What takes each file.
  package func encode(
    _ copies: [ChunkCopy], from supply: BlockSupply, to sinks: [some FrameSink]
  ) throws(HyperslabError) -> [EncodedChunk] {
    while outputs.count < copies.count {
      outputs.append(try FrameOutput(format: format, together: outputs.count + 1))
    }
    for output in outputs.prefix(copies.count) { output.begin(together: copies.count) }
    for block in 0..<format.blockCount {
      for (position, copy) in copies.enumerated() {
        try encode(block, of: copy, from: supply, to: outputs[position], sinks[position])
      }
    }
    var chunks: [EncodedChunk] = []
    for (output, sink) in zip(outputs, sinks) { chunks.append(try output.finish(to: sink)) }
    return chunks
  }

  private func encode(
    _ block: Int, of copy: ChunkCopy, from supply: BlockSupply, to output: FrameOutput,
    _ sink: some FrameSink
  ) throws(HyperslabError) {
    let isPadded = !copy.coversChunk
    var bytes: UnsafeRawBufferPointer?
    if !isPadded || copy.touches(format.elementRange(ofBlock: block)) {
      let base = try unsafe supply.base(for: format.elementRange(ofBlock: block))
      let loaded = unsafe load(block, copy, base, isPadded: isPadded)
      unsafe addStatistics(of: loaded, block, isPadded ? copy : nil, to: &output.statistics)
      if unsafe !fill.fills(loaded) { unsafe bytes = loaded }
    }
    if unsafe bytes == nil, output.repeatFill(block: block) { return }
    let room = try unsafe output.room(forBlock: block, sink: sink)
    let stored =
      unsafe bytes.map { unsafe compress($0, block, of: copy, into: room) }
      ?? packFill(block, into: room)
    unsafe output.add(block: block, storedByteCount: stored, isFill: bytes == nil)
  }

  /// One block's bytes, padding included; there until the next block's are asked for.
  func bytes(
    ofBlock block: Int, _ copy: ChunkCopy, from supply: BlockSupply
  ) throws(HyperslabError) -> UnsafeRawBufferPointer {
    let base = try unsafe supply.base(for: format.elementRange(ofBlock: block))
    return unsafe load(block, copy, base, isPadded: !copy.coversChunk)
  }

  /// The bytes that one block would take, of which the bytes are given.
  func storedByteCount(
    ofBlock block: Int, _ copy: ChunkCopy, _ bytes: UnsafeRawBufferPointer
  ) throws(HyperslabError) -> Int {
    let room = try ElementBuffer(allocating: bytes.count + 8)
    return unsafe compress(bytes, block, of: copy, into: room.pointer)
  }

  /// The block's bytes: the source itself where the chunk lies in one piece, else gathered.
  private func load(
    _ block: Int, _ copy: ChunkCopy, _ base: UnsafeRawPointer, isPadded: Bool
  ) -> UnsafeRawBufferPointer {
    let range = format.byteRange(ofBlock: block)
    if let offset = copy.contiguousOffset {
      return unsafe UnsafeRawBufferPointer(
        start: base + offset + range.lowerBound, count: range.count)
    }
    let memory = unsafe UnsafeMutableRawBufferPointer(start: gathered.pointer, count: range.count)
    if isPadded { unsafe fill.write(over: memory) }
    unsafe copy.gather(format.elementRange(ofBlock: block), from: base, into: gathered.pointer)
    return UnsafeRawBufferPointer(memory)
  }

  /// Adds a block's elements, of a padded chunk's only those inside the array.
  private func addStatistics(
    of bytes: UnsafeRawBufferPointer, _ block: Int, _ padded: ChunkCopy?,
    to statistics: inout ElementStatistics
  ) {
    guard let padded, let elements = bytes.baseAddress else {
      return unsafe statistics.add(bytes, dataType: dataType)
    }
    let count = unsafe padded.compact(
      format.elementRange(ofBlock: block), from: elements, into: filtered.pointer)
    unsafe statistics.add(
      UnsafeRawBufferPointer(start: filtered.pointer, count: count * format.elementByteCount),
      dataType: dataType)
  }

  /// Stores a block of nothing but the fill value. They are all alike, so the first is kept.
  private func packFill(_ block: Int, into room: UnsafeMutableRawPointer) -> Int {
    let count = format.byteRange(ofBlock: block).count
    if let packed = packedFill, packed.decodedByteCount == count {
      unsafe room.copyMemory(from: packed.bytes, byteCount: packed.bytes.count)
      return packed.bytes.count
    }
    let memory = unsafe UnsafeMutableRawBufferPointer(start: gathered.pointer, count: count)
    unsafe fill.write(over: memory)
    let stored = unsafe compress(UnsafeRawBufferPointer(memory), block, of: nil, into: room)
    packedFill = unsafe (count, [UInt8](UnsafeRawBufferPointer(start: room, count: stored)))
    return stored
  }

  /// Filters and compresses a block behind its length word; returns the bytes of both.
  ///
  /// - Parameter copy: The chunk it is of; nil for a block that is all alike.
  private func compress(
    _ bytes: UnsafeRawBufferPointer, _ block: Int, of copy: ChunkCopy?,
    into room: UnsafeMutableRawPointer
  ) -> Int {
    let filter = format.filter(ofBlock: block)
    let plain = unsafe self.filter(delta(bytes), filter)
    // Among zeros, bits of noise make thousands of matches of four bytes, which save a tenth of the size and
    // take more than half of LZ4's time, there and back.
    let skipsShortMatches = filter == .bitshuffle && copy?.padsShortRows == true
    let target = unsafe UnsafeMutableRawBufferPointer(start: room + 4, count: bytes.count)
    // One byte less than the block: what LZ4 does not shrink is stored as it is.
    var length = bytes.count
    if let packed = unsafe compressor.compress(
      plain, into: .init(rebasing: target.dropLast()), skipsShortMatches: skipsShortMatches)
    {
      length = packed
    } else {
      unsafe target.copyMemory(from: plain)
    }
    unsafe room.storeBytes(of: UInt32(length), as: UInt32.self)
    return 4 + length
  }

  private func delta(_ bytes: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
    guard let stride = format.deltaStride, let differences, let source = bytes.baseAddress else {
      return unsafe bytes
    }
    unsafe Delta.apply(
      source, differences.pointer, byteCount: bytes.count,
      elementByteCount: format.elementByteCount, stride: stride)
    return unsafe UnsafeRawBufferPointer(start: differences.pointer, count: bytes.count)
  }

  private func filter(
    _ bytes: UnsafeRawBufferPointer, _ filter: Filter
  ) -> UnsafeRawBufferPointer {
    guard filter != .none, let source = bytes.baseAddress else { return unsafe bytes }
    let size = format.elementByteCount
    let count = bytes.count / size
    if filter == .shuffle {
      unsafe Shuffle.split(
        source, filtered.pointer, plane: count, count: count, elementByteCount: size)
    } else {
      unsafe Bitshuffle.split(
        source, filtered.pointer, scratch: scratch.pointer, count: count, elementByteCount: size)
    }
    return unsafe UnsafeRawBufferPointer(start: filtered.pointer, count: bytes.count)
  }
}
