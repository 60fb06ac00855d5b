import Foundation
import HyperslabCodecs
import HyperslabCore
import SystemPackage
import Testing

@testable import HyperslabFormat

/// A store knows its own derived documents, however old they are, from what another program wrote.
@Suite struct DocumentSealTests {
  private let directory: TemporaryDirectory
  private let path: FilePath
  private let a: NodePath
  private var document: FilePath { path.appending("a/zarr.json") }

  init() throws {
    directory = try TemporaryDirectory()
    path = directory.path.appending("s.slab")
    a = try NodePath("a")
    let store = try SlabStore.create(at: path)
    for name in ["a", "b"] {
      try store.createDataset(try NodePath(name), row(chunks: 2)).put(0, 1)
    }
    try store.close()
  }

  /// Sets an attribute, each in a session and commits of its own.
  private func set(_ keys: String...) throws {
    for key in keys {
      let store = try SlabStore.open(path, mode: .readWrite)
      try store.setAttribute(key, 1, of: a)
      try store.close()
    }
  }

  private func attributes() throws -> JSONObject? {
    guard case .dataset(let info) = try SlabStore.open(path).node(a) else { return nil }
    return info.description.attributes
  }

  private func lost() throws -> [String] {
    try directory.files(in: path).filter { $0.hasPrefix("__slab/lost/") }
  }

  private func withoutSeal(_ bytes: [UInt8]) -> [UInt8] { bytes.dropLast(33) }

  private func checkDescribed() throws {
    let report = try SlabStore.verify(path)
    #expect(report.ok && report.zarrView == .same, "\(report)")
  }

  // MARK: - The seal

  @Test func theLastLineIsTheChecksumOfTheStoreAndTheText() throws {
    let index = try contents(path.appending("slab.json"))
    let uuid = try #require(try JSONParser.parse(index).object?["uuid"]?.string)
    for name in ["zarr.json", "a/zarr.json", "b/zarr.json"] {
      let bytes = try contents(path.appending(name))
      let text = withoutSeal(bytes)
      #expect(text.suffix(2) == Array("}\n".utf8)[...])
      let sum = CRC32C.of(Array(uuid.utf8) + text)
      let digits =
        String(repeating: "0", count: 32 - String(sum, radix: 2).count)
        + String(sum, radix: 2)
      let line = digits.map { $0 == "1" ? "\t" : " " }.joined() + "\n"
      #expect(String(decoding: bytes.suffix(33), as: UTF8.self) == line, "\(name)")
      #expect(try JSONParser.parse(bytes) == JSONParser.parse(text))
    }
  }

  @Test func anyOtherByteBreaksIt() throws {
    let bytes = DocumentSeal.seal(Array("{\n  \"k\": 1\n}\n".utf8), store: "u")
    #expect(DocumentSeal.holds(bytes, store: "u") && !DocumentSeal.holds(bytes, store: "v"))
    for position in bytes.indices {
      for bit in 0..<8 {
        var other = bytes
        other[position] ^= 1 << bit
        #expect(!DocumentSeal.holds(other, store: "u"), "bit \(bit) of byte \(position)")
      }
      #expect(!DocumentSeal.holds(Array(bytes[..<position]), store: "u"))
      #expect(!DocumentSeal.holds(Array(bytes[position...].dropFirst()), store: "u"))
    }
    #expect(!DocumentSeal.holds(bytes + [0x0A], store: "u"))
  }

  // MARK: - Its own, however old

  @Test(arguments: ["open", "change", "replace", "remove", "adopt", "repair"])
  func anOldOneIsNobodyElses(verb: String) throws {
    try set("k0")
    let old = try contents(document)
    try set("k1", "k2", "k3")
    try write(old, to: document)
    let found = try SlabStore.verify(path)
    #expect(found.zarrView == .differs, "\(found)")
    #expect(!found.problems.contains { $0.detail.contains("another program") }, "\(found)")
    switch verb {
    case "adopt":
      let report = try SlabStore.adopt(path)
      #expect(report.taken.isEmpty && report.left.isEmpty, "\(report)")
    case "repair":
      let report = try SlabStore.repair(path)
      #expect(report.remaining.isEmpty, "\(report)")
    default:
      let store = try SlabStore.open(path, mode: .readWrite)
      if verb == "change" { try store.setAttribute("k4", 1, of: a) }
      if verb == "replace" { try store.replaceDataset(a, row(chunks: 2)).put(0, 7) }
      if verb == "remove" { try store.remove(a) }
      try store.close()
    }
    try checkDescribed()
    #expect(try lost().isEmpty)
    if verb == "replace" || verb == "remove" { return }
    let keys = ["k0", "k1", "k2", "k3"] + (verb == "change" ? ["k4"] : [])
    #expect(try attributes()?.keys.sorted() == keys)
  }

  /// As another open handle finds it, whose first look was before.
  @Test func anOldOneMayComeBackUnderAnOpenStore() throws {
    let old = try contents(document)
    try set("k1", "k2", "k3")
    let store = try SlabStore.open(path, mode: .readWrite)
    try store.setAttribute("k4", 1, of: a)
    try write(old, to: document)
    try store.commit()
    try write(old, to: document)
    try store.setAttribute("k5", 1, of: a)
    try store.close()
    try checkDescribed()
    #expect(try lost().isEmpty)
    #expect(try attributes()?.keys.sorted() == ["k1", "k2", "k3", "k4", "k5"])
  }

  /// As tools that restore files do it.
  @Test func anOldOneWithItsOldTimeIsFound() throws {
    let old = try contents(document)
    try set("k1", "k2", "k3")
    try write(old, to: document)
    try FileManager.default.setAttributes(
      [.modificationDate: Date(timeIntervalSince1970: 1_000_000_000)], ofItemAtPath: document.string
    )
    let store = try SlabStore.open(path, mode: .readWrite)
    try store.dataset("b").put(1, 5)
    try store.close()
    try checkDescribed()
  }

  @Test func oneThatCouldNotBeWrittenForLongIsWrittenInTheEnd() throws {
    for key in ["k1", "k2", "k3"] {
      // From before it is opened, where what was left is tried again.
      let files = try FaultyFileSystem(root: path)
      files.fail { operation, place, _ in
        operation == .exchange && place == StorePath("a/zarr.json")
      }
      let store = try SlabStore(
        path: path, files: files, mode: .readWrite, durability: .full, synchronizerWidth: 0)
      try store.setAttribute(key, 1, of: a)
      try store.dataset("b").put(1, 5)
      try store.close()
      let behind = try SlabStore.verify(path)
      #expect(behind.ok && behind.zarrView == .differs, "\(behind)")
    }
    let store = try SlabStore.open(path, mode: .readWrite)
    try store.dataset("b").put(0, 6)
    try store.close()
    try checkDescribed()
    #expect(try attributes()?.keys.sorted() == ["k1", "k2", "k3"])
  }

  /// A removed data set's directory from a backup: its values are not thrown away for a new one's.
  @Test func oneOfARemovedNodeIsToldAsSuch() throws {
    let backup = directory.path.appending("backup")
    try copyTree(path.appending("b"), to: backup)
    let b = try NodePath("b")
    let store = try SlabStore.open(path, mode: .readWrite)
    try store.remove(b)
    try store.close()
    try copyTree(backup, to: path.appending("b"))
    func create() throws {
      let store = try SlabStore.open(path, mode: .readWrite)
      try store.createDataset(b, row(chunks: 2)).put(0, 9)
      try store.close()
    }
    let error = #expect(throws: HyperslabError.self) { try create() }
    #expect(error?.code == .foreign && error?.what.contains("this store's own") == true)
    #expect(try SlabStore.repair(path).remaining.isEmpty)
    try create()
    try checkDescribed()
    #expect(try firsts(path, "b") == [9, nil])
    #expect(try !lost().isEmpty)
  }

  // MARK: - Without one

  @Test func oneWithoutASealSaysTheSame() throws {
    for name in ["zarr.json", "a/zarr.json", "b/zarr.json"] {
      let file = path.appending(name)
      try write(withoutSeal(try contents(file)), to: file)
    }
    try checkDescribed()
    let old = try contents(document)
    try set("k1")
    try write(old, to: document)
    // Of a commit of which the index is kept.
    try set("k2")
    try checkDescribed()
    #expect(try contents(document).count > old.count + 33)
  }

  @Test func anOldOneWithoutASealIsAnothers() throws {
    let old = withoutSeal(try contents(document))
    try set("k1", "k2", "k3")
    try write(old, to: document)
    expectError(.foreign) { _ = try SlabStore.open(path, mode: .readWrite) }
  }

  @Test func oneThatWasEditedIsAnothers() throws {
    try set("k1")
    let theirs = try String(contentsOfFile: document.string, encoding: .utf8)
      .replacingOccurrences(of: "\"k1\": 1", with: "\"k1\": 2")
    try write(Array(theirs.utf8), to: document)
    expectError(.foreign) { _ = try SlabStore.open(path, mode: .readWrite) }
    #expect(try contents(document) == Array(theirs.utf8))
  }

  @Test func oneOfAnotherStoreIsAnothers() throws {
    let other = directory.path.appending("o.slab")
    let store = try SlabStore.create(at: other)
    var described = row(chunks: 2)
    described.attributes = ["theirs": 1]
    try store.createDataset(a, described).put(0, 1)
    try store.close()
    try write(try contents(other.appending("a/zarr.json")), to: document)
    expectError(.foreign) { _ = try SlabStore.open(path, mode: .readWrite) }
  }
}
