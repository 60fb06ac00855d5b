import HyperslabCodecs
import HyperslabCore
import Synchronization

/// Runs that were read lately; they are immutable, so one cache serves every snapshot of a store.
///
/// It holds a bounded number of rows, so that a store of a million chunks takes no more memory than
/// one of a hundred thousand.
final class RunCache: Sendable {
  /// Rows kept in memory, some 30 bytes each.
  private static let rowLimit = 1 << 20

  private struct Key: Hashable {
    let dataset: Int
    let reference: DatasetRecord.RunReference
  }

  private struct Entry {
    let run: Run
    var lastUse: Int
  }

  private struct State {
    var entries: [Key: Entry] = [:]
    var rowCount = 0
    var clock = 0
  }

  private let state = Mutex(State())
  /// The indexes that list them.
  let indexes: IndexCache
  private let files: any FileSystem

  init(files: any FileSystem, indexes: IndexCache = IndexCache()) {
    self.files = files
    self.indexes = indexes
  }

  /// A run, read and checked on first use.
  func run(
    _ reference: DatasetRecord.RunReference, of record: DatasetRecord, store: String
  ) throws(HyperslabError) -> Run {
    let key = Key(dataset: record.id, reference: reference)
    if let run = lookUp(key) { return run }
    let run = try read(reference, of: record, store: store)
    put(run, key)
    return run
  }

  /// Puts in an index that was just written.
  func insert(_ index: StoreIndex, _ bytes: [UInt8]) { indexes.insert(index, bytes) }

  /// Puts in a run that was just written.
  func insert(_ run: Run, _ reference: DatasetRecord.RunReference, dataset: Int) {
    put(run, Key(dataset: dataset, reference: reference))
  }

  /// Forgets every run that an index does not list; a reader of an older one reads it again.
  func keep(_ index: StoreIndex) {
    var listed: Set<Key> = []
    for (_, record) in index.datasets {
      for reference in record.runs { listed.insert(Key(dataset: record.id, reference: reference)) }
    }
    state.withLock { state in
      for key in state.entries.keys where !listed.contains(key) { Self.drop(key, &state) }
    }
  }

  private func read(
    _ reference: DatasetRecord.RunReference, of record: DatasetRecord, store: String
  ) throws(HyperslabError) -> Run {
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
    return try Run(
      bytes, store: store, dataset: record.id, reference: reference,
      dataType: record.description.dataType, place: place)
  }

  private func lookUp(_ key: Key) -> Run? {
    state.withLock { state in
      state.clock += 1
      state.entries[key]?.lastUse = state.clock
      return state.entries[key]?.run
    }
  }

  private func put(_ run: Run, _ key: Key) {
    state.withLock { state in
      Self.drop(key, &state)
      state.clock += 1
      state.entries[key] = Entry(run: run, lastUse: state.clock)
      state.rowCount += run.rows.count
      while state.rowCount > Self.rowLimit, state.entries.count > 1,
        let oldest = state.entries.min(by: { $0.value.lastUse < $1.value.lastUse })?.key
      {
        Self.drop(oldest, &state)
      }
    }
  }

  private static func drop(_ key: Key, _ state: inout State) {
    guard let entry = state.entries.removeValue(forKey: key) else { return }
    state.rowCount -= entry.run.rows.count
  }
}
