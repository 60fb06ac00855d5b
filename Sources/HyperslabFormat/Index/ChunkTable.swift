import HyperslabCodecs
import HyperslabCore
import Synchronization

/// Runs that were read once; they are immutable, so one cache serves every snapshot of a store.
final class RunCache: Sendable {
  private struct Key: Hashable {
    let dataset: Int
    let reference: DatasetRecord.RunReference
  }

  private let runs = Mutex<[Key: Run]>([:])
  private let files: any FileSystem

  init(files: any FileSystem) { self.files = files }

  /// A run, read and checked on first use.
  func run(
    _ reference: DatasetRecord.RunReference, of record: DatasetRecord, store: String
  ) throws(HyperslabError) -> Run {
    let key = Key(dataset: record.id, reference: reference)
    if let run = runs.withLock({ $0[key] }) { return run }
    let path = StoreLayout.run(record.tableDirectory, reference)
    let place = "\(files.rootDescription)/\(path)"
    let bytes: [UInt8]
    do { bytes = try files.contents(path, limit: StoreIndex.maximumFileByteCount) } catch {
      if error.code == .missing || error.code == .foreign {
        throw HyperslabError(
          .damagedTable, "a run of the chunk table is missing", at: place, cause: error.cause)
      }
      throw error
    }
    let crc = CRC32C.of(bytes)
    guard bytes.count == reference.byteCount, crc == reference.crc else {
      throw HyperslabError(
        .damagedTable, "a run of the chunk table is not the one listed", at: place,
        expected: "\(reference.byteCount) bytes summing to \(CRC32C.hex(reference.crc))",
        found: "\(bytes.count) summing to \(CRC32C.hex(crc))")
    }
    let run = try Run(
      bytes, store: store, dataset: record.id, reference: reference,
      dataType: record.description.dataType, place: place)
    runs.withLock { $0[key] = run }
    return run
  }

  /// Puts in a run that was just written.
  func insert(_ run: Run, _ reference: DatasetRecord.RunReference, dataset: Int) {
    runs.withLock { $0[Key(dataset: dataset, reference: reference)] = run }
  }

  /// Forgets every run that an index does not list; a reader of an older one reads it again.
  func keep(_ index: StoreIndex) {
    var listed: Set<Key> = []
    for (_, record) in index.datasets {
      for reference in record.runs { listed.insert(Key(dataset: record.id, reference: reference)) }
    }
    runs.withLock { runs in
      for key in runs.keys where !listed.contains(key) { runs[key] = nil }
    }
  }
}

/// A data set's chunk table as one snapshot lists it.
struct ChunkTable: Sendable {
  let record: DatasetRecord
  let store: String
  let cache: RunCache

  /// The row of a chunk; the last run that covers it wins.
  func row(_ number: Int) throws(HyperslabError) -> ChunkRow {
    for reference in record.runs.reversed() {
      let run: Run
      // Numbers of the current grid tell which runs to skip only where the grids agree.
      if number < reference.low || number > reference.high {
        if record.grid.rank <= 1 { continue }
        run = try cache.run(reference, of: record, store: store)
        if run.gridShape == record.grid.gridShape { continue }
      } else {
        run = try cache.run(reference, of: record, store: store)
      }
      if let own = Self.translate(number, from: record.grid.gridShape, to: run.gridShape),
        let row = run.row(own)
      {
        return row
      }
    }
    return .neverWritten
  }

  /// Every chunk that some run covers, with its row.
  func forEachRow(
    _ body: (Int, ChunkRow) throws(HyperslabError) -> Void
  ) throws(HyperslabError) {
    var seen = Set<Int>()
    for reference in record.runs.reversed() {
      let run = try cache.run(reference, of: record, store: store)
      for (own, row) in run.numbered {
        guard let number = Self.translate(own, from: run.gridShape, to: record.grid.gridShape),
          seen.insert(number).inserted
        else { continue }
        try body(number, row)
      }
    }
  }

  /// A chunk's number in another grid of the same chunks; nil when it lies outside.
  static func translate(_ number: Int, from old: Shape, to new: Shape) -> Int? {
    if old == new { return number }
    guard old.rank == new.rank else { return nil }
    var rest = number
    var result = 0
    var stride = 1
    for axis in Swift.stride(from: old.rank - 1, through: 0, by: -1) {
      guard old[axis] > 0 else { return nil }
      let coordinate = rest % old[axis]
      rest /= old[axis]
      guard coordinate < new[axis] else { return nil }
      // Cannot wrap unless an axis of the new grid is empty, and then the guard ends it in nil.
      result &+= coordinate &* stride
      stride &*= new[axis]
    }
    return result
  }
}
