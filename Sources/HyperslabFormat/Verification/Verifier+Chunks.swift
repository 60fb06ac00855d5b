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
    let found = Mutex<[(ChunkIndex, Finding)]>([])
    try parallelLoop(
      count: stored.count, threads: threads,
      makeWorker: { () throws(HyperslabError) in try ChunkReader(format: format) }
    ) { (reader, position) throws(HyperslabError) in
      let (chunk, row) = stored[position]
      if let finding = look.chunk(chunk, row, of: path, record, reader) {
        found.withLock { $0.append((chunk, finding)) }
      }
    }
    var unread: Set<ChunkIndex> = []
    for (chunk, finding) in found.withLock({ $0 }) {
      note([finding], of: .chunk(path, chunk))
      if case .unchecked = finding { unread.insert(chunk) }
    }
    for (chunk, row) in stored where !unread.contains(chunk) {
      report.chunksChecked += 1
      report.bytesChecked += quick ? 0 : row.byteCount
    }
  }

  /// Beyond the array an edge chunk holds the fill value, or growing the array would show something
  /// nobody wrote.
  static func checkPadding(
    of path: StorePath, in files: any FileSystem, _ chunk: ChunkIndex, _ row: ChunkRow,
    _ record: DatasetRecord,
    _ reader: ChunkReader
  ) throws(HyperslabError) {
    if record.grid.validShape(of: chunk) == record.grid.chunkShape { return }
    try reader.checkPadding(reader.open(path, in: files, row: row), chunk, record)
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
      let memory = try ElementBuffer(allocating: format.prefixByteCount + 4)
      let prefix = unsafe UnsafeMutableRawBufferPointer(
        start: memory.pointer, count: format.prefixByteCount)
      let trailer = unsafe UnsafeMutableRawBufferPointer(
        start: memory.pointer + format.prefixByteCount, count: 4)
      guard try unsafe file.read(at: 0, into: prefix) == prefix.count,
        try unsafe file.read(at: file.byteCount - 4, into: trailer) == 4
      else { throw HyperslabError(.io, "could not be read whole", at: "\(path)") }
      let parsed = try unsafe FramePrefix(
        UnsafeRawBufferPointer(prefix), format: format, fileByteCount: file.byteCount)
      return unsafe trailer.loadUnaligned(as: UInt32.self) == parsed.trailer
        ? parsed.headerCRC : nil
    } catch {
      guard error.isDamage else { throw error }
      return nil
    }
  }
}
