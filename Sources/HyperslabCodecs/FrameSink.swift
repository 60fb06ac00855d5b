package import HyperslabCore

/// Where a chunk file goes, in pieces; its beginning comes last, when all offsets are known.
package protocol FrameSink: AnyObject {
  /// Writes bytes of the file; not called at all for a small chunk of nothing but the fill value.
  func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(HyperslabError)
}

/// What became of a chunk.
package struct EncodedChunk: Sendable {
  /// Whether every element of the padded chunk is the fill value; then the file is not wanted.
  package let isFill: Bool
  /// The chunk file's size.
  package let byteCount: Int
  /// The checksum of header, offsets and block checksums, which the chunk table records.
  package let headerCRC: UInt32
  /// Over the elements inside the array.
  package let statistics: ElementStatistics
}
