import HyperslabCodecs
import HyperslabCore

/// What a writer did since its last commit.
struct Changes: Sendable {
  /// A data set created and not committed yet.
  struct NewDataset: Sendable {
    var record: DatasetRecord
    /// The id of the data set that it replaces.
    var replaces: Int?
    /// The commit that had changed that one last.
    var replacedCommit: Int?
  }

  /// A committed data set or group to remove.
  struct Removal: Sendable {
    /// Nil for a group.
    var id: Int?
    /// The commit that had changed the data set last.
    var commit: Int
  }

  /// A staged chunk.
  struct StagedRow: Sendable {
    var row: ChunkRow
    var batch: Int
    /// The array's shape that its padding was made for.
    var shape: Shape
    /// The data set's id as its handle knew it; nil for one that this session made.
    var id: Int?
  }

  /// What was done to one existing or new data set.
  struct Dataset: Sendable {
    var path: NodePath
    /// The record that the handle was opened with, where the writer's own index knows none.
    var opened: DatasetRecord?
    /// How its blocks are coded, if this writer chose that.
    var coding: BlockCoding?
    /// The array's shape from now on, if it changed.
    var shape: Shape?
    /// The least that it was on the way there: what was beyond is gone, even if it has grown since.
    var cut: ChunkGrid?
    var rows: [ChunkIndex: StagedRow] = [:]

    /// Whether a chunk was dropped by shrinking and not written since.
    func dropped(_ chunk: ChunkIndex) -> Bool {
      cut.map { !$0.contains(chunk) } ?? false && rows[chunk] == nil
    }

    var isEmpty: Bool { rows.isEmpty && coding == nil && shape == nil }
  }

  var groups: [NodePath: JSONObject] = [:]
  var datasets: [NodePath: NewDataset] = [:]
  var removed: [NodePath: Removal] = [:]
  var attributes: [NodePath: [String: JSONValue?]] = [:]
  /// By the writer's own number of the data set.
  var slots: [Int: Dataset] = [:]

  var isEmpty: Bool {
    groups.isEmpty && datasets.isEmpty && removed.isEmpty && attributes.isEmpty
      && slots.values.allSatisfy(\.isEmpty)
  }

  /// Whether node metadata changes, and with it the derived files.
  var touchesMetadata: Bool {
    !(groups.isEmpty && datasets.isEmpty && removed.isEmpty && attributes.isEmpty)
      || slots.values.contains { $0.coding != nil || $0.shape != nil }
  }
}
