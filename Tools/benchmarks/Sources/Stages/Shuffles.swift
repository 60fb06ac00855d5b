import HyperslabCodecs
import HyperslabCore

extension Stage {
  /// The filters alone, a block at a time: byte planes and bit planes, apart and together.
  static var shuffles: [Stage] {
    [2, 4, 8].flatMap { size in
      [
        shuffle("split/\(size)", size) { block, target, _, count in
          Shuffle.split(block, target, plane: count, count: count, elementByteCount: size)
        },
        shuffle("join/\(size)", size) { block, target, _, count in
          Shuffle.join(block, plane: count, target, count: count, elementByteCount: size)
        },
        shuffle("splitBits/\(size)", size) { block, target, scratch, count in
          Bitshuffle.split(block, target, scratch: scratch, count: count, elementByteCount: size)
        },
        shuffle("joinBits/\(size)", size) { block, target, _, count in
          Bitshuffle.join(
            BitPlanes(block, elementCount: count, elementByteCount: size), 0..<count, target,
            elementByteCount: size)
        },
      ]
    }
  }

  private static func shuffle(
    _ name: String, _ size: Int,
    _ body:
      @escaping @Sendable (
        UnsafeRawPointer, UnsafeMutableRawPointer, UnsafeMutableRawPointer, Int
      ) -> Void
  ) -> Stage {
    Stage(name) {
      let sample = Samples.recording(elementByteCount: size)
      let target = ElementBuffer(byteCount: 1 << 16)
      let scratch = ElementBuffer(byteCount: 1 << 16)
      return {
        for offset in stride(from: 0, to: sample.byteCount, by: 1 << 16) {
          body(sample.pointer + offset, target.pointer, scratch.pointer, (1 << 16) / size)
        }
      }
    }
  }
}
