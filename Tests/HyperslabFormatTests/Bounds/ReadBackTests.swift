import HyperslabCore
import SystemPackage
import Testing

@testable import HyperslabFormat

/// What was read can be written, and what is written can be read back; otherwise nothing changes.
@Suite struct ReadBackTests {
  private let directory: TemporaryDirectory
  private var path: FilePath { directory.path.appending("small.slab") }
  private var file: FilePath { path.appending("slab.json") }
  private static let most = 1 << 53 - 1

  init() throws {
    directory = try TemporaryDirectory()
    try SmallStore.write(at: directory.path.appending("small.slab"))
  }

  private func node(_ text: String) -> NodePath { (try? NodePath(text)) ?? .root }

  /// Writes the index with a change of itself and of a node, its checksum right again.
  private func change(
    _ name: String = "a/flags", _ body: (inout JSONObject) -> Void = { _ in },
    index change: (inout JSONObject) -> Void = { _ in }
  ) throws {
    var index = try #require(try JSONParser.parse(try contents(file)).object)
    index["crc32c"] = nil
    change(&index)
    var nodes = try #require(index["nodes"]?.object)
    var node = try #require(nodes[name]?.object)
    body(&node)
    nodes[name] = .object(node)
    index["nodes"] = .object(nodes)
    try putIndex(SelfCheck.seal(index), in: path)
  }

  /// - Returns: why an operation was refused, after which the index is as it was and opens.
  private func refused(_ body: () throws -> Void) throws -> HyperslabError.Code? {
    let before = try contents(file)
    let error = #expect(throws: HyperslabError.self) { try body() }
    #expect(try contents(file) == before)
    return error?.code
  }

  private func put(_ values: [UInt8], replacing: Bool = false) throws {
    let store = try SlabStore.open(path, mode: .readWrite)
    let name = node(replacing ? "a/flags" : "more")
    let description = DatasetDescription(
      shape: [24], chunkShape: [12], dataType: .uint8, compression: .init(filter: Filter.none))
    let dataset =
      replacing
      ? try store.replaceDataset(name, description) : try store.createDataset(name, description)
    try writeAll(values, to: dataset)
    try store.commit()
    try store.close()
  }

  @Test func aRunIsListedOnce() throws {
    try change { node in
      let runs = node["runs"]?.array ?? []
      node["runs"] = .array(runs + runs)
    }
    let error = #expect(throws: HyperslabError.self) { try SlabStore.open(path) }
    #expect(error?.code == .damagedIndex)
    // No repair publishes what it counted twice.
    #expect(try refused { _ = try SlabStore.repair(path) } == .damagedIndex)
    #expect(try !SlabStore.verify(path).ok)
  }

  @Test(arguments: [false, true]) func theLastNumberOfADataSet(replacing: Bool) throws {
    try change(index: { $0["next_id"] = .integer(Self.most - 1) })
    try put(SmallStore.flags, replacing: replacing)
    #expect(try SlabStore.verify(path).ok)
    #expect(try refused { try put(SmallStore.flags, replacing: true) } == .limit)
    let store = try SlabStore.open(path, mode: .readWrite)
    try store.setAttribute("k", 5, of: node("wave"))
    try store.close()
    #expect(try SlabStore.open(path).node(node("wave")).attributes["k"] == 5)
  }

  @Test func storedBytesThatWouldRiseTooFar() throws {
    try change("a/flags") { node in
      node["stored_bytes"] = .integer(Self.most)
      node["max_shape"] = [nil]
    }
    let store = try SlabStore.open(path, mode: .readWrite)
    let code = try refused {
      let dataset = try store.dataset(node("a/flags")).resized(to: [36])
      try writeAll([UInt8](repeating: 7, count: 36), to: dataset)
      try store.commit()
    }
    #expect(code == .limit)
    try? store.close()
    #expect(try SlabStore.open(path).dataset(node("a/flags")).grid.arrayShape == [24])
    _ = try SlabStore.repair(path)
    #expect(try SlabStore.verify(path).ok)
  }

  @Test func countsThatWouldRiseTooFar() throws {
    try change("wave") { $0["nan"] = .integer(Self.most) }
    let store = try SlabStore.open(path, mode: .readWrite)
    let code = try refused {
      try writeAll([Float](repeating: .nan, count: 45), to: try store.dataset(node("wave")))
      try store.commit()
    }
    #expect(code == .limit)
    try? store.close()
    _ = try SlabStore.repair(path)
    #expect(try SlabStore.verify(path).ok)
  }

  /// As many attributes as there are, taken at once: changed, new and gone.
  @Test func attributesAreTakenTogether() throws {
    var told = JSONObject()
    for number in 0..<4000 { told["\(number)"] = .integer(number) }
    var found = JSONObject()
    for number in 2000..<6000 { found["\(number)"] = .integer(number % 3000) }
    let changes = found.changes(from: told)
    #expect(changes.count == 2000 + 1000 + 2000)
    var result = told
    result.set(changes)
    #expect(result == found)
    #expect(result.keys == found.keys)
    #expect(result["2000"] == 2000 && result["5999"] == 2999 && result["1999"] == nil)
  }

  /// Only groups that there are, are groups above something.
  @Test func groupsAbove() throws {
    let index = try Snapshot.read(
      LocalFileSystem(root: path), cache: RunCache(files: try LocalFileSystem(root: path))
    ).index
    let above = index.nodes.groups(above: ["a/flags", "a/x/y/z", "b/c1/d", "top"].map(node))
    #expect(above == [.root, node("a")])
    let names = ["a", "a/e\u{301}", "a/e\u{301}/b"].map(node)
    #expect(node("a/é/b/d").ancestors == [.root] + names)
    #expect(Set(node("a/é/b/d").ancestors) == Set([.root] + names))
    #expect(node("a/é/b/d").ancestors.map(\.description) == ["", "a", "a/é", "a/é/b"])
    #expect(index.nodes.firstDescendant(of: node("a")) == node("a/flags"))
    #expect(index.nodes.firstDescendant(of: node("wave")) == nil)
    #expect(index.nodes.firstDescendant(of: node("aa")) == nil)
  }
}
