import HyperslabCodecs
import HyperslabCore

extension Verifier {
  /// The header checksum that a file has if it is a frame of whatever format it says; nothing is checked.
  static func toldHeader(_ path: StorePath, _ files: any FileSystem) -> UInt32? {
    let memory = ElementBuffer(byteCount: 16)
    func word(_ offset: Int) -> Int {
      unsafe Int(memory.pointer.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
    }
    func read(_ count: Int, _ file: any FileHandle, at offset: Int) -> Bool {
      let bytes = unsafe UnsafeMutableRawBufferPointer(start: memory.pointer, count: count)
      return unsafe (try? file.read(at: offset, into: bytes)) == count
    }
    guard let file = try? files.open(path), read(16, file, at: 0) else { return nil }
    let (chunk, block) = (word(4), word(8))
    guard block > 0 else { return nil }
    let end = 16 + 8 * chunk.dividedRoundingUp(by: block)
    guard end + 4 <= file.byteCount, read(4, file, at: end) else { return nil }
    return UInt32(word(0))
  }
}
