/// What is known of a chunk without reading it.
public enum ChunkState: String, Hashable, Sendable {
  /// Nobody wrote it: reading it is an error unless the caller asks for the fill value.
  case neverWritten
  /// It was written and holds nothing but the fill value; nothing is stored for it.
  case fill
  /// It was written and is stored.
  case stored
}

/// What a read does about chunks that nobody ever wrote.
public enum MissingChunks: Hashable, Sendable {
  /// Throw `never_written`, naming the first such chunk.
  case refuse
  /// Give the fill value, as HDF5 and Zarr do.
  case fill
}

/// A place that keeps chunked arrays: the one seam between iteration and storage.
///
/// Implementations are thread-safe. Nothing that was written may be lost silently: a store that
/// can fail late fails in ``commit()``. `MemoryStore` shows how little it takes, and the
/// conformance suite in `HyperslabTestSupport` says exactly what is promised.
public protocol ChunkedStore: Sendable {
  /// A data set in this kind of store.
  associatedtype Dataset: ChunkedDataset

  /// Creates a group and those above it that are missing.
  ///
  /// - Throws: `already_exists` where a node stands in the way; `invalid_value` and `limit` for attributes
  ///   that would not read back or are too large.
  func createGroup(_ path: NodePath, attributes: JSONObject) throws(HyperslabError)

  /// Creates a data set, all chunks never written, and the groups above it that are missing.
  ///
  /// - Throws: `already_exists`; `invalid_name` for the root; `limit` for too many attributes; whatever ``DatasetDescription/validated()`` refuses.
  func createDataset(
    _ path: NodePath, _ description: DatasetDescription
  ) throws(HyperslabError) -> Dataset

  /// Opens a data set.
  ///
  /// - Throws: `not_found`, or `wrong_kind` for a group.
  func dataset(_ path: NodePath) throws(HyperslabError) -> Dataset

  /// Opens a data set as an operation has just committed it, whatever was done through this handle since and
  /// is not committed. By default as ``dataset(_:)-(NodePath)``.
  func committedDataset(_ path: NodePath) throws(HyperslabError) -> Dataset

  /// Makes everything written so far durable, all or nothing.
  func commit() throws(HyperslabError)

  /// Runs one operation (a write, an append) through a handle whose changes nobody else publishes: its
  /// `commit()` publishes them and no others, and what is not committed when `body` returns or throws is
  /// thrown away. By default the handle is this one, and nothing is thrown away.
  ///
  /// - Parameters:
  ///   - path: The data set that the operation makes, writes or appends to.
  ///   - appends: Whether it waits until those have ended that began to append to the data set before.
  ///   - checkWanted: Asked while it waits, on the caller's thread; what it throws ends the operation before
  ///     it began.
  ///   - body: Called at most once.
  func operation<R>(
    on path: NodePath, appends: Bool, checkWanted: () throws(HyperslabError) -> Void,
    _ body: (Self) throws(HyperslabError) -> R
  ) throws(HyperslabError) -> R

  /// Begins ``commit()`` and calls `completion` with what became of it, once and from any thread. Chunks
  /// that are written after this returned belong to the next commit. By default all is over by then.
  func beginCommit(completion: @escaping @Sendable (Result<Void, HyperslabError>) -> Void)

  /// Changes a data set's shape with the next commit: growing adds elements that nobody wrote,
  /// read as the fill value in chunks that are there; shrinking drops elements for good.
  ///
  /// - Returns: the data set in its new shape; other handles keep the old one or are refused.
  /// - Throws: `invalid_shape` for another rank or beyond the maximum shape; `unsupported`, the
  ///   default, in stores whose arrays cannot grow.
  func resizeDataset(_ path: NodePath, to shape: Shape) throws(HyperslabError) -> Dataset

  /// Forgets what was not committed and looks at what other writers have committed; data sets are to
  /// be opened again. Does nothing by default: for stores that no two processes share.
  func reload() throws(HyperslabError)

  /// Whether several processes may write at once; true by default.
  var isShareable: Bool { get }
}

/// One array in a ``ChunkedStore``.
///
/// Distinct chunks may be written and read at the same time from any threads; writing one chunk
/// twice at once is the caller's mistake.
public protocol ChunkedDataset: Sendable {
  /// Where it stands.
  var path: NodePath { get }
  /// What it is.
  var description: DatasetDescription { get }
  /// How it is divided.
  var grid: ChunkGrid { get }

  /// Whether both stand for one data set in which what was committed through the one is there through the other:
  /// it may have grown, but was neither replaced nor, where the store knows, cut shorter between them. True by
  /// default where the paths are the same.
  func isSame(as other: Self) -> Bool

  /// Shows the store data of the kind to come before the first chunk, so that it can choose how to
  /// compress; does nothing by default.
  func prepare(sample: RawSpan, layout: StridedLayout) throws(HyperslabError)

  /// What is known of a chunk, uncommitted writes of this session included.
  ///
  /// - Throws: `out_of_bounds` for a chunk that the grid does not have.
  func state(of chunk: ChunkIndex) throws(HyperslabError) -> ChunkState
  /// Looks whether what is stored of a region is there, without reading it: for whoever goes by what was written
  /// before. Does nothing by default.
  ///
  /// - Throws: what a read of it would throw.
  func checkStored(in region: Selection) throws(HyperslabError)

  /// Calls `body` with every chunk that was written, in C order, and its state.
  func forEachWrittenChunk(
    _ body: (ChunkIndex, ChunkState) throws(HyperslabError) -> Void
  ) throws(HyperslabError)

  /// Stores one chunk, replacing an earlier one as a whole.
  ///
  /// - Parameters:
  ///   - chunk: Where, in grid coordinates.
  ///   - bytes: Memory that holds the elements in host byte order.
  ///   - layout: Where they lie in it; its shape is the chunk's valid shape. Padding, filters and
  ///     compression are the store's business.
  /// - Throws: `out_of_bounds` for a chunk that the grid does not have, `size_mismatch` for a layout of
  ///   another shape or outside the memory; nothing has changed then.
  func writeChunk(
    _ chunk: ChunkIndex, from bytes: RawSpan, layout: StridedLayout
  ) throws(HyperslabError)

  /// Stores some chunks that lie in one memory; the default goes chunk by chunk. A store that takes a
  /// little of each in turn fetches a line of the cache once where it holds rows of many chunks.
  ///
  /// - Parameters:
  ///   - parts: Different chunks, and where the elements of each lie.
  ///   - bytes: Memory that holds the elements in host byte order.
  /// - Throws: as for a single chunk, and `invalid_value` for one that is named twice, with nothing stored;
  ///   where a store fails, some of the others may have been stored then.
  func writeChunks(_ parts: [PlacedChunk], from bytes: RawSpan) throws(HyperslabError)

  /// Reads part of one chunk; a chunk that is not stored gives the fill value.
  ///
  /// - Parameters:
  ///   - chunk: Which, in grid coordinates.
  ///   - region: What of it, in the chunk's own coordinates, inside its valid shape; may be empty.
  ///   - bytes: Memory that receives the elements; nothing else in it changes.
  ///   - layout: Where they go in it; of the region's shape.
  /// - Throws: `out_of_bounds` for a chunk or region that is not there, `size_mismatch` for a layout
  ///   of another shape or outside the memory.
  func readChunk(
    _ chunk: ChunkIndex, region: StridedSelection, into bytes: inout MutableRawSpan,
    layout: StridedLayout
  ) throws(HyperslabError)

  /// Reads any region of the array; the default goes chunk by chunk.
  ///
  /// - Throws: `out_of_bounds`, `size_mismatch` as for a chunk; `never_written`, naming the first
  ///   such chunk that the region touches, unless `missing` asks for the fill value.
  func read(
    _ region: StridedSelection, into bytes: inout MutableRawSpan, layout: StridedLayout,
    missing: MissingChunks
  ) throws(HyperslabError)
}
