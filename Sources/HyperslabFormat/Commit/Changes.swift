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

  /// A staged chunk and the row it replaces.
  struct StagedRow: Sendable {
    var row: ChunkRow
    var batch: Int
  }

  /// What was done to one existing or new data set.
  struct Dataset: Sendable {
    var path: NodePath
    /// The record that the handle was opened with, where the writer's own index knows none.
    var opened: DatasetRecord?
    var filter: Filter?
    /// By chunk number in the grid of the handle.
    var rows: [Int: StagedRow] = [:]
  }

  var groups: [NodePath: JSONObject] = [:]
  var datasets: [NodePath: NewDataset] = [:]
  var removed: [NodePath: Int] = [:]
  var attributes: [NodePath: [String: JSONValue?]] = [:]
  /// By the writer's own number of the data set.
  var slots: [Int: Dataset] = [:]

  var isEmpty: Bool {
    groups.isEmpty && datasets.isEmpty && removed.isEmpty && attributes.isEmpty
      && slots.values.allSatisfy { $0.rows.isEmpty && $0.filter == nil }
  }

  /// Whether node metadata changes, and with it the derived files.
  var touchesMetadata: Bool {
    !(groups.isEmpty && datasets.isEmpty && removed.isEmpty && attributes.isEmpty)
      || slots.values.contains { $0.filter != nil }
  }
}
