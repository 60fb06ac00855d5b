public import HyperslabCore

/// What the index says of a node, without reading anything else.
public enum NodeInfo: Sendable {
  /// A group and its attributes.
  case group(path: NodePath, attributes: JSONObject)
  /// A data set.
  case dataset(DatasetInfo)

  /// Where it stands.
  public var path: NodePath {
    switch self {
    case .group(let path, _): path
    case .dataset(let info): info.path
    }
  }

  /// The node's attributes.
  public var attributes: JSONObject {
    switch self {
    case .group(_, let attributes): attributes
    case .dataset(let info): info.description.attributes
    }
  }
}

/// A data set as its store knows it.
public struct DatasetInfo: Sendable {
  /// Where it stands.
  public let path: NodePath
  /// What it was described as.
  public let description: DatasetDescription
  /// How it is divided.
  public let grid: ChunkGrid
  /// The filter in use; nil before the first data let the store choose.
  public let filter: Filter?
  /// The axis along which differences are stored in place of the elements; nil where elements are.
  public let delta: Int?
  /// LZ4's level.
  public let level: Int
  /// Bytes of a separately readable block, before rounding down to whole elements.
  public let blockByteCount: Int
  /// Chunks with a file.
  public let storedChunks: Int
  /// Chunks written that hold only the fill value.
  public let fillChunks: Int
  /// Bytes of all chunk files.
  public let storedByteCount: Int
  /// Over all elements written.
  public let statistics: ElementStatistics
  /// The commit that last changed it.
  public let commit: Int

  init(path: NodePath, record: DatasetRecord) {
    self.path = path
    description = record.description
    grid = record.grid
    filter = record.filter
    delta = record.description.compression.delta
    level = record.description.compression.level
    blockByteCount = record.blockByteCount
    storedChunks = record.storedChunks
    fillChunks = record.fillChunks
    storedByteCount = record.storedByteCount
    statistics = record.statistics
    commit = record.commit
  }

  /// Chunks that nobody wrote.
  public var missingChunks: Int { grid.chunkCount - storedChunks - fillChunks }
  /// All chunks.
  public var totalChunks: Int { grid.chunkCount }
  /// Bytes of all elements; `Int.max` where they are more.
  public var logicalByteCount: Int {
    Checked.product(description.shape.axes + [description.dataType.byteCount]) ?? Int.max
  }
  /// Bytes of the elements that were written per byte stored; nil while nothing is stored.
  public var ratio: Double? {
    guard storedByteCount > 0, totalChunks > 0 else { return nil }
    let written = Double(storedChunks + fillChunks) / Double(totalChunks)
    return Double(logicalByteCount) * written / Double(storedByteCount)
  }
  /// `complete` when every chunk was written, else `partial`.
  public var state: String { missingChunks == 0 ? "complete" : "partial" }
}
