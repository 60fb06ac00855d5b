import HyperslabCodecs
import HyperslabCore

/// The contents of `slab.json`: everything about a store but the rows of its chunk tables.
struct StoreIndex: Sendable {
  /// A group's attributes, or a data set's record.
  enum Node: Sendable {
    case group(attributes: JSONObject, extensions: JSONObject)
    case dataset(DatasetRecord)
  }

  /// A node that the commit removed, whose files may not have been moved away yet.
  struct Removal: Hashable, Sendable {
    /// Nil for a group.
    var id: Int?
    var path: NodePath
  }

  /// Limits on what is read and written (Spec, "Limits").
  static let maximumFileByteCount = 16 << 20
  static let maximumNodeCount = StoreLimits.nodeCount
  /// All nodes that a commit can remove, and as many again that others keep in their places.
  static let maximumRemovalCount = 2 * maximumNodeCount
  static let maximumRunCount = 4096
  static let maximumChunkCount = StoreLimits.chunkCount
  static let maximumAxisLength = StoreLimits.axisLength
  static let rowsPerRun = 16384
  /// How deep a file may be nested: an attribute's value and the levels around it.
  static let depthLimit = StoreLimits.attributeDepth + 4
  static let maximumCommit = 1 << 53 - 2
  static let maximumNextID = 1 << 53 - 1
  private static let mostPredecessors = 16

  var uuid: String
  var commit: Int
  var time: String
  var writer: String
  /// `open` while a writer is at work or was killed, `complete` once closed.
  var state: String
  var writeFeatures = ["runs"]
  /// What a reader must know to read the data sets that there are.
  var readFeatures: [String] {
    Set(nodes.records.flatMap(\.record.readFeatures)).sorted()
  }
  /// Always holds the root group.
  var nodes: NodeTable
  var removed: [Removal] = []
  var extensions = JSONObject()

  /// Whether a copy of this index is kept under its number, once nobody is at work any more: it is damage,
  /// then, if there is none.
  var isCopied: Bool {
    get { extensions["x-copy"] == true }
    set { extensions["x-copy"] = newValue ? true : nil }
  }

  /// An index that a commit was made on.
  struct Predecessor: Equatable, Sendable {
    let commit: Int
    /// The checksum that the file ends in.
    let crc: UInt32

    /// - Returns: nil for bytes that are no index's.
    init?(commit: Int, bytes: [UInt8]) {
      guard let crc = SelfCheck.recorded(bytes) else { return nil }
      self.commit = commit
      self.crc = crc
    }

    fileprivate init?(_ text: String) {
      let parts = text.split(separator: "-", omittingEmptySubsequences: false)
      guard parts.count == 2, let commit = Int(parts[0]), let crc = UInt32(parts[1], radix: 16)
      else { return nil }
      self.commit = commit
      self.crc = crc
    }

    fileprivate var text: String { "\(commit)-\(CRC32C.hex(crc))" }
  }

  /// The indexes before this one, the last first, as many as are known of sixteen: `"x-before":
  /// ["11-58a35cbb"]`. By them a copy of a store is told that went on by itself.
  var predecessors: [Predecessor] {
    get {
      (extensions["x-before"]?.array ?? []).prefix(Self.mostPredecessors).compactMap {
        $0.string.flatMap(Predecessor.init)
      }
    }
    set {
      extensions["x-before"] =
        newValue.isEmpty
        ? nil : .array(newValue.prefix(Self.mostPredecessors).map { .string($0.text) })
    }
  }

  /// Refuses what would be written, but not read: an index with it would take all others with it.
  static func checkReadable(_ record: DatasetRecord) throws(HyperslabError) {
    var record = record
    record.id = 0
    var bytes: [UInt8] = []
    record.json.write(to: &bytes, style: .pretty, indent: 2)
    guard bytes.count < maximumFileByteCount else {
      throw HyperslabError(
        .limit, "a description of \(bytes.count) bytes",
        expected: "less than \(maximumFileByteCount)")
    }
    do throws(HyperslabError) {
      let text = try JSONText(checking: bytes, depthLimit: depthLimit)
      _ = try DatasetRecord(json: text, place: "the index with it")
    } catch {
      throw HyperslabError(
        .invalidValue, "a data set that could not be read back",
        remedy: "Say less of it in its unit, names and attributes", cause: error)
    }
  }

  /// The data set at a path, if there is one.
  func dataset(_ path: NodePath) -> DatasetRecord? {
    if case .dataset(let record) = nodes[path] { record } else { nil }
  }

  /// The attributes of a group, for no id, or of the data set of that id; nil where it is not that.
  func attributes(of path: NodePath, id: Int?) -> JSONObject? {
    switch nodes[path] {
    case .group(let attributes, _): id == nil ? attributes : nil
    case .dataset(let record): record.id == id ? record.description.attributes : nil
    case nil: nil
    }
  }

  /// What stands at a path: the id of a data set, -1 for a group.
  func owner(of path: NodePath) -> Int? {
    switch nodes[path] {
    case .group: -1
    case .dataset(let record): record.id
    case nil: nil
    }
  }

  /// All data sets by path.
  var datasets: [(path: NodePath, record: DatasetRecord)] {
    Array(nodes.records)
  }

  /// An id that no data set has or had.
  var nextID: Int {
    let used = nodes.records.reduce(-1) { Swift.max($0, $1.record.id) }
    return Swift.max(used + 1, (removed.compactMap(\.id).max() ?? -1) + 1, nextUnused)
  }

  /// One more than the highest id ever given, so that ids are never used twice.
  var nextUnused = 0

  /// Whether staged files of the last commit may wait for their final names.
  var hasPending: Bool {
    !removed.isEmpty
      || nodes.records.contains { $0.record.pending != nil || $0.record.incoming != nil }
  }

  /// The commits before this one whose indexes are kept for repair.
  var keptCommits: Range<Int> { Swift.max(0, commit - 2)..<commit }
}
