import Foundation
import HyperslabCore
import HyperslabIteration
import Synchronization
import SystemPackage
import Testing

@testable import HyperslabFormat

/// What others see of a store, and what becomes of what they write into it.
@Suite struct ZarrViewTests {
  private let directory: TemporaryDirectory
  private let path: FilePath

  init() throws {
    directory = try TemporaryDirectory()
    path = directory.path.appending("s.slab")
    let store = try SlabStore.create(at: path)
    for name in ["a", "b"] {
      try store.createDataset(try NodePath(name), row(chunks: 2)).put(0, 1)
    }
    try store.close()
  }

  private func file(_ name: String) -> String { path.appending(name).string }

  private func write(_ text: String, _ name: String) throws {
    let place = file(name)
    try FileManager.default.createDirectory(
      atPath: (place as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    try text.write(toFile: place, atomically: true, encoding: .utf8)
  }

  private func replace(_ store: SlabStore, _ name: String, _ value: Int32) throws {
    try store.replaceDataset(try NodePath(name), row(chunks: 2)).put(0, value)
  }

  private func model() throws -> ZarrReaderModel {
    try ZarrReaderModel(try LocalFileSystem(root: path))
  }

  @Test func whatLiesInAReplacedDataSetGoesToLostByName() throws {
    try write("mine", "a/notes.txt")
    try write("not a frame", "a/c/1")
    let store = try SlabStore.open(path, mode: .readWrite)
    try replace(store, "a", 7)
    try store.remove(try NodePath("b"))
    try store.close()
    let lost = try directory.files(in: path).filter { $0.hasPrefix("__slab/lost/") }
    #expect(lost == ["__slab/lost/a.c.1", "__slab/lost/a.notes.txt"])
    #expect(try firsts(path, "a") == [7, nil])
    #expect(try model().direct.keys.sorted() == ["a"])
    #expect(try model().consolidated?.keys.sorted() == ["a"])
  }

  @Test func whatCannotChangePlacesKeepsNobodyFromWriting() throws {
    let (store, files) = try openFaulty(path)
    files.fail { operation, place, _ in operation == .exchange && place == StorePath("a") }
    try replace(store, "a", 7)
    try store.dataset("b").put(0, 2)
    try store.commit()
    // The commit stands; who reads it by the index sees it, a Zarr reader what there was.
    #expect(try firsts(path, "a") == [7, nil])
    #expect(try firsts(path, "b") == [2, nil])
    #expect(try model().direct["a"]?.chunks[0] == [1, 1, 1, 1])
    let behind = try SlabStore.verify(path)
    #expect(behind.ok && behind.zarrView == .differs, "\(behind)")
    try store.dataset("b").put(0, 3)
    try store.createDataset(try NodePath("d"), row(chunks: 1)).put(0, 4)
    try store.commit()
    expectError(.io) {
      try store.dataset("a").put(0, 8)
      try store.commit()
    }
    try store.reload()
    #expect(try firsts(path, "b") == [3, nil])
    files.fail(nil)
    try store.dataset("a").put(1, 9)
    try store.close()
    #expect(try firsts(path, "a") == [7, 9])
    #expect(try model().direct["a"]?.chunks == [[7, 7, 7, 7], [9, 9, 9, 9]])
    let report = try SlabStore.verify(path)
    #expect(report.ok && report.zarrView == .same, "\(report)")
  }

  @Test func aDocumentThatCannotBeWrittenIsToldAndWrittenLater() throws {
    let (store, files) = try openFaulty(path)
    files.fail { operation, place, _ in operation == .exchange && place == StorePath("a/zarr.json")
    }
    try store.setAttribute("k", 1, of: try NodePath("a"))
    try store.commit()
    let behind = try SlabStore.verify(path)
    #expect(behind.zarrView == .differs, "\(behind)")
    files.fail(nil)
    try store.dataset("b").put(1, 5)
    try store.commit()
    try store.close()
    let report = try SlabStore.verify(path)
    #expect(report.ok && report.zarrView == .same, "\(report)")
  }

  @Test func aCommitOpensNoDocumentsOfOthers() throws {
    let opened = Mutex<Set<String>>([])
    let (store, files) = try openFaulty(path)
    files.fail { operation, place, _ in
      if operation == .open || operation == .exchange, place.name == "zarr.json" {
        opened.withLock { _ = $0.insert("\(place)") }
      }
      return false
    }
    try store.dataset("a").put(1, 2)
    try store.commit()
    #expect(opened.withLock { $0 }.isEmpty)
    try store.setAttribute("k", 1, of: try NodePath("a"))
    try store.commit()
    #expect(opened.withLock { $0.sorted() } == ["a/zarr.json", "zarr.json"])
    try store.close()
  }

  // MARK: - Others

  @Test func anotherProgramsChangeIsNoticedAndKept() throws {
    let theirs = try String(contentsOfFile: file("a/zarr.json"), encoding: .utf8)
      .replacingOccurrences(of: "\"attributes\": {}", with: "\"attributes\": {\"theirs\": 1}")
    try write(theirs, "a/zarr.json")
    expectError(.foreign) { _ = try SlabStore.open(path, mode: .readWrite) }
    #expect(try String(contentsOfFile: file("a/zarr.json"), encoding: .utf8) == theirs)
    #expect(try SlabStore.verify(path).zarrView == .differs)
    let report = try SlabStore.adopt(path)
    #expect(report.taken.map(\.path) == ["a"] && report.left.isEmpty, "\(report)")
    let store = try SlabStore.open(path, mode: .readWrite)
    let node = try store.node(try NodePath("a"))
    guard case .dataset(let info) = node else { return }
    #expect(info.description.attributes == ["theirs": 1])
    try store.close()
    #expect(try SlabStore.verify(path).zarrView == .same)
  }

  /// Written after the last look, where not even `__slab/lost` can be made.
  @Test func whatComesBetweenIsKeptWhereItCanBe() throws {
    let theirs = try String(contentsOfFile: file("a/zarr.json"), encoding: .utf8)
      .replacingOccurrences(of: "\"attributes\": {}", with: "\"attributes\":  {\"theirs\": 1}")
    let (store, files) = try openFaulty(path)
    let target = file("a/zarr.json")
    files.fail { operation, place, _ in
      if operation == .exchange, place == StorePath("a/zarr.json") {
        try? theirs.write(toFile: target, atomically: true, encoding: .utf8)
      }
      return [.rename, .makeDirectory].contains(operation) && "\(place)".contains("lost")
    }
    try store.setAttribute("k", 1, of: try NodePath("a"))
    try store.commit()
    files.fail(nil)
    try store.setAttribute("k", 2, of: try NodePath("a"))
    try store.close()
    let lost = try directory.files(in: path).filter { $0.hasPrefix("__slab/lost/") }
    #expect(try lost.map { try contents(path.appending($0)) } == [Array(theirs.utf8)])
    #expect(try SlabStore.verify(path).zarrView == .same)
  }

  /// What others write is theirs, also where it is no JSON for this reader but is for them.
  @Test(arguments: [
    "NaN", "-Infinity", "100000000000000000000", "\"\\ud800\"", "[[1, 2], {\"a\": Infinity}]",
  ])
  func metadataThatOnlyOthersRead(value: String) throws {
    for name in ["a/zarr.json", "zarr.json"] {
      let old = try String(contentsOfFile: file(name), encoding: .utf8)
      let theirs = old.replacingOccurrences(
        of: "\"attributes\": {}", with: "\"attributes\": {\"theirs\": \(value)}")
      try #require(theirs != old)
      try write(theirs, name)
      expectError(.foreign) { try SlabStore.open(path, mode: .readWrite).close() }
      #expect(try SlabStore.verify(path).zarrView != .same)
      let report = try SlabStore.adopt(path)
      #expect(report.left.count == 1 && report.taken.isEmpty, "\(report)")
      #expect(try String(contentsOfFile: file(name), encoding: .utf8) == theirs)
      let repaired = try SlabStore.repair(path)
      #expect(repaired.ok, "\(repaired)")
      let lost = try directory.files(in: path).filter { $0.hasPrefix("__slab/lost/") }
      #expect(try lost.contains { try contents(path.appending($0)) == Array(theirs.utf8) })
    }
  }

  @Test(arguments: [
    ("", false), ("{", false), ("{}", true), (" {\n} \n", true), ("{} {}", false), ("[{}]", false),
    ("{\"a\": \"}\"", false), ("{\"a\": \"\\\"}\"}", true), ("{\"a\": NaN}", true), ("x{}", false),
    ("{\0\"\0a\0\"\0:\0 \u{1}\0}\0", true), ("{\"a\": [}", false), ("{}}", false),
    ("\0\0\0", false),
  ])
  func whatMayBeADocument(text: String, isDocument: Bool) {
    #expect(FoundDocuments.isDocument(Array(text.utf8)) == isDocument)
  }

  /// What adopt does not take it leaves, whole.
  @Test(arguments: [
    ("a/zarr.json", "\"dimension_names\": [\"a_0\"]", "\"dimension_names\": [\"time\"]"),
    (
      "zarr.json", "\"zarr_format\": 3,\n  \"node_type\": \"group\"",
      "\"zarr_format\": 3,\n  \"x\": 1, \"node_type\": \"group\""
    ),
  ])
  func whatIsNotTakenStays(name: String, from: String, to: String) throws {
    let old = try String(contentsOfFile: file(name), encoding: .utf8)
    let theirs = old.replacingOccurrences(of: from, with: to)
    try #require(theirs != old, "\(old)")
    try write(theirs, name)
    let report = try SlabStore.adopt(path)
    #expect(report.left.count == 1 && report.taken.isEmpty, "\(report)")
    #expect(try String(contentsOfFile: file(name), encoding: .utf8) == theirs)
  }

  /// Nor does the commit that closes a store forget what one before it could not write.
  @Test func aDocumentThatIsBehindIsToldAtTheEnd() throws {
    let (store, files) = try openFaulty(path)
    files.fail { operation, place, _ in operation == .exchange && place == StorePath("a/zarr.json")
    }
    try store.setAttribute("k", 1, of: try NodePath("a"))
    try store.close()
    #expect(store.unsettled.keys.map { "\($0)" } == ["a"])
    files.fail(nil)
    try SlabStore.open(path, mode: .readWrite).close()
    #expect(try SlabStore.verify(path).zarrView == .same)
  }

  /// An append is done when it is committed, though a document stays behind and the last chunk was waiting.
  @Test func anAppendIsDoneThoughADocumentIsBehind() throws {
    var store = try SlabStore.open(path, mode: .readWrite)
    let column = try store.createDataset(
      "column",
      DatasetDescription(
        shape: [6], chunkShape: [4], dataType: .int32, maximumShape: [nil],
        compression: .init(filter: Filter.none)))
    try writeAll([Int32](1...6), to: column)
    try store.close()
    let files: FaultyFileSystem
    (store, files) = try openFaulty(path)
    files.fail { operation, place, _ in
      [.exchange, .rename].contains(operation) && place == StorePath("column/zarr.json")
    }
    _ = try store.append(
      try InMemorySource(elements: [Int32](7...11), shape: [5]), to: "column")
    try store.close()
    #expect(store.unsettled.keys.map { "\($0)" } == ["column"])
    files.fail(nil)
    try SlabStore.open(path, mode: .readWrite).close()
    #expect(try SlabStore.open(path).dataset("column").read(Int32.self).elements == [Int32](1...11))
    let report = try SlabStore.verify(path)
    #expect(report.ok && report.zarrView == .same, "\(report)")
  }

  /// Where only the index cannot be written that says that nobody is at work, all was committed.
  @Test(arguments: ["claim-", "slab.json.tmp"])
  func closingIsDoneThoughItsMarkFails(name: String) throws {
    let (store, files) = try openFaulty(path)
    try store.setAttribute("k", 1, of: .root)
    try store.commit()
    files.fail { operation, place, _ in
      [.create, .write].contains(operation) && place.name.hasPrefix(name)
    }
    try store.close()
    files.fail(nil)
    #expect(try SlabStore.open(path).node(.root).attributes["k"] == 1)
    try SlabStore.open(path, mode: .readWrite).close()
    #expect(try SlabStore.verify(path).ok)
  }

  /// What makes way for a removal is named.
  @Test func whatIsSetAsideIsNamed() throws {
    try write("theirs", "a/notes.txt")
    let store = try SlabStore.open(path, mode: .readWrite)
    #expect(store.setAside == [])
    try store.remove(try NodePath("a"))
    try store.close()
    #expect(store.setAside == ["__slab/lost/a.notes.txt"])
    let other = try SlabStore.open(path, mode: .readWrite)
    #expect(other.setAside == [])
    try other.close()
  }

  /// Repair names what it moves, and says nothing of what lies in `__slab/lost` already.
  @Test func repairNamesADocumentThatMakesWay() throws {
    let old = try String(contentsOfFile: file("zarr.json"), encoding: .utf8)
    let theirs = old.replacingOccurrences(
      of: "\"attributes\": {}", with: "\"attributes\": {\"x\": 1}")
    try #require(theirs != old)
    try write(theirs, "zarr.json")
    let report = try SlabStore.repair(path)
    let lost = try directory.files(in: path).filter { $0.hasPrefix("__slab/lost/") }
    #expect(lost.count == 1)
    #expect(report.actions.map(\.path).sorted() == (lost + ["zarr.json"]).sorted(), "\(report)")
    #expect(try !SlabStore.repair(path).changed)
  }

  @Test func anotherProgramsChangeUnderAnOpenStoreIsKept() throws {
    let store = try SlabStore.open(path, mode: .readWrite)
    let theirs = try String(contentsOfFile: file("a/zarr.json"), encoding: .utf8)
      .replacingOccurrences(of: "\"attributes\": {}", with: "\"attributes\": {\"theirs\": 1}")
    try write(theirs, "a/zarr.json")
    try store.setAttribute("ours", 1, of: try NodePath("a"))
    expectError(.foreign) { try store.commit() }
    try store.reload()
    try store.remove(try NodePath("a"))
    expectError(.foreign) { try store.commit() }
    try store.reload()
    try replace(store, "a", 9)
    expectError(.foreign) { try store.commit() }
    try store.reload()
    try store.close()
    #expect(try String(contentsOfFile: file("a/zarr.json"), encoding: .utf8) == theirs)
  }

  @Test(arguments: ["mine", "mine/deep"])
  func anArrayOfOthersIsNotWrittenOver(name: String) throws {
    try write("{\"zarr_format\": 3, \"node_type\": \"array\"}", "mine/zarr.json")
    try write("theirs", "mine/c/0")
    let store = try SlabStore.open(path, mode: .readWrite)
    try store.createDataset(try NodePath(name), row(chunks: 1)).put(0, 1)
    expectError(.foreign) { try store.commit() }
    try store.reload()
    try store.close()
    #expect(try String(contentsOfFile: file("mine/c/0"), encoding: .utf8) == "theirs")
  }

  @Test func anEmptyOrMissingDocumentIsWrittenAgain() throws {
    try write("", "a/zarr.json")
    try FileManager.default.removeItem(atPath: file("zarr.json"))
    #expect(try SlabStore.verify(path).zarrView == .differs)
    try SlabStore.open(path, mode: .readWrite).close()
    #expect(try SlabStore.verify(path).zarrView == .same)
  }

  @Test func whatIsNotUnderstoodIsNamedAndLeft() throws {
    let theirs = "{\"zarr_format\": 3, \"node_type\": \"array\", \"codecs\": [{\"name\": \"x\"}]}"
    try write(theirs, "mine/zarr.json")
    let report = try SlabStore.adopt(path)
    #expect(report.left.map(\.path) == ["mine"] && report.taken.isEmpty, "\(report)")
    #expect(try String(contentsOfFile: file("mine/zarr.json"), encoding: .utf8) == theirs)
  }
}
