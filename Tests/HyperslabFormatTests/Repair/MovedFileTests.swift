import Foundation
import HyperslabCore
import SystemPackage
import Testing

@testable import HyperslabFormat

/// Directories and files of a store that somebody gave other names.
@Suite struct MovedFileTests {
  private let directory: TemporaryDirectory
  private var path: FilePath { directory.path.appending("x.slab") }

  init() throws {
    directory = try TemporaryDirectory()
    try Patient.write(at: path)
  }

  private func move(_ from: String, _ to: String) throws {
    try FileManager.default.moveItem(
      atPath: path.appending(from).string, toPath: path.appending(to).string)
  }

  private static let moves = [
    ("line", "other"), ("g", "gg"), ("g/plane/c", "g/plane/c.bak"), ("g/plane/c/1", "g/plane/c/9"),
    ("line/c/3", "line/c/3.old"), ("g/waves", "__slab/lost/waves"), ("line", "g/line"),
  ]

  /// The index knows each chunk by its checksum, wherever it stands.
  @Test(arguments: moves)
  func repairFindsThem(move: (from: String, to: String)) throws {
    let before = Patient.contents(path)
    try FileManager.default.createDirectory(
      atPath: path.appending("__slab/lost").string, withIntermediateDirectories: true)
    try self.move(move.from, move.to)
    #expect(try !SlabStore.verify(path).ok)
    let report = try SlabStore.repair(path)
    #expect(report.actions.contains { $0.action.contains("found elsewhere") })
    #expect(!report.actions.contains { $0.action.contains("never written now") })
    #expect(Patient.contents(path) == before)
    #expect(try SlabStore.verify(path).problems.allSatisfy { $0.kind == .foreign })
  }

  /// What somebody copied stays whole.
  @Test func aCopyIsNotTakenApart() throws {
    let before = Patient.contents(path)
    try copyTree(path.appending("line"), to: path.appending("copy"))
    let copied = try directory.files(in: path.appending("copy"))
    try remove(path.appending("line/c/2"))
    #expect(try SlabStore.repair(path).ok)
    #expect(Patient.contents(path) == before)
    let lost = path.appending("__slab/lost")
    let name = try #require(
      try FileManager.default.contentsOfDirectory(atPath: lost.string).first {
        $0.hasSuffix("copy")
      })
    #expect(try directory.files(in: lost.appending(name)) == copied)
  }

  /// A store in the store has chunks like this one's.
  @Test func anotherStoreIsLeftAlone() throws {
    try copyTree(path, to: directory.path.appending("inner"))
    try FileManager.default.moveItem(
      atPath: directory.path.appending("inner").string, toPath: path.appending("inner").string)
    let files = try directory.files(in: path.appending("inner"))
    try remove(path.appending("line/c/2"))
    let report = try SlabStore.repair(path)
    #expect(report.actions.contains { $0.action.contains("never written now") })
    #expect(try directory.files(in: path.appending("inner")) == files)
  }

  /// Where there is nothing a Zarr reader says so; a document alone would make zeros of what was there.
  @Test(arguments: [("g", "gg"), ("line", "g/line2")])
  func noWriterMakesAnArrayOfNothing(move: (from: String, to: String)) throws {
    let before = Patient.contents(path)
    try self.move(move.from, move.to)
    let store = try SlabStore.open(path, mode: .readWrite)
    try store.setAttribute("k", 1, of: .root)
    try store.close()
    #expect(!FileManager.default.fileExists(atPath: path.appending(move.from).string))
    #expect(try !SlabStore.verify(path).ok)
    // Nothing stands in the way of who moves it back.
    try self.move(move.to, move.from)
    #expect(Patient.contents(path) == before)
    #expect(try SlabStore.verify(path).ok)
  }

  /// What is described anew would be so beside none of its chunks.
  @Test func nobodyWritesToWhatWasMovedAway() throws {
    let before = Patient.contents(path)
    try move("line", "other")
    let store = try SlabStore.open(path, mode: .readWrite)
    try store.setAttribute("k", 1, of: try NodePath("line"))
    expectError(.missing) { try store.commit() }
    try? store.reload()
    try store.close()
    try move("other", "line")
    #expect(Patient.contents(path) == before)
    let again = try SlabStore.open(path, mode: .readWrite)
    try again.setAttribute("k", 1, of: try NodePath("line"))
    try again.close()
    #expect(try SlabStore.verify(path).ok)
  }

  /// Repair publishes under that name, and keeps what somebody put there.
  @Test(arguments: [0, 1, 2])
  func whatStandsUnderTheNameOfAKeptIndexIsKept(back: Int) throws {
    let commit = try SlabStore.open(path).commitNumber
    let notes = Array("my notes".utf8)
    try write(notes, to: path.appending("__slab/root-\(commit - back)"))
    try SlabStore.repair(path)
    let lost = path.appending("__slab/lost")
    let kept = try FileManager.default.contentsOfDirectory(atPath: lost.string)
    #expect(try kept.map { try contents(lost.appending($0)) } == [notes])
    #expect(try SlabStore.verify(path).ok)
  }

  /// What was moved, and changed by another program since, is that program's as a whole.
  @Test func anArrayOfAnotherProgramIsNotTakenApart() throws {
    try move("line", "other")
    let document = path.appending("other/zarr.json")
    let text = String(decoding: try contents(document), as: UTF8.self)
    try write(
      Array(text.replacing("\"attributes\": {}", with: "\"attributes\": {\"k\": 1}").utf8),
      to: document)
    let files = try directory.files(in: path.appending("other"))
    try SlabStore.repair(path)
    #expect(try directory.files(in: path.appending("other")) == files)
    #expect(try SlabStore.adopt(path).taken.contains { $0.path == "other" })
  }

  /// Those who go by what was written before look whether it is there.
  @Test func aResumedWriteMissesThem() throws {
    let dataset = try SlabStore.open(path).dataset("line")
    try dataset.checkStored(in: Selection([0..<32]))
    try write(
      Array(contents(path.appending("line/c/5")).dropLast()), to: path.appending("line/c/5"))
    try dataset.checkStored(in: Selection([0..<20]))
    expectError(.torn) { try dataset.checkStored(in: Selection([0..<32])) }
    try remove(path.appending("line/c/5"))
    expectError(.missing) { try dataset.checkStored(in: Selection([0..<32])) }
  }
}
