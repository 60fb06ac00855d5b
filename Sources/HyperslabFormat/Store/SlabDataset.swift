import HyperslabCodecs
public import HyperslabCore
import Synchronization

/// A data set in a ``SlabStore``.
public final class SlabDataset: ChunkedDataset, FillingDataset {
  /// Where it stands.
  public let path: NodePath
  /// What it is.
  public let description: DatasetDescription
  /// How it is divided.
  public let grid: ChunkGrid
  let store: SlabStore
  /// The store's number for it; nil when it was created through the same handle of the store.
  private let openedID: Int?
  let slot: Int?
  let record: DatasetRecord
  /// The frames of its chunks, where their coding was chosen before it was opened, or by this handle.
  private let settledFormat: Mutex<FrameFormat?>
  private let encoders = Pool<FrameEncoder>()
  let readers = Pool<ChunkReader>()

  init(
    store: SlabStore, path: NodePath, record: DatasetRecord, isNew: Bool
  ) throws(HyperslabError) {
    self.store = store
    self.path = path
    self.record = record
    description = record.description
    grid = record.grid
    openedID = isNew ? nil : record.id
    slot = store.changes?.slot(of: path, id: openedID)
    var format: FrameFormat?
    if let coding = record.coding { format = try record.frameFormat(coding) }
    settledFormat = Mutex(format)
  }

  /// What the index says of it, as of the commit that the store's handle sees; of a data set that
  /// is not committed yet, what it was created as.
  public var info: DatasetInfo {
    DatasetInfo(path: path, record: committed(in: newView) ?? record)
  }

  /// The store's number for it; nil while its creation is not committed.
  var id: Int? { id(in: newView) }

  /// Whether both stand for one data set, and not for one and what took its place; nor for one that was cut
  /// shorter between them.
  public func isSame(as other: SlabDataset) -> Bool {
    guard record.lastCut == other.record.lastCut else { return false }
    if let id, let other = other.id { return id == other }
    return path == other.path && slot == other.slot
  }

  /// Its number as of a view.
  func id(in view: StoreView) -> Int? { openedID ?? view.createdID }

  /// What a reader goes by now.
  var newView: StoreView { store.view(of: slot) }

  /// What a view says of it; nil before its creation is committed, and of a namesake.
  func committed(in view: StoreView) -> DatasetRecord? {
    guard let id = id(in: view), let found = view.snapshot.index.dataset(path) else { return nil }
    return found.id == id ? found : nil
  }

  var place: String { "\(store.path)/\(path)" }

  var openForReading: HyperslabError {
    HyperslabError(
      .readOnly, "open for reading only", at: place, remedy: "Open the store with mode: .readWrite")
  }

  // MARK: - Format

  /// The frames of its chunks; nil while their coding is open.
  func format() throws(HyperslabError) -> FrameFormat? {
    if let settled = settledFormat.withLock({ $0 }) { return settled }
    guard let coding = othersCoding else { return nil }
    return try record.frameFormat(coding)
  }

  /// The coding as another handle of the session, or a commit, chose it.
  private var othersCoding: BlockCoding? {
    if let slot, let chosen = store.changes?.coding(slot: slot) { return chosen }
    return committed(in: newView)?.coding
  }

  /// Chooses filter and block size, and whether blocks of the fill value are stored once, by trying them on
  /// the sample, unless they are fixed already.
  public func prepare(sample: RawSpan, layout: StridedLayout) throws(HyperslabError) {
    _ = try store.writing()
    try checkMemory(layout, shape: layout.shape, byteCount: sample.byteCount)
    _ = try unsafe sample.withUnsafeBytes { (bytes) throws(HyperslabError) -> FrameFormat? in
      guard let base = bytes.baseAddress else { return nil }
      return try unsafe chooseFormat(.memory(base, layout))
    }
  }

  func chooseFormat(_ sample: CodingSource) throws(HyperslabError) -> FrameFormat {
    if let format = try format() { return format }
    let choice = try BlockCoding.choose(
      sample, chunkShape: grid.chunkShape, fill: description.fillValue,
      level: description.compression.level, blockByteCount: record.fixedBlockByteCount)
    let settled = try store.writing().settle(
      choice, slot: slot ?? 0, path: path, opened: record)
    let format = try record.frameFormat(settled)
    settledFormat.withLock { $0 = format }
    return format
  }

  // MARK: - Writing

  /// Stages one chunk; it becomes visible and permanent with the store's next commit.
  ///
  /// - Throws: `out_of_bounds`, `size_mismatch`, `read_only`, `io`, `no_space`.
  public func writeChunk(
    _ chunk: ChunkIndex, from bytes: RawSpan, layout: StridedLayout
  ) throws(HyperslabError) {
    try writeChunks([PlacedChunk(chunk, layout)], from: bytes)
  }

  /// Stages some chunks, a block of each in turn.
  ///
  /// - Throws: as for one; `invalid_value` for one that is named twice.
  public func writeChunks(_ parts: [PlacedChunk], from bytes: RawSpan) throws(HyperslabError) {
    let changes = try store.writing()
    guard let slot else { throw openForReading }
    do { try checkWrite(parts, byteCount: bytes.byteCount) } catch {
      var error = error
      error.place = place
      throw error
    }
    guard let first = parts.first else { return }
    try unsafe bytes.withUnsafeBytes { (memory) throws(HyperslabError) in
      guard let base = memory.baseAddress else { return }
      try stage(
        parts.map(\.chunk), unsafe chooseFormat(.memory(base, first.layout)), changes, slot: slot
      ) { (encoder, range, sinks) throws(HyperslabError) in
        let copies = parts[range].map { copy(of: $0) }
        return try unsafe encoder.encode(copies, from: .memory(base), to: sinks)
      }
    }
  }

  /// Stages chunks, as many at once as are encoded together.
  func stage(
    _ chunks: [ChunkIndex], _ format: FrameFormat, _ changes: ChangeSet, slot: Int,
    encode: (FrameEncoder, Range<Int>, [StagedFile]) throws(HyperslabError) -> [EncodedChunk]
  ) throws(HyperslabError) {
    try changes.part { () throws(HyperslabError) in
      try stageInTurn(chunks, format, changes, slot: slot, encode: encode)
    }
  }

  private func stageInTurn(
    _ chunks: [ChunkIndex], _ format: FrameFormat, _ changes: ChangeSet, slot: Int,
    encode: (FrameEncoder, Range<Int>, [StagedFile]) throws(HyperslabError) -> [EncodedChunk]
  ) throws(HyperslabError) {
    try encoders.withItem(
      make: { () throws(HyperslabError) in
        try FrameEncoder(
          format: format, level: description.compression.level, fill: description.fillValue)
      },
      { (encoder) throws(HyperslabError) in
        for start in stride(from: 0, to: chunks.count, by: encoder.mostTogether) {
          let range = start..<Swift.min(chunks.count, start + encoder.mostTogether)
          try changes.stage(
            path: path, slot: slot, chunks: Array(chunks[range]), opened: record, id: id
          ) { (sinks) throws(HyperslabError) in try encode(encoder, range, sinks) }
        }
      })
  }

  private func copy(of part: PlacedChunk) -> ChunkCopy {
    ChunkCopy(
      chunkShape: grid.chunkShape, region: StridedSelection(Selection(all: part.layout.shape)),
      layout: part.layout, elementByteCount: description.dataType.byteCount)
  }

  func checkChunk(_ chunk: ChunkIndex) throws(HyperslabError) {
    guard grid.contains(chunk) else {
      throw HyperslabError(
        .outOfBounds, "no such chunk", at: place, chunk: chunk,
        expected: "coordinates below \(grid.gridShape)")
    }
  }
}
