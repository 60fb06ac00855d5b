import HyperslabCore

/// The chunk files of a data set, as far as their headers tell.
struct ChunkHeaders {
  private let files: any FileSystem
  private let path: NodePath
  private let record: DatasetRecord
  private let reader: ChunkReader?

  init(
    _ files: any FileSystem, _ path: NodePath, _ record: DatasetRecord
  ) throws(HyperslabError) {
    self.files = files
    self.path = path
    self.record = record
    reader = try record.filter.map { (filter) throws(HyperslabError) in
      try ChunkReader(format: try record.frameFormat(filter: filter))
    }
  }

  /// Whether the file that a row lists is in one of the chunk's places.
  func hold(_ chunk: ChunkIndex, _ row: ChunkRow) throws(HyperslabError) -> Bool {
    guard let reader else { return false }
    for place in record.places(of: chunk, at: path) {
      do throws(HyperslabError) {
        try reader.check(place, in: files, row: row, quick: true)
        return true
      } catch { guard error.isDamage else { throw error } }
    }
    return false
  }
}
