import HyperslabCore
import SystemPackage
import Testing

@testable import HyperslabFormat

/// How often verify and repair ask the system follows from what there is, not from what an index says.
@Suite struct LookBoundsTests {
  private let directory: TemporaryDirectory
  private let files: FaultyFileSystem
  private var path: FilePath { directory.path.appending("small.slab") }
  private static let writer = "0123456789abcdef0123456789abcdef"
  private static let count = 2_796_202

  init() throws {
    directory = try TemporaryDirectory()
    let path = directory.path.appending("small.slab")
    try SmallStore.write(at: path)
    files = try FaultyFileSystem(root: path)
  }

  /// Lets the index list runs of a data set, of files that are not there, and chunks as pending.
  private func claim(
    rows: Int, of names: [String], pending: [String: JSONValue]
  ) throws {
    var index = try #require(
      try JSONParser.parse(try contents(path.appending("slab.json"))).object)
    index["crc32c"] = nil
    index["next_id"] = .integer(10_000)
    var nodes = try #require(index["nodes"]?.object)
    for (number, name) in names.enumerated() {
      var node = try #require(nodes["a/flags"]?.object)
      node["id"] = .string("d\(1000 + number)")
      node["shape"] = [.integer(Self.count)]
      node["max_shape"] = [nil]
      node["chunk_shape"] = [1]
      node["runs"] = [
        [
          "commit": 1, "crc": "00000000", "size": .integer(6 * rows),
          "grid": [.integer(Self.count)], "lo": 0, "hi": .integer(rows - 1), "rows": .integer(rows),
        ]
      ]
      var waiting: JSONObject = [
        "writer": .string(Self.writer), "slot": 7, "batch": 0, "grid": [.integer(Self.count)],
        "rows": [], "drop": [],
      ]
      for (name, value) in pending { waiting[name] = value }
      node["pending"] = .object(waiting)
      nodes[name] = .object(node)
    }
    index["nodes"] = .object(nodes)
    try write(SelfCheck.seal(index), to: path.appending("slab.json"))
  }

  private func questions(_ body: () throws -> Void) rethrows -> Int {
    let before = files.questionCount
    try body()
    return files.questionCount - before
  }

  private func verify() throws {
    var verifier = Verifier(files: files, node: .root, quick: false, threads: 1)
    try verifier.run()
  }

  @Test(arguments: ["rows", "drop"])
  func verifyAsksForNoChunkThatIsOnlyClaimed(part: String) throws {
    try claim(rows: Self.count, of: ["big"], pending: [part: [[0, .integer(Self.count)]]])
    #expect(try questions(verify) < 2000)
  }

  @Test func aFewClaimsOfManyDataSetsAreNotMany() throws {
    let names = (0..<200).map { "big\($0)" }
    try claim(rows: 1000, of: names, pending: ["drop": [[0, 1000]]])
    let index = try Snapshot.read(files, cache: RunCache(files: files)).index
    let confirmed = try index.confirmingPending(files, RunCache(files: files))
    #expect(confirmed.datasets.reduce(0) { $0 + ($1.record.pending?.chunkCount ?? 0) } <= 4096)
    #expect(try questions(verify) < 10_000)
    #expect(try questions { _ = try SlabStore.repair(files, threads: 1) } < 40_000)
  }

  @Test func chunksInADirectoryThatIsNotThereAreAskedForOnce() throws {
    let presence = Presence(files: files)
    let asked = try questions {
      for number in 0..<1000 {
        let isThere = try presence.holds(StoreLayout.chunk(.root, ChunkIndex([number, 3])))
        #expect(!isThere)
      }
    }
    #expect(asked == 1)
    #expect(try presence.holds(StoreLayout.index))
    #expect(try presence.holds(StorePath("a/ramp/c/0/0")))
    #expect(try !presence.holds(StorePath("a/ramp/c/0/9")))
  }

  @Test func norAreManyThatADirectoryLacks() throws {
    let presence = Presence(files: files)
    let path = try NodePath("a/ramp")
    let asked = try questions {
      for number in 100..<1100 {
        let place = StoreLayout.chunk(path, ChunkIndex([0, number]))
        guard try presence.canHold(file: place) else { continue }
        #expect(try files.status(place) == nil)
        try presence.miss(place)
      }
    }
    #expect(asked < 40)
    #expect(try presence.canHold(file: StorePath("a/ramp/c/0/0")))
    #expect(try !presence.canHold(file: StorePath("a/ramp/c/0/9")))
  }

  @Test func manyLostThingsOfOneNameAreNotCountedThrough() throws {
    let lost = LostFiles(files: files, commit: 3)
    let asked = try questions {
      for number in 0..<200 {
        let name = StorePath("stray\(number)")
        try files.create(name, contents: [1], synchronize: false)
        let target = try lost.take(name, named: "same")
        #expect(target.name == (number == 0 ? "3-same" : "3-same.\(number + 1)"))
      }
    }
    #expect(asked < 200 * 20)
  }

  @Test func pathsAreInTheOrderOfTheirNames() throws {
    let names = ["a", "b", "é", "e\u{301}", "z", "日", "a\u{316}\u{301}", "a\u{301}\u{316}", "ab"]
    var paths: [NodePath] = [.root]
    for first in names {
      paths.append(try NodePath(first))
      for second in names { paths.append(try NodePath("\(first)/\(second)")) }
    }
    for one in paths {
      for other in paths {
        let isBefore = one.components.lexicographicallyPrecedes(other.components)
        #expect((one < other) == isBefore, "\(one) and \(other)")
      }
    }
  }
}
