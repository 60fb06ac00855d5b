import HyperslabCore

/// A chunk table's run of a commit that never came to be, since its writer died or failed: what it was about
/// to place, to the byte. Runs are permanent before anything takes a name ahead of the commit.
struct UnpublishedRun {
  let path: NodePath
  let dataset: Int
  private let numbering: ChunkNumbering
  private let ranges: [Range<Int>]
  private let states: [UInt8]
  private let byteCounts: [Int]
  private let checksums: [Int]
  /// Those that were to be placed only once the commit stood.
  private let waiting: Set<Int>

  /// Every sound run of commits after one. Looked for while the store's lock is held, so that nobody is making one.
  static func all(
    after commit: Int, of store: String, in files: any FileSystem
  ) throws(HyperslabError) -> [UnpublishedRun] {
    var result: [UnpublishedRun] = []
    guard try files.status(StoreLayout.tables)?.kind == .directory else { return [] }
    for directory in try files.list(StoreLayout.tables) where directory.kind == .directory {
      let table = StoreLayout.tables / directory.name
      for entry in (try? files.list(table)) ?? [] where entry.kind == .file {
        guard let number = Int(entry.name.prefix { $0 != "-" }), number > commit,
          let bytes = try? files.contents(
            table / entry.name, limit: StoreIndex.maximumFileByteCount),
          let run = try? UnpublishedRun(bytes, of: store, named: directory.name)
        else { continue }
        result.append(run)
      }
    }
    return result
  }

  private init(
    _ bytes: [UInt8], of store: String, named name: String
  ) throws(HyperslabError) {
    guard SelfCheck.holds(bytes) else { throw HyperslabError(.damagedTable, "no run") }
    var fields = try JSONFields(
      JSONText(checking: bytes, depthLimit: 32), place: name, code: .damagedTable)
    guard try fields.string("store") == store, try fields.string("dataset") == name,
      let dataset = DatasetRecord.id(name)
    else { throw HyperslabError(.damagedTable, "of another data set") }
    self.dataset = dataset
    path = try NodePath(try fields.string("path"))
    numbering = try fields.numbering("grid")
    ranges = try fields.ranges("id")
    states = Array(try fields.required("state").string?.utf8 ?? "".utf8)
    byteCounts = try fields.integers("bytes", in: 0...Int(Int32.max))
    checksums = try fields.integers("crc", in: 0...Int(UInt32.max))
    let isWaiting = fields.has("x-waiting")
    waiting = isWaiting ? Set(try fields.ranges("x-waiting").joined()) : []
    let count = ranges.reduce(0) { $0 + $1.count }
    guard [states.count, byteCounts.count, checksums.count].allSatisfy({ $0 == count }) else {
      throw fields.error("state", "columns of \(count)")
    }
  }

  /// Calls `body` with each chunk whose file was to take its name before the commit, where it was the first.
  func forEachStored(
    _ body: (ChunkIndex, _ byteCount: Int, _ crc: UInt32) throws(HyperslabError) -> Void
  ) throws(HyperslabError) {
    for (row, number) in ranges.joined().enumerated() where states[row] == UInt8(ascii: "s") {
      if waiting.contains(number) { continue }
      try body(numbering.chunk(number), byteCounts[row], UInt32(checksums[row]))
    }
  }
}
