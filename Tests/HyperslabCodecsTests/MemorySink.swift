import HyperslabCodecs
import HyperslabCore
import Testing

/// A chunk file in memory.
final class MemorySink: FrameSink {
  private(set) var bytes: [UInt8] = []

  func write(_ piece: UnsafeRawBufferPointer, at offset: Int) throws(HyperslabError) {
    let end = offset + piece.count
    if bytes.count < end { bytes += Array(repeating: 0xEE, count: end - bytes.count) }
    bytes.replaceSubrange(offset..<end, with: piece)
  }
}

extension FrameEncoder {
  /// Encodes into memory; the file is empty for nothing but the fill value.
  func encode(
    _ copy: ChunkCopy, from memory: UnsafeRawBufferPointer
  ) throws -> (chunk: EncodedChunk, file: [UInt8]) {
    let sink = MemorySink()
    let chunks = try encode(
      [copy], from: .memory(try #require(memory.baseAddress)), to: [sink])
    let chunk = try #require(chunks.first)
    #expect(sink.bytes.isEmpty || sink.bytes.count == chunk.byteCount)
    return (chunk, sink.bytes)
  }
}
