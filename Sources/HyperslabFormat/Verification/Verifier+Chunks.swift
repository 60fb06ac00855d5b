import HyperslabCodecs
import HyperslabCore
import Synchronization

// Chunk files.

extension Verifier {
  /// Checks every stored chunk's file, several at a time.
  mutating func checkChunks(
    _ stored: [(chunk: ChunkIndex, row: ChunkRow)], _ path: NodePath, _ record: DatasetRecord,
    _ look: Look
  ) throws(HyperslabError) {
    let format = try record.frameFormat(filter: record.filter ?? .none)
    let found = Mutex<[(Subject, [Finding])]>([])
    try parallelLoop(
      count: stored.count, threads: threads, makeWorker: { ChunkReader(format: format) }
    ) { (reader, position) throws(HyperslabError) in
      let (chunk, row) = stored[position]
      if let finding = look.chunk(chunk, row, of: path, record, reader) {
        found.withLock { $0.append((.chunk(path, chunk), [finding])) }
      }
    }
    for (subject, findings) in found.withLock({ $0 }) { note(findings, of: subject) }
    report.chunksChecked += stored.count
    report.bytesChecked += quick ? 0 : stored.reduce(0) { $0 + $1.row.byteCount }
  }

  /// Beyond the array an edge chunk holds the fill value, or growing the array would show something
  /// nobody wrote.
  static func checkPadding(
    of path: StorePath, in files: any FileSystem, _ chunk: ChunkIndex, _ row: ChunkRow,
    _ record: DatasetRecord,
    _ reader: ChunkReader
  ) throws(HyperslabError) {
    let valid = record.grid.validShape(of: chunk)
    let chunkShape = record.grid.chunkShape
    let size = record.description.dataType.byteCount
    guard valid != chunkShape, let count = chunkShape.elementCount,
      let layout = StridedLayout.rowMajor(chunkShape, elementByteCount: size)
    else { return }
    let memory = ElementBuffer(byteCount: count * size)
    try reader.decodeWhole(path, in: files, row: row, chunkShape: chunkShape, into: memory)
    // With the valid part filled, too, everything must be.
    let inside = Selection(all: valid)
    let copy = ChunkCopy(
      chunkShape: chunkShape, region: StridedSelection(inside), layout: layout.slice(inside),
      elementByteCount: size)
    let fill = record.description.fillValue
    copy.fill(with: fill, into: memory.pointer)
    guard fill.fills(UnsafeRawBufferPointer(start: memory.pointer, count: memory.byteCount)) else {
      throw HyperslabError(.checksum, "the padding beyond the array is not the fill value")
    }
  }

  /// Tells a sound file of another time, or place (``tellSwapped(_:)``), from a broken one.
  static func kind(
    of failure: HyperslabError, _ path: StorePath, _ files: any FileSystem, _ format: FrameFormat,
    _ row: ChunkRow
  ) throws(HyperslabError) -> VerificationReport.Problem.Kind {
    switch failure.code {
    case .missing: return .missing
    case .foreign: return .foreign
    case .swapped, .torn:
      if let crc = try soundHeader(path, files, format), crc != row.crc { return .stale }
      return failure.code == .torn ? .torn : .stale
    default: return .checksum
    }
  }

  /// The header checksum of a file that is a sound frame in itself; nil where it is none.
  ///
  /// - Throws: what says nothing about the file: that the system did not let it be read.
  static func soundHeader(
    _ path: StorePath, _ files: any FileSystem, _ format: FrameFormat
  ) throws(HyperslabError) -> UInt32? {
    do throws(HyperslabError) {
      let file = try files.open(path)
      guard file.byteCount >= format.minimumFileByteCount else { return nil }
      let memory = ElementBuffer(byteCount: format.prefixByteCount + 4)
      let prefix = UnsafeMutableRawBufferPointer(
        start: memory.pointer, count: format.prefixByteCount)
      let trailer = UnsafeMutableRawBufferPointer(
        start: memory.pointer + format.prefixByteCount, count: 4)
      guard try file.read(at: 0, into: prefix) == prefix.count,
        try file.read(at: file.byteCount - 4, into: trailer) == 4
      else { throw HyperslabError(.io, "could not be read whole", at: "\(path)") }
      let parsed = try FramePrefix(
        UnsafeRawBufferPointer(prefix), format: format, fileByteCount: file.byteCount)
      return trailer.loadUnaligned(as: UInt32.self) == parsed.trailer ? parsed.headerCRC : nil
    } catch {
      guard error.isDamage else { throw error }
      return nil
    }
  }
}
