import HyperslabCodecs
import HyperslabCore

// Chunk files.

extension Look {
  func chunkByItself(_ path: NodePath, _ chunk: ChunkIndex) -> Finding? {
    guard let record = index.dataset(path), record.grid.contains(chunk),
      let row = try? table(record).row(chunk), row.state == .stored,
      let format = try? record.frameFormat(filter: record.filter ?? .none)
    else { return nil }
    do throws(HyperslabError) {
      return self.chunk(chunk, row, of: path, record, try ChunkReader(format: format))
    } catch { return Finding(StoreLayout.chunk(path, chunk), .checksum, error, chunk: chunk) }
  }

  /// Checks a stored chunk's file: staged first, since files only move from there.
  func chunk(
    _ chunk: ChunkIndex, _ row: ChunkRow, of path: NodePath, _ record: DatasetRecord,
    _ reader: ChunkReader
  ) -> Finding? {
    let final = StoreLayout.chunk(path, chunk)
    var failure: HyperslabError?
    for place in record.places(of: chunk, at: path) {
      do throws(HyperslabError) {
        guard try presence.canHold(file: place) else {
          throw HyperslabError(.missing, "is not there")
        }
        try reader.check(place, in: files, row: row, quick: quick)
        if !quick {
          try Verifier.checkPadding(of: place, in: files, chunk, row, record, reader)
        }
        return nil
      } catch {
        // A staged file that is not there says less than the one that the system does not show.
        if failure?.leavesUnchecked != true { failure = error }
        if error.code == .missing { try? presence.miss(place) }
      }
    }
    guard let failure else { return nil }
    if failure.leavesUnchecked { return Finding(final, .checksum, failure, chunk: chunk) }
    if failure.code == .missing { return Finding(final, .missing, failure, chunk: chunk) }
    do throws(HyperslabError) {
      let format = try record.frameFormat(filter: record.filter ?? .none)
      let kind = try Verifier.kind(of: failure, final, files, format, row)
      if kind != .missing, try Provenance(files: files).isAnothersChunk(final) {
        return Finding(final, .foreign, Self.anothersChunk, chunk: chunk)
      }
      return Finding(final, kind, failure, chunk: chunk)
    } catch { return Finding(final, .checksum, error, chunk: chunk) }
  }

  /// What is wrong with a chunk that another program wrote over one of the store's.
  static let anothersChunk = HyperslabError(
    .foreign,
    "another program wrote this chunk; it is sound for Zarr readers and not for this store",
    remedy: "slab adopt takes it in, or says why it cannot; until then it stays as it is")
}
