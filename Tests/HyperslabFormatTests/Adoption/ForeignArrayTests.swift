import Foundation
import HyperslabCodecs
import HyperslabCore
import Synchronization
import SystemPackage
import Testing

@testable import HyperslabFormat

/// What becomes of arrays and chunks that another program wrote into a store.
@Suite struct ForeignArrayTests {
  private let directory: TemporaryDirectory
  private let path: FilePath

  /// A store with `a`, 10 values in chunks of 4: 1, 2, and 2 in half a chunk.
  init() throws {
    directory = try TemporaryDirectory()
    path = directory.path.appending("s.slab")
    let store = try SlabStore.create(at: path)
    var description = row(chunks: 3)
    description.shape = [10]
    description.maximumShape = [nil]
    let layout = StridedLayout(shape: [10], byteStrides: [4])
    let values: [Int32] = [1, 1, 1, 1, 2, 2, 2, 2, 3, 3]
    let dataset = try store.createDataset("a", description)
    try values.withUnsafeBytes { memory in
      for chunk in dataset.grid.chunks {
        try dataset.writeChunk(
          chunk, from: memory.bytes, layout: try layout.slice(dataset.grid.selection(of: chunk)))
      }
    }
    try store.close()
  }

  private func file(_ name: String) -> FilePath { path.appending(name) }
  private func bytes(_ values: [Int32]) -> [UInt8] { values.withUnsafeBytes { Array($0) } }

  /// The file of a chunk as other programs write it where nothing is gained by compressing.
  private func blosc(_ values: [Int32]) -> [UInt8] {
    let elements = bytes(values)
    let lengths = [elements.count, elements.count, elements.count + 16].map { UInt32($0) }
    let file = [2, 1, 2, 4] + lengths.withUnsafeBytes { Array($0) } + elements
    return file + withUnsafeBytes(of: CRC32C.of(file)) { Array($0) }
  }

  /// An array in chunks of 4 `int32` as they are.
  private func makeArray(_ name: String, length: Int, _ chunks: [[Int32]]) throws {
    try FileManager.default.createDirectory(
      atPath: file("\(name)/c").string, withIntermediateDirectories: true)
    let document = """
      {"zarr_format": 3, "node_type": "array", "shape": [\(length)], "data_type": "int32",
      "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [4]}},
      "chunk_key_encoding": {"name": "default"}, "fill_value": 0, "codecs": [{"name": "bytes",
      "configuration": {"endian": "little"}}], "attributes": {}}
      """
    try write(Array(document.utf8), to: file("\(name)/zarr.json"))
    for (number, chunk) in chunks.enumerated() {
      try write(bytes(chunk), to: file("\(name)/c/\(number)"))
    }
  }

  private func lost() throws -> [String] {
    try directory.files(in: path).filter { $0.hasPrefix("__slab/lost/") }
  }

  private func values(_ name: String) throws -> [Int32] {
    try SlabStore.open(path).dataset(name).read(Int32.self).elements
  }

  // MARK: - What is taken

  @Test func nothingIsLeftOfWhatWasTaken() throws {
    try makeArray("n", length: 8, [[1, 2, 3, 4], [5, 6, 7, 8]])
    let report = try SlabStore.adopt(path)
    #expect(report.taken.map(\.path) == ["n"] && report.left.isEmpty, "\(report)")
    #expect(try values("n") == Array(1...8))
    #expect(try lost() == [])
    let after = try SlabStore.verify(path)
    #expect(after.ok && after.zarrView == .same, "\(after)")
    #expect(try SlabStore.adopt(path).left.isEmpty)
  }

  /// Under names that no chunk had.
  @Test func norOfChunksAndTheShape() throws {
    let document = try String(contentsOfFile: file("a/zarr.json").string, encoding: .utf8)
    let longer = document.replacing("\"shape\": [10]", with: "\"shape\": [16]")
    try #require(longer != document, "\(document)")
    try write(Array(longer.utf8), to: file("a/zarr.json"))
    try write(blosc([3, 3, 4, 4]), to: file("a/c/2"))
    try write(blosc([5, 5, 5, 5]), to: file("a/c/3"))
    let report = try SlabStore.adopt(path)
    #expect(report.taken.count == 3 && report.left.isEmpty, "\(report)")
    #expect(try values("a") == [1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 4, 4, 5, 5, 5, 5])
    #expect(try lost() == [])
  }

  // MARK: - What is left

  /// A chunk of a longer array, of which `repair` has put the metadata aside.
  @Test func valuesBeyondTheArrayAreNotTaken() throws {
    let theirs = blosc([3, 3, 50, 50])
    try write(theirs, to: file("a/c/2"))
    try write(blosc([60, 60, 60, 60]), to: file("a/c/3"))
    for _ in 0..<2 {
      let report = try SlabStore.adopt(path)
      #expect(report.taken.isEmpty, "\(report)")
      #expect(report.left.map(\.path).sorted() == ["a/c/2", "a/c/3"], "\(report)")
      #expect(try contents(file("a/c/2")) == theirs)
    }
    // Without them it is.
    try write(blosc([3, 7, 0, 0]), to: file("a/c/2"))
    let report = try SlabStore.adopt(path)
    #expect(report.taken.count == 1 && report.left.map(\.path) == ["a/c/3"], "\(report)")
    #expect(try values("a").suffix(2) == [3, 7])
  }

  @Test func anArrayOfLinksIsLeft() throws {
    try makeArray("n", length: 8, [[1, 2, 3, 4], [5, 6, 7, 8]])
    try FileManager.default.moveItem(
      atPath: file("n/c/1").string, toPath: directory.path.appending("annex").string)
    try FileManager.default.createSymbolicLink(
      atPath: file("n/c/1").string, withDestinationPath: "../../../annex")
    let report = try SlabStore.adopt(path)
    #expect(report.taken.isEmpty && report.left.map(\.path) == ["n"], "\(report)")
    #expect(try contents(file("n/c/1")) == bytes([5, 6, 7, 8]))
  }

  /// Whatever `verify` says that `adopt` takes in or says why not.
  @Test(arguments: ["a/inner", "a/c/inner", "p/q/inner", "a/c/0/x"])
  func whatStandsWhereNoNodeCanIsNamed(name: String) throws {
    if name.hasPrefix("a/c/0") {
      try FileManager.default.removeItem(atPath: file("a/c/0").string)
      try FileManager.default.createDirectory(
        atPath: file("a/c/0").string, withIntermediateDirectories: true)
    }
    try makeArray(name, length: 4, [[1, 2, 3, 4]])
    let verified = try SlabStore.verify(path)
    #expect(!verified.ok, "\(verified)")
    let report = try SlabStore.adopt(path)
    #expect(report.taken.isEmpty && !report.left.isEmpty, "\(report)")
    #expect(report.left.contains { name.hasPrefix($0.path) }, "\(report)")
    #expect(try contents(file("\(name)/c/0")) == bytes([1, 2, 3, 4]))
  }

  /// What is no object says nothing that could be taken in, and is not to be written over either.
  @Test(
    arguments: ["a", "g", ""],
    [
      ("\"attributes\": {}", "\"attributes\": \"precious\""),
      ("\"zarr_format\": 3", "\"zarr_format\": 2, \"precious\": 1"),
      ("\"attributes\": {}", "\"attributes\": {\"k\": 1}, \"consolidated_metadata\": \"precious\""),
    ])
  func metadataThatIsNoneIsLeft(node: String, change: (from: String, to: String)) throws {
    let store = try SlabStore.open(path, mode: .readWrite)
    try store.createGroup("g")
    try store.close()
    let document = file(node.isEmpty ? "zarr.json" : "\(node)/zarr.json")
    let text = try String(contentsOfFile: document.string, encoding: .utf8)
    let theirs = text.replacing(change.from, with: change.to)
    try #require(theirs != text, "\(text)")
    try write(Array(theirs.utf8), to: document)
    let report = try SlabStore.adopt(path)
    #expect(report.taken.isEmpty && report.left.count == 1, "\(report)")
    #expect(try contents(document) == Array(theirs.utf8))
  }

  /// Two directories of which a store takes the names for one.
  @Test func ofTwoSpellingsOneIsLeftAndTold() throws {
    try makeArray("\u{e9}", length: 4, [[1, 1, 1, 1]])
    try makeArray("e\u{301}", length: 4, [[2, 2, 2, 2]])
    let names = try FileManager.default.contentsOfDirectory(atPath: path.string)
    // Not where the disk takes them for one, too.
    guard names.filter({ $0 == "\u{e9}" }).count == 2 else { return }
    for attempt in 0..<2 {
      let report = try SlabStore.adopt(path)
      #expect(report.taken.count == (attempt == 0 ? 1 : 0), "\(report)")
      #expect(report.left.map(\.path) == ["\u{e9}"], "\(report)")
      let verified = try SlabStore.verify(path)
      #expect(!verified.ok && verified.problems.map(\.kind) == [.foreign], "\(verified)")
    }
  }

  // MARK: - What is the store's own

  /// A removal and a replacement that stand, and whose directories cannot be moved.
  @Test(arguments: [false, true])
  func whatWaitsToBeMovedIsNotTaken(isReplaced: Bool) throws {
    let (store, files) = try openFaulty(path)
    let isStuck: @Sendable (FaultyFileSystem.Operation, StorePath, Int) -> Bool = {
      operation, place, _ in
      [.rename, .exchange].contains(operation)
        && (place == StorePath("a") || "\(place)".hasPrefix("__slab/trash"))
    }
    files.fail(isStuck)
    if isReplaced {
      var other = row(chunks: 1)
      other.chunkShape = [2]
      try store.replaceDataset(try NodePath("a"), other).putAll(bytes([9, 9, 9, 9]))
    } else {
      try store.remove(try NodePath("a"))
    }
    try store.close()
    #expect(!store.unsettled.isEmpty)
    let adopting = try SlabStore(
      path: path, files: files, mode: .readWrite, durability: .full, synchronizerWidth: 0,
      refusesForeign: false)
    var adopter = try Adopter(store: adopting)
    try adopter.run()
    let report = adopter.report
    #expect(report.taken.isEmpty && report.left.map(\.path) == ["a"], "\(report)")
    files.fail(nil)
    try SlabStore.open(path, mode: .readWrite).close()
    if isReplaced {
      #expect(try values("a") == [9, 9, 9, 9])
    } else {
      expectError(.notFound) { _ = try SlabStore.open(path).dataset("a") }
    }
    let after = try SlabStore.adopt(path)
    #expect(after.taken.isEmpty && after.left.isEmpty, "\(after)")
  }

  // MARK: - Links in a store's own places

  /// git-annex and DataLad leave links where the files were.
  @Test func repairGivesNothingUpForALink() throws {
    try FileManager.default.moveItem(
      atPath: file("a/c/1").string, toPath: directory.path.appending("annex").string)
    try FileManager.default.createSymbolicLink(
      atPath: file("a/c/1").string, withDestinationPath: "../../../annex")
    for _ in 0..<2 {
      let report = try SlabStore.repair(path)
      #expect(report.actions.isEmpty && report.remaining.map(\.path) == ["a/c/1"], "\(report)")
      let linked = try SlabStore.open(path, followingLinks: true)
      #expect(try linked.dataset("a").read(Int32.self, [4..<8]).elements == [2, 2, 2, 2])
    }
    #expect(try SlabStore.verify(path, followingLinks: true).ok)
  }

  @Test func norForALinkedTable() throws {
    let run = try #require(
      try directory.files(in: path).first { $0.hasPrefix("__slab/t/d0/") })
    try FileManager.default.moveItem(
      atPath: file(run).string, toPath: directory.path.appending("annex").string)
    try FileManager.default.createSymbolicLink(
      atPath: file(run).string, withDestinationPath: "../../../../annex")
    expectError(.foreign) { _ = try SlabStore.repair(path) }
    #expect(try SlabStore.verify(path, followingLinks: true).ok)
  }

  // MARK: - Adoptions that are killed

  /// The array made longer, a chunk that was given up and put back, and one that was overwritten.
  private func prepareForAdoption() throws {
    let own = try contents(file("a/c/1"))
    try remove(file("a/c/1"))
    #expect(try SlabStore.repair(path).ok)
    try write(own, to: file("a/c/1"))
    try write(blosc([7, 7, 7, 7]), to: file("a/c/0"))
    let text = String(decoding: try contents(file("a/zarr.json")), as: UTF8.self)
    let longer = text.replacing("\"shape\": [10]", with: "\"shape\": [14]")
    try #require(longer != text)
    try write(Array(longer.utf8), to: file("a/zarr.json"))
    try write(blosc([3, 3, 8, 8]), to: file("a/c/2"))
    try write(blosc([9, 9, 0, 0]), to: file("a/c/3"))
  }

  /// Wherever it ends, what was to be taken in is there for the next one.
  @Test func anAdoptionThatIsKilledIsMadeAgain() throws {
    try prepareForAdoption()
    let original = directory.path.appending("original.slab")
    try copyTree(path, to: original)
    let wanted: [Int32] = [7, 7, 7, 7, 2, 2, 2, 2, 3, 3, 8, 8, 9, 9]
    var number = 0
    while true {
      try remove(path)
      try copyTree(original, to: path)
      let faulty = try FaultyFileSystem(root: path)
      let store = try SlabStore(
        path: path, files: faulty, mode: .readWrite, durability: .full, refusesForeign: false)
      var adopter = try Adopter(store: store)
      let count = Atomic(0)
      let most = number
      faulty.failAsIfKilled { operation, _ in
        if operation == .open || operation == .list { return false }
        return count.add(1, ordering: .relaxed).newValue > most
      }
      try? adopter.run()
      let isOver = count.load(ordering: .relaxed) <= most
      let copy = directory.path.appending("copy.slab")
      try copyTree(path, to: copy)
      faulty.fail(nil)
      withExtendedLifetime(store) {}
      try? store.close()
      try remove(path)
      try FileManager.default.moveItem(atPath: copy.string, toPath: path.string)
      try SlabStore.adopt(path)
      #expect(try values("a") == wanted, "killed after \(number)")
      let report = try SlabStore.verify(path)
      #expect(report.ok, "killed after \(number): \(report.problems)")
      if isOver { return #expect(number > 30) }
      number += 1
    }
  }

  // MARK: - What is put back

  /// A chunk that repair gave up and a backup has is the store's own, and yet taken.
  @Test func aChunkFromABackupIsTaken() throws {
    let chunk = try contents(file("a/c/1"))
    try remove(file("a/c/1"))
    #expect(try SlabStore.repair(path).ok)
    try write(chunk, to: file("a/c/1"))
    #expect(try !SlabStore.verify(path).ok)
    let report = try SlabStore.adopt(path)
    #expect(report.taken.map(\.chunk) == [[1]] && report.left.isEmpty)
    #expect(try values("a") == [1, 1, 1, 1, 2, 2, 2, 2, 3, 3])
    #expect(try SlabStore.verify(path).ok)
  }
}
