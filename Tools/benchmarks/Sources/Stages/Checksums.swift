import HyperslabCodecs
import HyperslabCore

extension Stage {
  /// CRC-32C, with the processor's instruction, without it, and of pieces.
  static var checksums: [Stage] {
    [
      Stage("crc32c") {
        let sample = Samples.recording(elementByteCount: 2)
        return { keep(CRC32C.of(sample.bytes)) }
      },
      Stage("crc32c/portable") {
        let sample = Samples.recording(elementByteCount: 2)
        return { keep(CRC32C.portable(~0, sample.bytes)) }
      },
      Stage("crc32c/combine", byteCount: 100 << 16) {
        return {
          var crc: UInt32 = 1
          for _ in 0..<100 { crc = CRC32C.combine(crc, 0x1234_5678, secondByteCount: 40_000) }
          keep(crc)
        }
      },
    ]
  }
}
