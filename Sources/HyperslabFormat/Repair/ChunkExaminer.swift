import HyperslabCodecs
import HyperslabCore

/// What a data set's chunk files tell by themselves, without a table that lists them.
struct ChunkExaminer {
  private let files: any FileSystem
  private let path: NodePath
  private let record: DatasetRecord
  private let format: FrameFormat
  private let reader: ChunkReader

  /// - Returns: nil where no chunk can be stored, since no filter was chosen.
  init?(
    files: any FileSystem, path: NodePath, record: DatasetRecord
  ) throws(HyperslabError) {
    guard let filter = record.filter else { return nil }
    self.files = files
    self.path = path
    self.record = record
    format = try record.frameFormat(filter: filter)
    reader = try ChunkReader(format: format)
  }

  /// The row that a writer would have written of a chunk's file; nil unless there is a sound one.
  func row(_ chunk: ChunkIndex) throws(HyperslabError) -> ChunkRow? {
    for place in record.places(of: chunk, at: path) {
      if let row = try row(chunk, at: place) { return row }
    }
    return nil
  }

  private func row(_ chunk: ChunkIndex, at place: StorePath) throws(HyperslabError) -> ChunkRow? {
    guard let status = try files.status(place), status.kind == .file,
      let crc = try Verifier.soundHeader(place, files, format)
    else { return nil }
    var row = ChunkRow(state: .stored, byteCount: status.byteCount, crc: crc)
    do throws(HyperslabError) {
      try reader.check(place, in: files, row: row, quick: false)
      try Verifier.checkPadding(of: place, in: files, chunk, row, record, reader)
      row.statistics = try reader.statistics(
        reader.open(place, in: files, row: row), chunk, record)
    } catch {
      guard error.isDamage else { throw error }
      return nil
    }
    return row
  }

  /// The row of a chunk that is written and holds nothing but the fill value.
  func fillRow(_ chunk: ChunkIndex) -> ChunkRow {
    var statistics = ElementStatistics()
    let fill = record.description.fillValue
    let element = ElementBuffer(byteCount: record.description.dataType.byteCount)
    let bytes = unsafe UnsafeMutableRawBufferPointer(
      start: element.pointer, count: element.byteCount)
    unsafe fill.write(over: bytes)
    unsafe statistics.add(UnsafeRawBufferPointer(bytes), dataType: fill.dataType)
    statistics.nanCount *= record.grid.validShape(of: chunk).elementCount ?? 0
    return ChunkRow(state: .fill, statistics: statistics)
  }

  /// All chunks of the grid that have a file under their name.
  func inventory() throws(HyperslabError) -> [ChunkIndex] {
    var chunks: [ChunkIndex] = []
    let root = StoreLayout.chunks(path)
    if record.grid.rank == 0 {
      if try files.status(root)?.kind == .file { chunks.append(ChunkIndex([])) }
    } else if try files.status(root)?.kind == .directory {
      try list(root, [], &chunks)
    }
    return chunks
  }

  private func list(
    _ directory: StorePath, _ coordinates: [Int], _ chunks: inout [ChunkIndex]
  ) throws(HyperslabError) {
    let axis = coordinates.count
    for entry in try files.list(directory) {
      guard let coordinate = StoreLayout.coordinate(entry.name),
        (0..<record.grid.gridShape[axis]).contains(coordinate)
      else { continue }
      let all = coordinates + [coordinate]
      if all.count < record.grid.rank {
        if entry.kind == .directory { try list(directory / entry.name, all, &chunks) }
      } else if entry.kind == .file {
        chunks.append(ChunkIndex(all))
      }
    }
  }
}
