import Foundation
import HyperslabCore
import SystemPackage
import Testing

@testable import HyperslabFormat

/// `slab.json` gone, and more.
@Suite struct LostIndexTests {
  private let directory: TemporaryDirectory
  private var path: FilePath { directory.path.appending("x.slab") }

  init() throws {
    directory = try TemporaryDirectory()
    try Patient.write(at: path)
  }

  private func expectWhole(_ before: Patient.Contents, attribute: JSONValue? = 4) throws {
    let report = try SlabStore.repair(path, threads: 1)
    #expect(report.ok && report.changed, "\(report.remaining)")
    #expect(Patient.contents(path) == before, "\(report.actions)")
    try expectSound(path)
    #expect(try !SlabStore.repair(path).changed)
    let store = try SlabStore.open(path)
    #expect(try store.node(.root).attributes["step"] == attribute)
    #expect(try store.node(NodePath("g")).attributes["note"] == "a patient")
    #expect(try store.dataset("g/plane").description.unit == "mV")
  }

  @Test(arguments: [0, 1, 2, 3])
  func theIndexAndSomeKeptOnes(alsoGone: Int) throws {
    let before = Patient.contents(path)
    let commit = try SlabStore.open(path).commitNumber
    try write(Array(repeating: 0x20, count: 100), to: path.appending("slab.json"))
    for number in [commit - 1, commit - 2].prefix(alsoGone) {
      try remove(path.appending("__slab/root-\(number)"))
    }
    try expectWhole(before)
    #expect(try SlabStore.open(path).commitNumber > commit)
  }

  @Test func aCommitAfterTheKeptIndexIsTakenAlong() throws {
    let store = try SlabStore.open(path, mode: .readWrite)
    let line = try store.dataset("line")
    try line.put(7, 70)
    try line.put(0, 1)
    let fresh = try store.createDataset("fresh", row(chunks: 2))
    try fresh.put(1, 5)
    try store.setAttribute("step", 6, of: .root)
    try store.commit()
    // No further commit, as if the process had died.
    let before = Patient.contents(path)
    try remove(path.appending("slab.json"))
    withExtendedLifetime(store) {
      expectError(.locked) { _ = try SlabStore.repair(path) }
    }
    try copyTree(path, to: directory.path.appending("y.slab"))
    let other = directory.path.appending("y.slab")
    let report = try SlabStore.repair(other)
    #expect(report.ok, "\(report.remaining)")
    #expect(Patient.contents(other) == before, "\(report.actions)")
    #expect(try firsts(other, "fresh") == [nil, 5])
    #expect(try SlabStore.open(other).node(.root).attributes["step"] == 6)
  }

  @Test func aReshapedDatasetComesBack() throws {
    let store = try SlabStore.open(path, mode: .readWrite)
    let line = try store.createDataset(
      "grown",
      .init(
        shape: [8], chunkShape: [4], dataType: .int32, maximumShape: [nil],
        compression: .init(filter: Filter.none)))
    try line.put(0, 3)
    try store.commit()
    let grown = try line.resized(to: [16])
    try grown.put(3, 4)
    try store.close()
    let before = try firsts(path, "grown")
    #expect(before == [3, nil, nil, 4])
    for name in try directory.files(in: path) where name.hasPrefix("__slab/root-") {
      try remove(path.appending(name))
    }
    try remove(path.appending("slab.json"))
    let report = try SlabStore.repair(path)
    #expect(report.ok, "\(report.remaining)")
    #expect(try firsts(path, "grown") == before, "\(report.actions)")
  }

  /// The one kept index is older than the choice of filter and blocks.
  @Test func blocksChosenLaterAreFound() throws {
    let other = directory.path.appending("y.slab")
    let store = try SlabStore.create(at: other)
    let dataset = try store.createDataset(
      "x", .init(shape: [960_000], chunkShape: [480_000], dataType: .uint8))
    try store.commit()
    // What comes back every 24 KB is new only once a block, so that blocks are large.
    let bytes = (0..<960_000).map {
      UInt8(truncatingIfNeeded: UInt32($0 % 24_000) &* 0x9E37_79B9 >> 17)
    }
    let layout = StridedLayout(shape: [960_000], byteStrides: [1])
    try bytes.withUnsafeBytes { try dataset.prepare(sample: $0.bytes, layout: layout) }
    try dataset.putAll(bytes)
    try store.close()
    let block = try SlabStore.open(other).dataset("x").info.blockByteCount
    #expect(block > 1 << 16)
    for name in try directory.files(in: other)
    where name == "slab.json" || name.hasPrefix("__slab/root-") && !name.hasSuffix("root-1") {
      try remove(other.appending(name))
    }
    let report = try SlabStore.repair(other)
    #expect(report.ok, "\(report.remaining)")
    let found = try SlabStore.open(other).dataset("x")
    #expect(found.info.blockByteCount == block)
    #expect(try found.readBytes([0..<960_000]).bytes == bytes)
  }

  @Test func withNothingLeftTheStoreIsNotTouched() throws {
    for name in try directory.files(in: path)
    where name.hasPrefix("__slab/") || name.hasSuffix("slab.json") {
      try remove(path.appending(name))
    }
    let before = try directory.files(in: path)
    expectError(.damagedIndex) { _ = try SlabStore.repair(path) }
    #expect(try directory.files(in: path) == before)
  }
}
