import CLZ4
import HyperslabCore

/// LZ4 block compression with state that is allocated once and reused; not for sharing between
/// threads.
@safe final class LZ4Compressor {
  private let level: Int
  private let state: UnsafeMutableRawPointer

  /// - Parameter level: 1 and 2 are LZ4's fast mode, 3 to 12 its high-compression levels.
  init(level: Int) {
    self.level = level
    let size = level < Compression.firstHighLevel ? LZ4_sizeofState() : LZ4_sizeofStateHC()
    unsafe state = .allocate(byteCount: Int(size), alignment: 16)
  }

  deinit { unsafe state.deallocate() }

  /// Compresses one block; nil when the result does not fit into `target`.
  ///
  /// - Parameter skipsShortMatches: Whether the fast mode leaves matches of four bytes alone. LZ4 looks for
  ///   them in blocks of up to 64 KiB; in longer ones and in streams, on 64-bit processors, for five.
  func compress(
    _ source: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer,
    skipsShortMatches: Bool
  ) -> Int? {
    guard let from = source.baseAddress, let to = target.baseAddress else { return nil }
    let characters = unsafe from.assumingMemoryBound(to: CChar.self)
    let output = unsafe to.assumingMemoryBound(to: CChar.self)
    let size = Int32(source.count)
    let capacity = Int32(target.count)
    let written =
      if level >= Compression.firstHighLevel {
        unsafe LZ4_compress_HC_extStateHC(state, characters, output, size, capacity, Int32(level))
      } else if skipsShortMatches {
        unsafe LZ4_compress_fast_continue(
          LZ4_initStream(state, Int(LZ4_sizeofState())), characters, output, size, capacity, 1)
      } else {
        unsafe LZ4_compress_fast_extState(state, characters, output, size, capacity, 1)
      }
    return written > 0 ? Int(written) : nil
  }
}

/// Decompresses one LZ4 block that must fill `target` exactly; false when it does not.
func decompressLZ4(_ source: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer)
  -> Bool
{
  var head = unsafe LZ4LongSequences(source, target)
  head.copy()
  return unsafe decompressLZ4(source, into: target, after: (head.consumed, head.written))
}

/// Decompresses the rest of a block some of which is done; false when it does not fill `target`.
///
/// - Parameter head: Bytes of the block that are done, whole sequences, and what they became.
func decompressLZ4(
  _ source: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer,
  after head: (consumed: Int, written: Int)
) -> Bool {
  guard let from = source.baseAddress, let to = target.baseAddress else { return false }
  let written = unsafe LZ4_decompress_safe_usingDict(
    (from + head.consumed).assumingMemoryBound(to: CChar.self),
    (to + head.written).assumingMemoryBound(to: CChar.self),
    Int32(source.count - head.consumed), Int32(target.count - head.written),
    to.assumingMemoryBound(to: CChar.self), Int32(head.written))
  return head.written + Int(written) == target.count && written >= 0
}
