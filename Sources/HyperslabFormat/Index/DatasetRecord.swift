import HyperslabCodecs
import HyperslabCore

/// What the index root says of one data set.
struct DatasetRecord: Sendable {
  /// A reference to an immutable file of chunk-table rows; its name follows from commit and checksum.
  struct RunReference: Hashable, Sendable {
    var commit: Int
    var crc: UInt32
    var byteCount: Int
    /// The grid that its rows are numbered in.
    var numbering: ChunkNumbering
    /// Lowest and highest chunk number in it.
    var low: Int
    var high: Int
    var rows: Int

    /// What its file's name follows from.
    struct Name: Hashable {
      let commit: Int
      let crc: UInt32
    }

    var name: Name { Name(commit: commit, crc: crc) }

    /// The number in it that a chunk would have; nil where it cannot have the chunk.
    func number(of chunk: ChunkIndex) -> Int? {
      guard let number = numbering.number(of: chunk), low <= number, number <= high else {
        return nil
      }
      return number
    }
  }

  /// Overwrites that the commit made valid but that may not have reached their final names yet.
  struct Pending: Hashable, Sendable {
    var writer: String
    /// The writer's own numbers of the data set and of the batch, from which staged names follow.
    var slot: Int
    var batch: Int
    /// The grid that the chunks are numbered in; one that the commit shrank has them all, too.
    var numbering: ChunkNumbering
    /// Chunks whose staged file replaces the final one.
    var rows: [Range<Int>]
    /// Chunks whose final file goes away.
    var drop: [Range<Int>]

    /// Whether both are of one commit.
    func isOfSameBatch(as other: Pending?) -> Bool {
      writer == other?.writer && slot == other?.slot && batch == other?.batch
    }

    /// Where a chunk's staged file is, if it has one.
    func stagedFile(of chunk: ChunkIndex) -> StorePath? {
      guard let number = numbering.number(of: chunk), rows.holds(number) else { return nil }
      return place(of: chunk)
    }

    /// Every chunk that has a staged file, and where that is until it has moved.
    var staged: some Sequence<(chunk: ChunkIndex, path: StorePath)> {
      rows.joined().lazy.map { number in
        let chunk = numbering.chunk(number)
        return (chunk: chunk, path: place(of: chunk))
      }
    }

    private func place(of chunk: ChunkIndex) -> StorePath {
      StoreLayout.waiting(writer: writer, slot: slot, chunk: chunk, batch: batch)
    }
  }

  /// Names the data set's directory of runs: `d<id>`.
  var id: Int
  var description: DatasetDescription
  var grid: ChunkGrid
  /// The filter in use; nil while none was chosen, which can only be before the first stored chunk.
  var filter: Filter?
  /// Bytes of a block; while the filter is open it may still be chosen, too, unless it was asked for.
  var blockByteCount: Int
  /// Whether blocks of the fill value are stored once a chunk.
  var repeatsFill = false
  /// The commit that last changed it.
  var commit: Int
  var storedChunks = 0
  var fillChunks = 0
  var storedByteCount = 0
  var statistics = ElementStatistics()
  /// Oldest first; the last that covers a chunk wins.
  var runs: [RunReference] = []
  var pending: Pending?
  /// The writer in whose directory all of it is until it takes its place, where the commit removes what
  /// stands there.
  var incoming: String?
  /// Members starting `x-`, carried along.
  var extensions = JSONObject()
  /// The last commit that took elements away, `"x-cut"`: the data set may be as long as before again, but what was
  /// committed before that need not be there.
  var lastCut: Int? {
    get { extensions["x-cut"]?.integer }
    set { extensions["x-cut"] = newValue.map { .integer($0) } }
  }

  /// Whether chunks hold differences along an axis, which only our own readers undo.
  var usesDelta: Bool { description.compression.delta != nil }

  /// Where a stored chunk's file may be, in the order in which it gets there.
  func places(of chunk: ChunkIndex, at path: NodePath) -> [StorePath] {
    let final = StoreLayout.chunk(path, chunk)
    if let incoming {
      return [StoreLayout.incoming(writer: incoming, dataset: id) / "c" / chunk, final]
    }
    return [pending?.stagedFile(of: chunk), final].compactMap { $0 }
  }

  /// Whether files of it are, or may be, in the directory of a writer.
  func isStaged(by writer: String) -> Bool { pending?.writer == writer || incoming == writer }

  /// What a reader must know to read its chunks.
  var readFeatures: [String] {
    (usesDelta ? ["delta"] : []) + (repeatsFill ? ["repeats"] : [])
  }

  /// Directory of the runs.
  var tableDirectory: StorePath { StoreLayout.tables / "d\(id)" }

  /// Whether another writer's changes leave this one's chunks meaning the same, apart from the shape.
  func isCompatible(with other: DatasetRecord) -> Bool {
    id == other.id && description.chunkShape == other.description.chunkShape
      && description.dataType == other.description.dataType
      && description.fillValue == other.description.fillValue
      && description.compression.delta == other.description.compression.delta
      && (coding == other.coding || coding == nil || other.coding == nil)
  }

  /// How its blocks are coded; nil while that is open.
  var coding: BlockCoding? {
    get { filter.map { coding(filter: $0) } }
    set {
      filter = newValue?.filter
      guard let newValue else { return }
      blockByteCount = newValue.blockByteCount
      repeatsFill = newValue.repeatsFill
    }
  }

  /// How its blocks are coded, with a filter for its own.
  func coding(filter: Filter) -> BlockCoding {
    BlockCoding(filter: filter, blockByteCount: blockByteCount, repeatsFill: repeatsFill)
  }

  /// The block size that a choice of filter must keep; nil where it is free, too.
  var fixedBlockByteCount: Int? {
    blockByteCount == FrameFormat.defaultBlockByteCount
      && description.compression.blockByteCount == nil ? nil : blockByteCount
  }
}
