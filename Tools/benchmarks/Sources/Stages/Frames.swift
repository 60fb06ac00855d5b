import HyperslabCodecs
import HyperslabCore

extension Stage {
  /// Whole chunks into chunk files and back: filter, LZ4, checksums and all.
  static var frames: [Stage] {
    Filter.allCases.flatMap { filter in
      [1, 2, 4, 8, 16].flatMap { size in
        [
          Stage("encode/\(filter)/\(size)") {
            let chunk = try FrameSample(filter, elementByteCount: size)
            return { keep(chunk.encode()) }
          },
          Stage("decode/\(filter)/\(size)") {
            let chunk = try FrameSample(filter, elementByteCount: size)
            return try chunk.decoding()
          },
        ]
      }
    } + [
      Stage("encode/fill") {
        let chunk = try FrameSample(.bitshuffle, elementByteCount: 4, isFill: true)
        return { keep(chunk.encode()) }
      }
    ]
  }
}

/// One chunk in one piece, with what encodes and decodes it.
private struct FrameSample {
  let format: FrameFormat
  let copy: ChunkCopy
  let source: ElementBuffer
  let encoder: FrameEncoder
  let file = MemoryFile()

  init(_ filter: Filter, elementByteCount size: Int, isFill: Bool = false) throws {
    format = try FrameFormat(
      elementByteCount: size, filter: filter, chunkByteCount: Samples.byteCount,
      blockByteCount: FrameFormat.defaultBlockByteCount)
    let shape: Shape = [Samples.byteCount / size]
    copy = ChunkCopy(
      chunkShape: shape, region: StridedSelection(Selection(all: shape)),
      layout: StridedLayout(shape: shape, byteStrides: [size]), elementByteCount: size)
    source = Samples.recording(elementByteCount: size)
    if isFill {
      source.pointer.initializeMemory(as: UInt8.self, repeating: 0, count: source.byteCount)
    }
    encoder = try FrameEncoder(
      format: format, level: 1, fill: FillValue(zero: Samples.dataType(elementByteCount: size)))
  }

  func encode() -> EncodedChunk {
    mustSucceed { try encoder.encode([copy], from: .memory(source.pointer), to: [file])[0] }
  }

  /// Decodes what was encoded once, the way a reader does: the prefix, then block by block.
  func decoding() throws -> () -> Void {
    let byteCount = encode().byteCount
    let (format, copy, file) = (format, copy, file)
    let decoder = try FrameDecoder(format: format)
    let target = ElementBuffer(byteCount: Samples.byteCount)
    func decode() throws {
      try file.bytes.withUnsafeBytes { bytes in
        let prefix = try FramePrefix(
          UnsafeRawBufferPointer(rebasing: bytes[..<format.prefixByteCount]), format: format,
          fileByteCount: byteCount)
        for block in 0..<format.blockCount {
          let stored = UnsafeRawBufferPointer(rebasing: bytes[prefix.storedRange(ofBlock: block)])
          try decoder.decode(
            block: block, stored: stored, prefix: prefix, copy: copy, into: target.pointer)
        }
        keep(prefix.trailer)
      }
    }
    try decode()
    return { mustSucceed { try decode() } }
  }
}

/// A chunk file in memory.
private final class MemoryFile: FrameSink {
  private(set) var bytes = [UInt8](repeating: 0, count: 2 * Samples.byteCount)

  func write(_ piece: UnsafeRawBufferPointer, at offset: Int) {
    bytes.withUnsafeMutableBytes { memory in
      UnsafeMutableRawBufferPointer(rebasing: memory[offset..<offset + piece.count])
        .copyMemory(from: piece)
    }
  }
}
