import HyperslabCore
import SystemPackage
import Testing

@testable import HyperslabFormat

/// What an index claims to be pending is no measure of the work that it makes.
@Suite struct PendingBoundsTests {
  private let directory: TemporaryDirectory
  private let files: LocalFileSystem
  private var path: FilePath { directory.path.appending("small.slab") }
  private static let writer = "0123456789abcdef0123456789abcdef"
  private static let count = 2_796_202

  init() throws {
    directory = try TemporaryDirectory()
    let path = directory.path.appending("small.slab")
    try SmallStore.write(at: path)
    files = try LocalFileSystem(root: path)
  }

  private func node(_ text: String) -> NodePath { (try? NodePath(text)) ?? .root }

  /// Lets the index list one run, of a file that is not there, and some of its chunks as pending.
  private func claim(rows: JSONValue, drop: JSONValue) throws {
    var index = try #require(
      try JSONParser.parse(try contents(path.appending("slab.json"))).object)
    index["crc32c"] = nil
    var nodes = try #require(index["nodes"]?.object)
    var node = try #require(nodes["a/flags"]?.object)
    node["shape"] = [.integer(Self.count)]
    node["max_shape"] = [nil]
    node["chunk_shape"] = [1]
    node["runs"] = [
      [
        "commit": 1, "crc": "00000000", "size": .integer(16 << 20), "grid": [.integer(Self.count)],
        "lo": 0, "hi": .integer(Self.count - 1), "rows": .integer(Self.count),
      ]
    ]
    node["pending"] = [
      "writer": .string(Self.writer), "slot": 7, "batch": 0, "grid": [.integer(Self.count)],
      "rows": rows, "drop": drop,
    ]
    nodes["a/flags"] = .object(node)
    index["nodes"] = .object(nodes)
    try putIndex(SelfCheck.seal(index), in: path)
  }

  private func confirmed() throws -> DatasetRecord.Pending {
    let cache = RunCache(files: files)
    let index = try Snapshot.read(files, cache: cache).index
    let found = try index.confirmingPending(files, cache).dataset(node("a/flags"))
    return try #require(found?.pending)
  }

  @Test func aRunThatIsNotThereSpeaksForNothing() throws {
    try claim(rows: [], drop: [[0, .integer(Self.count)]])
    #expect(try confirmed().chunkCount == 0)
    try claim(rows: [[0, .integer(Self.count)]], drop: [])
    #expect(try confirmed().chunkCount == 0)
  }

  @Test func stagedFilesSpeakForThemselves() throws {
    try claim(rows: [[0, 100_000]], drop: [])
    let staging = StoreLayout.staging(writer: Self.writer)
    _ = try files.makeDirectories(staging)
    for name in ["7-99999-0", "7-3-0", "7-100000-0", "8-4-0", "7-5-1", "7-06-0", "7-1.2-0", "lock"]
    {
      try files.create(staging / name, contents: [1], synchronize: false)
    }
    #expect(try confirmed().rows == [3..<4, 99_999..<100_000])
  }

  @Test func aFewAreSettledWhateverElseIsKnown() throws {
    try claim(rows: [[5, 2]], drop: [[9, 1]])
    let pending = try confirmed()
    #expect(pending.rows == [5..<7])
    #expect(pending.drop == [9..<10])
  }

  @Test func rowsThatAreThereSpeakForAsMany() throws {
    let path = directory.path.appending("many.slab")
    let description = DatasetDescription(
      shape: [5000], chunkShape: [1], dataType: .uint8,
      compression: .init(filter: Filter.none))
    let store = try SlabStore.create(at: path, durability: .fast)
    let dataset = try store.createDataset(node("x"), description)
    try store.commit()
    try store.close()
    let files = try LocalFileSystem(root: path)
    let cache = RunCache(files: files)
    var index = try Snapshot.read(files, cache: cache).index
    var record = try #require(index.dataset(node("x")))
    let numbering = ChunkNumbering(record.grid)
    let run = Run(
      numbering: numbering, ranges: [0..<5000],
      rows: ChunkRows(Array(repeating: ChunkRow(state: .neverWritten), count: 5000)))
    let reference = DatasetRecord.RunReference(
      commit: 1, crc: 1, byteCount: 1 << 20, numbering: numbering, low: 0, high: 4999, rows: 5000)
    cache.insert(run, reference, dataset: record.id)
    record.runs = [reference]
    record.pending = .init(
      writer: Self.writer, slot: 0, batch: 0, numbering: numbering, rows: [], drop: [0..<5000])
    index.nodes[node("x")] = .dataset(record)
    #expect(dataset.grid.chunkCount == 5000)
    let confirmed = try index.confirmingPending(files, cache).dataset(node("x"))
    #expect(confirmed?.pending?.drop == [0..<5000])
  }

  @Test func writersAndRepairComeToAnEnd() throws {
    try claim(rows: [], drop: [[0, .integer(Self.count)]])
    let store = try SlabStore.open(path, mode: .readWrite)
    try store.setAttribute("k", 5, of: node("wave"))
    try store.close()
    try claim(rows: [[0, .integer(Self.count)]], drop: [])
    _ = try SlabStore.repair(path)
    #expect(try SlabStore.open(path).node(node("wave")).attributes["k"] == 5)
    #expect(try SlabStore.verify(path).ok)
  }
}
