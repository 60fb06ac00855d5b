import HyperslabCodecs
import HyperslabCore

/// What an operation did since its last commit.
struct Changes: Sendable {
  /// A data set created and not committed yet.
  struct NewDataset: Sendable {
    var record: DatasetRecord
    /// The data set that it replaces.
    var replaces: Removal?
  }

  /// A committed data set or group to remove.
  struct Removal: Sendable {
    /// Nil for a group.
    var id: Int?
    /// The commit that had changed the data set last.
    var commit: Int
    /// The attributes that it had.
    var attributes: JSONObject
  }

  /// A staged chunk.
  struct StagedRow: Sendable {
    var row: ChunkRow
    /// Where its file lies: in the directory of which batch, and which of the files there that were
    /// written for the chunk; 0 for the one with the name that a commit looks for.
    var batch: Int
    var copy = 0
    /// The array's shape that its padding was made for.
    var shape: Shape
    /// The data set's id as its handle knew it; nil for one that this change set made.
    var id: Int?

    /// Where its file lies in the private directory.
    func file(writer: String, slot: Int, chunk: ChunkIndex) -> StorePath {
      StoreLayout.staged(writer: writer, slot: slot, chunk: chunk, batch: batch, copy: copy)
    }
  }

  /// A staged chunk and the data set that it is of.
  struct StagedChunk: Sendable {
    let slot: Int
    let chunk: ChunkIndex
    let row: StagedRow

    func file(writer: String) -> StorePath { row.file(writer: writer, slot: slot, chunk: chunk) }
  }

  /// What was done to one existing or new data set.
  struct Dataset: Sendable {
    var path: NodePath
    /// The record that the handle was opened with, where the change set's base knows none.
    var opened: DatasetRecord?
    /// Whether what the handle saw counts, and not only the commit that the changes began with: not in a
    /// transaction, which may have read the old values, but for what it appends to.
    var followsHandle = true
    /// How its blocks are coded, if this writer chose that.
    var coding: BlockCoding?
    /// The array's shape from now on, if it changed.
    var shape: Shape?
    /// The least that it was on the way there: what was beyond is gone, even if it has grown since.
    var cut: ChunkGrid?
    var rows: [ChunkIndex: StagedRow] = [:]
    /// Whether another writer removed or replaced it, so that nothing of this can be committed.
    var isGone = false

    /// Whether a chunk was dropped by shrinking and not written since.
    func dropped(_ chunk: ChunkIndex) -> Bool {
      cut.map { !$0.contains(chunk) } ?? false && rows[chunk] == nil
    }

    var isEmpty: Bool { rows.isEmpty && coding == nil && shape == nil }
  }

  var groups: [NodePath: JSONObject] = [:]
  var datasets: [NodePath: NewDataset] = [:]
  var removed: [NodePath: Removal] = [:]
  var attributes: [NodePath: [JSONName: JSONValue?]] = [:]
  /// Which nodes those were of, by ``StoreIndex/owner(of:)``.
  var attributeOwners: [NodePath: Int] = [:]
  /// The attributes of nodes that a transaction has looked at, as they were: what it sets of them may follow
  /// from that. Else the last to commit wins.
  var seenAttributes: [NodePath: JSONObject] = [:]
  /// By the session's own number of the data set.
  var slots: [Int: Dataset] = [:]
  /// Of which of them a transaction has read values: what it writes to them may follow from those, so that
  /// the same written by another is a conflict, too, as where two add 1 to a counter.
  var seenSlots: Set<Int> = []

  var isEmpty: Bool {
    groups.isEmpty && datasets.isEmpty && removed.isEmpty && attributes.isEmpty
      && slots.values.allSatisfy(\.isEmpty)
  }

  /// Adds what was staged on top of these changes while their commit was tried; returns the rows whose
  /// files nobody needs any more.
  mutating func absorb(
    _ later: Changes
  ) -> [StagedChunk] {
    var unneeded: [StagedChunk] = []
    for (slot, dataset) in later.slots {
      var merged = slots[slot] ?? .init(path: dataset.path, opened: dataset.opened)
      merged.coding = merged.coding ?? dataset.coding
      for (chunk, row) in dataset.rows {
        if let old = merged.rows.updateValue(row, forKey: chunk), old.row.state == .stored {
          unneeded.append(.init(slot: slot, chunk: chunk, row: old))
        }
      }
      slots[slot] = merged
    }
    return unneeded
  }

  /// Whether node metadata changes, and with it the derived files.
  var touchesMetadata: Bool {
    !(groups.isEmpty && datasets.isEmpty && removed.isEmpty && attributes.isEmpty)
      || slots.values.contains { $0.coding != nil || $0.shape != nil }
  }
}
