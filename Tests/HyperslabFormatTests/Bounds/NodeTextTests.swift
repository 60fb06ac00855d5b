import Foundation
import HyperslabCore
import SystemPackage
import Testing

@testable import HyperslabFormat

/// A commit takes over the text of nodes that it does not change, and works out no more than the others.
@Suite struct NodeTextTests {
  private let directory: TemporaryDirectory
  private var path: FilePath { directory.path.appending("small.slab") }
  private var file: FilePath { path.appending("slab.json") }

  init() throws {
    directory = try TemporaryDirectory()
    try SmallStore.write(at: directory.path.appending("small.slab"))
  }

  @Test func textOfOthersStays() throws {
    // As another writer might have laid it out.
    let own = String(decoding: try contents(file), as: UTF8.self)
    let spaced = own.replacingOccurrences(
      of: "\"dtype\": \"float32\"", with: "\"dtype\"  :\n\"float32\"")
    #expect(spaced != own)
    let body = Array(spaced.utf8.dropLast(SelfCheck.tailByteCount))
    try putIndex(body + SelfCheck.tail(of: body), in: path)
    let store = try SlabStore.open(path, mode: .readWrite)
    try store.setAttribute("k", 5, of: node("a/ramp"))
    try store.close()
    let after = String(decoding: try contents(file), as: UTF8.self)
    #expect(after.contains("\"dtype\"  :\n\"float32\""))
    let open = try SlabStore.open(path)
    #expect(try open.node(node("a/ramp")).attributes["k"] == 5)
    #expect(try SlabStore.verify(path).ok)
    try open.dataset("wave").expect(SmallStore.wave)
  }

  @Test func whatChangedIsReadAnew() throws {
    let files = try LocalFileSystem(root: path)
    let cache = RunCache(files: files)
    let first = try Snapshot.read(files, cache: cache).index
    let store = try SlabStore.open(path, mode: .readWrite)
    try store.setAttribute("k", 5, of: node("wave"))
    try store.createGroup(node("new/inner"), attributes: ["é": 1])
    try store.remove(node("a/flags"))
    try store.commit()
    let second = try Snapshot.read(files, cache: cache).index
    #expect(first.dataset(node("wave"))?.description.attributes["k"] == nil)
    #expect(second.dataset(node("wave"))?.description.attributes["k"] == 5)
    #expect(second.nodes[node("new/inner")] != nil && second.dataset(node("a/flags")) == nil)
    #expect(
      second.nodes.keys.map(\.description) == ["", "a", "a/ramp", "new", "new/inner", "wave"])
    #expect(try second.encoded() == StoreIndex(try contents(file), place: "").encoded())
    try store.close()
  }

  @Test func nodesStandInOrderWhateverTheFile() throws {
    var table: NodeTable = [:]
    let names = ["b", "a/b", "", "a", "a.b", "a/b/d", "é", "a b"]
    for name in names { table[try NodePath(name)] = .group(attributes: [:], extensions: [:]) }
    #expect(table.keys.map(\.description) == ["", "a", "a/b", "a/b/d", "a b", "a.b", "b", "é"])
    #expect(table.spelling(of: node("e\u{301}"))?.description.utf8.count == "é".utf8.count)
    table[node("e\u{301}")] = nil
    #expect(table.count == names.count - 1)
    #expect(NodeTable([entry("é"), entry("e\u{301}")]) == nil)
    #expect(NodeTable([entry("b"), entry("a")])?.keys.map(\.description) == ["a", "b"])
  }

  private func node(_ text: String) -> NodePath { (try? NodePath(text)) ?? .root }

  private func entry(_ path: String) -> NodeTable.Entry {
    .init(path: node(path), node: .group(attributes: [:], extensions: [:]), text: nil)
  }
}

extension SlabDataset {
  fileprivate func expect(_ values: [Float]) throws {
    #expect(try read(Float.self, missing: .fill).elements == values)
  }
}
