import HyperslabCodecs
import HyperslabCore
import HyperslabTestSupport
import SystemPackage
import Testing

@testable import HyperslabFormat

/// `slab.json`: what is read, what is refused, what is kept.
@Suite struct StoreIndexTests {
  private let directory: TemporaryDirectory
  private var path: FilePath { directory.path.appending("small.slab") }
  private var file: FilePath { path.appending("slab.json") }

  init() throws {
    directory = try TemporaryDirectory()
    try SmallStore.write(at: directory.path.appending("small.slab"))
  }

  private func read() throws -> JSONObject {
    try #require(try JSONParser.parse(try contents(file)).object)
  }

  /// Writes the index with a change, its checksum right again.
  private func change(_ body: (inout JSONObject) -> Void) throws {
    var index = try read()
    index["crc32c"] = nil
    body(&index)
    try putIndex(SelfCheck.seal(index), in: path)
  }

  private func changeNode(_ name: String, _ body: (inout JSONObject) -> Void) throws {
    try change { index in
      var nodes = index["nodes"]?.object ?? [:]
      var node = nodes[name]?.object ?? [:]
      body(&node)
      nodes[name] = .object(node)
      index["nodes"] = .object(nodes)
    }
  }

  /// Whatever the index says: an error or values, for readers, writers and the check alike.
  private func survives() {
    _ = try? SlabStore.verify(path, threads: 1)
    if let store = try? SlabStore.open(path) {
      for node in store.nodes() { _ = node.attributes }
      for name in ["a/ramp", "wave", "a/flags"] {
        guard let dataset = try? store.dataset(name) else { continue }
        _ = dataset.info.missingChunks + dataset.info.logicalByteCount
        _ = try? dataset.readBytes([0..<1], missing: .fill)
      }
    }
    if let store = try? SlabStore.open(path, mode: .readWrite) {
      if let dataset = try? store.dataset("a/flags"), dataset.grid.chunkCount > 0 {
        let memory = [UInt8](repeating: 9, count: 12)
        let layout = StridedLayout(shape: [12], byteStrides: [1])
        memory.withUnsafeBytes { try? dataset.writeChunk([0], from: $0.bytes, layout: layout) }
      }
      try? store.close()
    }
  }

  @Test func theVersionComesFirst() throws {
    try change { $0 = ["slab": 2, "everything": "else"] }
    expectError(.unsupportedVersion) { _ = try SlabStore.open(path) }
    try write(Array("{\"slab\": 3, \"no\": \"checksum\"}".utf8), to: file)
    expectError(.unsupportedVersion) { _ = try SlabStore.open(path) }
    try write(Array("{}".utf8), to: file)
    expectError(.unsupportedVersion) { _ = try SlabStore.open(path) }
    try write(Array("[]".utf8), to: file)
    expectError(.damagedIndex) { _ = try SlabStore.open(path) }
    try write([], to: file)
    expectError(.damagedIndex) { _ = try SlabStore.open(path) }
    try remove(file)
    expectError(.damagedIndex) { _ = try SlabStore.open(path) }
    expectError(.notAStore) { _ = try SlabStore.open(directory.path) }
    expectError(.notFound) { _ = try SlabStore.open(directory.path.appending("none")) }
  }

  @Test func featuresGate() throws {
    try change { $0["write_features"] = ["runs", "future"] }
    let store = try SlabStore.open(path)
    #expect(try store.dataset("wave").read(Float.self).elements == SmallStore.wave)
    expectError(.unsupportedFeature) { _ = try SlabStore.open(path, mode: .readWrite) }
    try change { $0["read_features"] = ["future"] }
    expectError(.unsupportedFeature) { _ = try SlabStore.open(path) }
  }

  @Test func unknownMembersAreRefusedAndExtensionsCarried() throws {
    for name in ["a", "wave"] {
      try changeNode(name) { $0["x-note"] = ["kept": [1, 2.5, nil]] }
    }
    try change { $0["x-lab"] = "B12" }
    let store = try SlabStore.open(path, mode: .readWrite)
    try store.setAttribute("note", "new", of: try NodePath("wave"))
    try store.close()
    let index = try read()
    #expect(index["x-lab"] == "B12")
    for name in ["a", "wave"] {
      #expect(index["nodes"]?.object?[name]?.object?["x-note"] == ["kept": [1, 2.5, nil]])
    }
    try changeNode("wave") { $0["surprise"] = 1 }
    expectError(.damagedIndex) { _ = try SlabStore.open(path) }
    try changeNode("wave") { $0["surprise"] = nil }
    try changeNode("a") { $0["surprise"] = 1 }
    expectError(.damagedIndex) { _ = try SlabStore.open(path) }
    try changeNode("a") { $0["surprise"] = nil }
    try change { $0["surprise"] = 1 }
    expectError(.damagedIndex) { _ = try SlabStore.open(path) }
    try change { $0["surprise"] = nil }
    _ = try SlabStore.open(path)
  }

  @Test func aSourceIsAFingerprint() throws {
    let long = String(repeating: "f", count: 1024)
    for (source, isFine) in [
      (["fingerprint": "crc 1"], true), (nil, true), (["fingerprint": "", "x-more": 1], true),
      (["fingerprint": .string(long)], true), (["fingerprint": .string(long + "f")], false),
      ([:], false), (["fingerprint": nil], false), (["fingerprint": "a", "time": 1], false),
      ("crc 1", false), (["crc 1"], false),
    ] as [(JSONValue, Bool)] {
      try changeNode("a/flags") { $0["source"] = source }
      if isFine {
        let found = try SlabStore.open(path).dataset("a/flags").description.sourceFingerprint
        #expect(found == source.object?["fingerprint"]?.string)
      } else {
        expectError(.damagedIndex) { _ = try SlabStore.open(path) }
      }
    }
  }

  @Test func namesStandOnce() throws {
    let text = String(decoding: try contents(file), as: UTF8.self)
    let twice = text.replacing("\"slab\": 1,", with: "\"slab\": 1, \"slab\": 1,")
    try write(Array(twice.utf8), to: file)
    expectError(.damagedIndex) { _ = try SlabStore.open(path) }
  }

  @Test(arguments: [
    "../up", "a//b", "/a", "a/", ".hidden", "__own", "c", "a/c", "zarr.json", "a\u{0}b", "a\\b",
    String(repeating: "n", count: 256), "orphan/below", "a/ramp/below",
  ])
  func badNodeNamesAreRefused(name: String) throws {
    try changeNode(name) { $0 = ["kind": "group", "attributes": [:]] }
    expectError(.damagedIndex) { _ = try SlabStore.open(path) }
  }

  /// Every number of a data set replaced by hostile ones: no trap, no endless work.
  @Test func hostileNumbersAreErrors() throws {
    let original = try contents(file)
    let hostile: [JSONValue] = [
      -1, 0, 1, 2, .integer(1 << 40), .integer(1 << 53 - 1), .integer(1 << 53), .integer(.max),
      .integer(.min), .unsigned(.max), 0.5, "NaN", nil, true, [], [:], "d9223372036854775807",
      "d-1", "d9007199254740991", [[0, 1]], [[0, .integer(1 << 40)]], [[.integer(.max), 1]],
    ]
    let node = "a/flags"
    try write(original, to: file)
    let members = try #require(try read()["nodes"]?.object?[node]?.object)
    for name in members.keys + ["pending"] {
      for value in hostile {
        try write(original, to: file)
        try changeNode(node) { $0[name] = value }
        survives()
        guard let inner = members[name]?.array, !inner.isEmpty else { continue }
        try changeNode(node) { $0[name] = .array([value] + inner.dropFirst()) }
        survives()
      }
    }
    for value in hostile {
      for name in ["writer", "slot", "batch", "rows", "drop"] {
        var pending: JSONObject = [
          "writer": .string(String(repeating: "0", count: 32)), "slot": 0, "batch": 0,
          "rows": [[0, 1]], "drop": [],
        ]
        pending[name] = value
        try write(original, to: file)
        try changeNode(node) { $0["pending"] = .object(pending) }
        survives()
      }
      for name in ["commit", "crc", "size", "lo", "hi", "rows"] {
        try write(original, to: file)
        try changeNode(node) { json in
          guard var runs = json["runs"]?.array, var run = runs.first?.object else { return }
          run[name] = value
          runs[0] = .object(run)
          json["runs"] = .array(runs)
        }
        survives()
      }
    }
    for value in hostile {
      for name in try read().keys where name != "crc32c" {
        try write(original, to: file)
        try change { $0[name] = value }
        survives()
      }
      try write(original, to: file)
      try change { $0["removed"] = [["id": value, "path": "gone"]] }
      survives()
      try write(original, to: file)
      try change { $0["removed"] = [["id": "d7", "path": value]] }
      survives()
    }
  }

  @Test func hostileGeometryIsAnError() throws {
    let original = try contents(file)
    let huge = JSONValue.integer(1 << 62 - 1)
    for (shape, chunk) in [
      ([0, huge, huge], [1, 1, 1]), ([huge, huge], [1, 1]), ([huge], [1]), ([24], [0]),
      ([24], [huge]), ([24], [.integer(1 << 31)]), ([], []), ([24, 24], [12]), ([0], [12]),
      ([24, 0], [12, 12]), ([huge, huge], [huge, huge]),
      (Array(repeating: 1, count: 33), Array(repeating: 1, count: 33)),
    ] as [([JSONValue], [JSONValue])] {
      for pending in [false, true] {
        try write(original, to: file)
        try changeNode("a/flags") { json in
          json["shape"] = .array(shape)
          json["max_shape"] = .array(shape)
          json["chunk_shape"] = .array(chunk)
          json["chunks"] = ["stored": 0, "fill": 0]
          if pending {
            json["pending"] = [
              "writer": .string(String(repeating: "0", count: 32)), "slot": 0, "batch": 0,
              "rows": [[0, 1]], "drop": [[0, 1]],
            ]
          }
        }
        survives()
      }
    }
  }

  @Test func randomDamageWithARightChecksumIsAnErrorOrReads() throws {
    let original = try contents(file)
    let body = original.count - 22
    var generator = SeededGenerator("index")
    for _ in 0..<1500 {
      var bytes = Array(original.prefix(body))
      for _ in 0..<Int.random(in: 1...3, using: &generator) {
        let position = Int.random(in: 0..<bytes.count, using: &generator)
        switch Int.random(in: 0..<4, using: &generator) {
        case 0: bytes[position] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
        case 1: bytes[position] = UInt8(ascii: "9")
        case 2: bytes.remove(at: position)
        default: bytes.insert(contentsOf: Array("99999999".utf8), at: position)
        }
      }
      bytes += Array("\"crc32c\": \"\(CRC32C.hex(CRC32C.of(bytes)))\"}\n".utf8)
      try write(bytes, to: file)
      _ = try? SlabStore.verify(path, quick: true, threads: 1)
      _ = try? SlabStore.open(path).dataset("a/flags").readBytes()
    }
  }

  @Test func attributesThatWouldNotReadBackAreRefused() throws {
    let store = try SlabStore.open(path, mode: .readWrite)
    let wave = try NodePath("wave")
    func nested(_ depth: Int) -> JSONValue {
      (0..<depth).reduce(JSONValue.integer(1)) { value, _ in [value] }
    }
    try store.setAttribute("deep", nested(64), of: wave)
    expectError(.invalidValue) { try store.setAttribute("deeper", nested(65), of: wave) }
    expectError(.invalidValue) { try store.setAttribute("nan", .double(.nan), of: wave) }
    expectError(.invalidValue) {
      try store.createGroup("g", attributes: ["infinite": [.double(.infinity)]])
    }
    let half = JSONValue.string(String(repeating: "x", count: 600_000))
    try store.setAttribute("one", half, of: wave)
    expectError(.limit) { try store.setAttribute("two", half, of: wave) }
    try store.setAttribute("one", nil, of: wave)
    try store.setAttribute("two", half, of: wave)
    try store.close()
    let attributes = try SlabStore.open(path).node(wave).attributes
    #expect(attributes["deep"] == nested(64) && attributes["two"] == half)
    #expect(attributes["one"] == nil)
    try SlabStore.open(path, mode: .readWrite).close()
  }

  @Test func everyValueOfAnAttributeReadsBack() throws {
    let value: JSONValue = [
      "numbers": [
        0, -1, .integer(.max), .integer(.min), .unsigned(.max), 0.1, -0.0, 1e300,
        .double(.leastNonzeroMagnitude), 3.0,
      ],
      "text": "\u{0}\u{1F}\u{7F} \"\\/ é e\u{301} 𝄞 \u{2028}", "nothing": nil, "yes": true,
      "": [:],
    ]
    let store = try SlabStore.open(path, mode: .readWrite)
    try store.setAttribute("all", value, of: .root)
    try store.close()
    let found = try SlabStore.open(path).node(.root).attributes["all"]
    #expect(found == value)
    #expect(found?.text() == value.text())
  }

  /// As many removed nodes as an index can have are read, and no more are read or written.
  @Test func removedNodesHaveALimit() throws {
    let limit = StoreIndex.maximumRemovalCount
    func remove(_ count: Int) throws {
      try change { index in
        index["next_id"] = 30_000
        index["removed"] = .array(
          (0..<count).map { ["id": .string("d\(20_000 + $0)"), "path": .string("gone\($0)")] })
      }
    }
    try remove(limit)
    let files = try LocalFileSystem(root: path)
    var index = try Snapshot.read(files, cache: RunCache(files: files)).index
    #expect(index.removed.count == limit)
    index.removed.append(StoreIndex.Removal(id: 29_999, path: try NodePath("more")))
    let refused = #expect(throws: HyperslabError.self) { try index.encoded() }
    #expect(refused?.code == .limit)
    try remove(limit + 1)
    let error = #expect(throws: HyperslabError.self) { try SlabStore.open(path) }
    #expect(error?.code == .damagedIndex)
  }
}
