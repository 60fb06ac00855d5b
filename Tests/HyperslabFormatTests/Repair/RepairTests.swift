import Foundation
import HyperslabCore
import HyperslabTestSupport
import SystemPackage
import Testing

@testable import HyperslabFormat

@Suite struct RepairTests {
  private let directory: TemporaryDirectory
  private var path: FilePath { directory.path.appending("x.slab") }

  init() throws {
    directory = try TemporaryDirectory()
    try Patient.write(at: path)
  }

  private func file(_ name: String) -> FilePath { path.appending(name) }

  private func runs(of dataset: String) throws -> [String] {
    try directory.files(in: path).filter { $0.hasPrefix("__slab/t/\(dataset)/") }
  }

  /// Repairs, and expects that this is all there is to do.
  private func repair(_ what: String = "") throws -> RepairReport {
    let report = try SlabStore.repair(path, threads: 1)
    #expect(report.ok, "\(what): \(report.remaining)")
    try expectSound(path, what)
    let again = try SlabStore.repair(path, threads: 1)
    #expect(!again.changed, "\(what): \(again.actions)")
    #expect(again.commitAfter == report.commitAfter, "\(what)")
    return report
  }

  @Test func aSoundStoreIsLeftAlone() throws {
    let before = try directory.files(in: path).map { ($0, try contents(path.appending($0))) }
    let report = try SlabStore.repair(path)
    #expect(!report.changed && report.ok, "\(report.actions)")
    #expect(report.commitBefore == report.commitAfter)
    let after = try directory.files(in: path).map { ($0, try contents(path.appending($0))) }
    #expect(before.map(\.0) == after.map(\.0))
    for (old, new) in zip(before, after) where old.0 != "__slab/lock" {
      #expect(old.1 == new.1, "\(old.0)")
    }
  }

  @Test(arguments: ["missing", "torn", "checksum", "stale", "foreign"])
  func aDamagedChunkIsNeverWritten(kind: String) throws {
    let before = Patient.contents(path)
    let chunk = file("line/c/2")
    switch kind {
    case "missing": try remove(chunk)
    case "torn": try write(Array(contents(chunk).dropLast(3)), to: chunk)
    case "checksum":
      var bytes = try contents(chunk)
      bytes[bytes.count - 6] ^= 1
      try write(bytes, to: chunk)
    case "stale":
      let other = directory.path.appending("other.slab")
      let store = try SlabStore.create(at: other, durability: .fast)
      try store.createDataset("line", row(chunks: 1)).put(0, [1000, 2, 3, 4])
      try store.close()
      try write(contents(other.appending("line/c/0")), to: chunk)
    default:
      try remove(chunk)
      #expect(mkfifo(chunk.string, 0o600) == 0)
    }
    let report = try repair()
    #expect(report.actions.map(\.kind.rawValue) == [kind])
    #expect(report.actions.map(\.chunk) == [[2]])
    #expect(report.commitBefore.map { $0 + 1 } == report.commitAfter)
    var expected = before
    expected["line"]?[[2]] = .some(nil)
    #expect(Patient.contents(path) == expected)
    let lost = try? FileManager.default.contentsOfDirectory(atPath: file("__slab/lost").string)
    #expect(lost?.count == (kind == "missing" ? nil : 1))
  }

  @Test func swappedFilesAreSwappedBack() throws {
    let before = Patient.contents(path)
    let names = ["line/c/1", "line/c/2", "line/c/3"].map(file)
    let bytes = try names.map { try contents($0) }
    try write(bytes[1], to: names[0])
    try write(bytes[2], to: names[1])
    try write(bytes[0], to: names[2])
    let report = try repair()
    #expect(report.actions.map(\.kind) == [.swapped, .swapped, .swapped])
    #expect(report.commitBefore == report.commitAfter)
    #expect(Patient.contents(path) == before)
  }

  /// A file that stands where no row is belongs to the row that misses it.
  @Test func aRenamedFileIsFound() throws {
    let before = Patient.contents(path)
    try FileManager.default.moveItem(
      atPath: file("line/c/2").string, toPath: file("line/c/7").string)
    _ = try repair()
    #expect(Patient.contents(path) == before)
  }

  @Test func everyBitOfTheIndexAndTheRunsComesBack() throws {
    let before = Patient.contents(path)
    let files = try directory.files(in: path).filter {
      $0 == "slab.json" || $0.hasPrefix("__slab/root-") || $0.hasPrefix("__slab/t/")
    }
    for name in files {
      let original = try contents(file(name))
      for bit in stride(from: 3, to: 8 * original.count, by: 2803) {
        var damaged = original
        damaged[bit / 8] ^= 1 << (bit % 8)
        try write(damaged, to: file(name))
        let report = try SlabStore.repair(path, threads: 1)
        #expect(report.ok && report.changed, "\(name) bit \(bit): \(report.remaining)")
        #expect(try contents(file(name)) == original, "\(name) bit \(bit): \(report.actions)")
      }
    }
    try expectSound(path)
    #expect(Patient.contents(path) == before)
  }

  /// What the chunk files imply sums to the name of the run that is gone.
  @Test func aMissingRunIsToldFromItsChunks() throws {
    let before = Patient.contents(path)
    for dataset in ["d0", "d1", "d2"] {
      for name in try runs(of: dataset) {
        let original = try contents(file(name))
        try remove(file(name))
        let report = try SlabStore.repair(path, threads: 1)
        #expect(report.ok, "\(name): \(report.remaining)")
        #expect(Patient.contents(path) == before, "\(name): \(report.actions)")
        try? write(original, to: file(name))
      }
    }
  }

  @Test func aRunAndAChunkOfItGone() throws {
    var before = Patient.contents(path)
    for name in try runs(of: "d0") { try remove(file(name)) }
    try remove(file("g/plane/c/1/1"))
    let report = try repair()
    before["g/plane"]?[[1, 1]] = .some(nil)
    #expect(Patient.contents(path) == before, "\(report.actions)")
  }

  /// A chunk that an older run lists, under a lost one that must have listed another: out of date.
  @Test func anOldChunkUnderALostRunIsGivenUp() throws {
    let x = directory.path.appending("y.slab")
    let store = try SlabStore.create(at: x)
    let line = try store.createDataset("line", row(chunks: 3))
    for chunk in 0..<3 { try line.put(chunk, Int32(chunk + 1)) }
    try store.commit()
    let old = try contents(x.appending("line/c/1"))
    try line.put(1, 9)
    try store.close()
    try write(old, to: x.appending("line/c/1"))
    let run = try #require(
      try directory.files(in: x).filter { $0.hasPrefix("__slab/t/d0/") }.sorted().last)
    try remove(x.appending(run))
    let report = try SlabStore.repair(x)
    #expect(report.ok, "\(report.remaining)")
    #expect(try firsts(x, "line") == [1, nil, 3])
  }

  @Test func somethingElseInPlaceOfOwnThings() throws {
    let before = Patient.contents(path)
    for name in ["__slab/lock", "zarr.json", "g/zarr.json", "__slab/root-4", "slab.json"] {
      try? remove(file(name))
      try FileManager.default.createDirectory(
        atPath: file(name).string, withIntermediateDirectories: true)
      try write([1], to: file(name).appending("inside"))
      let report = try SlabStore.repair(path, threads: 1)
      #expect(report.ok && report.changed, "\(name): \(report.remaining)")
      try expectSound(path, name)
    }
    #expect(Patient.contents(path) == before)
  }

  @Test(arguments: ["line", "line/c", "__slab/t"])
  func aLinkedDirectoryIsRefused(name: String) throws {
    let before = Patient.contents(path)
    let elsewhere = directory.path.appending("elsewhere")
    try FileManager.default.moveItem(atPath: file(name).string, toPath: elsewhere.string)
    try FileManager.default.createSymbolicLink(
      atPath: file(name).string, withDestinationPath: elsewhere.string)
    expectError(.foreign) { _ = try SlabStore.repair(path) }
    try remove(file(name))
    try FileManager.default.moveItem(atPath: elsewhere.string, toPath: file(name).string)
    _ = try repair()
    #expect(Patient.contents(path) == before)
  }

  @Test func foreignThingsStay() throws {
    try write([1, 2], to: file("notes.txt"))
    try write([1, 2], to: file("line/c/readme"))
    let report = try SlabStore.repair(path)
    #expect(!report.ok && !report.changed)
    #expect(Set(report.remaining.map(\.path)) == ["notes.txt", "line/c/readme"])
    #expect(try contents(file("notes.txt")) == [1, 2])
  }

  @Test func orphansAndWhatDeadWritersLeftGo() throws {
    try write(contents(file("line/c/2")), to: file("line/c/7"))
    try write(Array("{\"pid\": 7}".utf8), to: file("__slab/claim-99"))
    let dead = file("__slab/w/0123456789abcdef0123456789abcdef")
    try FileManager.default.createDirectory(
      atPath: dead.string, withIntermediateDirectories: true)
    try write([1], to: dead.appending("0-1-0"))
    let before = Patient.contents(path)
    let report = try repair()
    #expect(
      Set(report.actions.map(\.path)) == [
        "line/c/7", "__slab/claim-99", "__slab/w/0123456789abcdef0123456789abcdef",
      ])
    #expect(Patient.contents(path) == before)
  }

  @Test func aLivingWriterIsLeftAlone() throws {
    let store = try SlabStore.open(path, mode: .readWrite)
    try store.dataset("line").put(7, 77)
    expectError(.locked) { _ = try SlabStore.repair(path) }
    try store.close()
    #expect(try firsts(path, "line")[7] == 77)
    #expect(try !SlabStore.repair(path).changed)
  }

  @Test func whatIsNoStoreIsNotTouched() throws {
    let plain = directory.path.appending("plain")
    try FileManager.default.createDirectory(
      atPath: plain.string, withIntermediateDirectories: true)
    expectError(.notAStore) { _ = try SlabStore.repair(plain) }
    #expect(try directory.files(in: plain).isEmpty)
  }

  @Test func aNewerVersionIsRefused() throws {
    var text = String(decoding: try contents(file("slab.json")), as: UTF8.self)
    text = text.replacingOccurrences(of: "\"slab\": 1,", with: "\"slab\": 2,")
    let body = Array(text.utf8.dropLast(SelfCheck.tailByteCount))
    let sealed = body + SelfCheck.tail(of: body)
    try write(sealed, to: file("slab.json"))
    expectError(.unsupportedVersion) { _ = try SlabStore.repair(path) }
    #expect(try contents(file("slab.json")) == sealed)
  }
}
