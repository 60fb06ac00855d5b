import CLZ4
import HyperslabCore

extension Stage {
  /// LZ4 itself on unfiltered blocks: what the rest is to be measured against.
  static var lz4: [Stage] {
    [
      Stage("lz4/compress") {
        let sample = Samples.recording(elementByteCount: 4)
        let packer = Packer()
        return { packer.eachBlock(of: sample) { keep(packer.pack($0)) } }
      },
      Stage("lz4/decompress") {
        let sample = Samples.recording(elementByteCount: 4)
        let packer = Packer()
        var blocks: [[CChar]] = []
        packer.eachBlock(of: sample) { blocks.append(Array(packer.pack($0))) }
        let packed = blocks
        return { packed.forEach { keep(packer.unpack($0)) } }
      },
    ]
  }
}

/// LZ4's own functions with memory that is reused.
private final class Packer {
  static let blockByteCount = 1 << 16
  private let state = UnsafeMutableRawPointer.allocate(
    byteCount: Int(LZ4_sizeofState()), alignment: 16)
  private let output = UnsafeMutableBufferPointer<CChar>.allocate(capacity: 2 * blockByteCount)

  deinit {
    state.deallocate()
    output.deallocate()
  }

  func eachBlock(of sample: ElementBuffer, _ body: (UnsafeRawPointer) -> Void) {
    for offset in stride(from: 0, to: sample.byteCount, by: Self.blockByteCount) {
      body(sample.pointer + offset)
    }
  }

  func pack(_ block: UnsafeRawPointer) -> UnsafeMutableBufferPointer<CChar>.SubSequence {
    let count = LZ4_compress_fast_extState(
      state, block.assumingMemoryBound(to: CChar.self), output.baseAddress,
      Int32(Self.blockByteCount), Int32(output.count), 1)
    return output.prefix(Int(count))
  }

  func unpack(_ packed: [CChar]) -> Int32 {
    LZ4_decompress_safe(packed, output.baseAddress, Int32(packed.count), Int32(output.count))
  }
}
