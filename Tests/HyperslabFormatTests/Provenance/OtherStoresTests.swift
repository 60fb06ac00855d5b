import Foundation
import HyperslabCore
import SystemPackage
import Testing

@testable import HyperslabFormat

/// Files of one store that somebody copied into another: sealed like its own, and none of its own.
@Suite struct OtherStoresTests {
  private let directory: TemporaryDirectory
  private let path: FilePath
  private let other: FilePath

  init() throws {
    directory = try TemporaryDirectory()
    path = directory.path.appending("s.slab")
    other = directory.path.appending("other.slab")
    for (place, value) in [(path, Int32(1)), (other, 2)] {
      let store = try SlabStore.create(at: place)
      try store.createDataset(try NodePath("a"), row(chunks: 2)).put(0, value)
      try store.createDataset(try NodePath("b"), row(chunks: 2)).put(1, value)
      try store.close()
    }
  }

  private func lost() throws -> [[UInt8]] {
    try directory.files(in: path).filter { $0.hasPrefix("__slab/lost/") }
      .map { try contents(path.appending($0)) }
  }

  private enum Way: CaseIterable { case removed, replaced }

  @Test(arguments: ["copied", "appended", "copied where none is"])
  func aChunkInTheWayIsKept(what: String) throws {
    for way in Way.allCases {
      var theirs = try contents(other.appending("a/c/0"))
      let place = path.appending(what == "copied where none is" ? "a/c/1" : "a/c/0")
      if what == "appended" { theirs = try contents(place) + Array("theirs".utf8) }
      try write(theirs, to: place)
      let store = try SlabStore.open(path, mode: .readWrite)
      switch way {
      case .removed: try store.remove(try NodePath("a"))
      case .replaced: try store.replaceDataset(try NodePath("a"), row(chunks: 2)).put(0, 9)
      }
      try store.close()
      #expect(try lost().contains(theirs), "\(way)")
      if way == .removed { _ = try again() }
    }
  }

  private func again() throws {
    let store = try SlabStore.open(path, mode: .readWrite)
    try store.createDataset(try NodePath("a"), row(chunks: 2)).put(0, 1)
    try store.close()
  }

  @Test func chunksWhereANewDataSetGoesAreKept() throws {
    try copyTree(other.appending("a/c"), to: path.appending("new/c"))
    let theirs = try contents(path.appending("new/c/0"))
    let store = try SlabStore.open(path, mode: .readWrite)
    try store.createDataset(try NodePath("new"), row(chunks: 2)).put(0, 5)
    try store.close()
    #expect(try firsts(path, "new") == [5, nil])
    let files = try directory.files(in: path).filter { $0.hasPrefix("__slab/lost/") }
    #expect(try files.contains { try contents(path.appending($0)) == theirs }, "\(files)")
  }

  @Test func anIndexOfAnotherStoreIsNotBelieved() throws {
    let own = try contents(path.appending("slab.json"))
    let theirs = try contents(other.appending("slab.json"))
    try write(theirs, to: path.appending("slab.json"))
    expectError(.olderIndex) { _ = try SlabStore.open(path, mode: .readWrite) }
    let found = try SlabStore.verify(path)
    #expect(found.problems.contains { $0.path == "slab.json" && $0.detail.contains("another") })
    let report = try SlabStore.repair(path)
    #expect(report.ok, "\(report.remaining)")
    #expect(try contents(path.appending("slab.json")) == own)
    #expect(try firsts(path, "a") == [1, nil])
    #expect(try lost().contains(theirs))
    try expectSound(path)
  }

  @Test func anEditedIndexIsKept() throws {
    let text = String(decoding: try contents(path.appending("slab.json")), as: UTF8.self)
    let edited = Array(text.replacingOccurrences(of: "\"state\"", with: "\"stage\"").utf8)
    try write(edited, to: path.appending("slab.json"))
    #expect(try SlabStore.repair(path).ok)
    #expect(try lost().contains(edited))
    #expect(try firsts(path, "a") == [1, nil])
  }

  @Test func aStoreInTheStoreIsLeft() throws {
    try copyTree(other, to: path.appending("backup"))
    let report = try SlabStore.adopt(path)
    #expect(report.left.map(\.path) == ["backup"] && report.taken.isEmpty, "\(report)")
  }

  /// Moved there to tidy up, or for a backup: what it holds looks like the store's own, and is not.
  @Test(arguments: ["backup", "group/backup"])
  func repairTakesNoOtherStoreApart(name: String) throws {
    let store = try SlabStore.open(path, mode: .readWrite)
    try store.createGroup("group")
    try store.close()
    let inner = path.appending(name)
    try copyTree(other, to: inner)
    let writing = try SlabStore.open(inner, mode: .readWrite)
    try writing.createDataset(try NodePath("later"), row(chunks: 2)).put(0, 5)
    try writing.close()
    let before = try directory.files(in: inner)
    let found = try SlabStore.verify(path)
    #expect(found.problems.map(\.path) == [name], "\(found)")
    let report = try SlabStore.repair(path)
    #expect(!report.changed && report.remaining.map(\.path) == [name], "\(report)")
    #expect(try directory.files(in: inner) == before)
    #expect(try SlabStore.verify(inner).ok)
    #expect(try firsts(inner, "later") == [5, nil])
  }

  /// Whoever followed them would never end.
  @Test(arguments: [".", "..", "/"])
  func linksThatLeadUpAreNamed(target: String) throws {
    for place in ["new", "a/c/0"] {
      try? remove(path.appending(place))
      try FileManager.default.createSymbolicLink(
        atPath: path.appending(place).string, withDestinationPath: target)
      let report = try SlabStore.verify(path, followingLinks: true)
      #expect(report.problems.contains { $0.path == place }, "\(place): \(report)")
    }
  }

  @Test func textInTheTableIsKept() throws {
    let files = try directory.files(in: path)
    let run = try #require(files.first { $0.hasPrefix("__slab/t/d0/") })
    try write(Array("theirs\n".utf8), to: path.appending(run))
    #expect(try SlabStore.repair(path).ok)
    #expect(try lost() == [Array("theirs\n".utf8)])
    #expect(try firsts(path, "a") == [1, nil])
  }

  @Test func whatLiesInTheTrashIsNamed() throws {
    try FileManager.default.createDirectory(
      atPath: path.appending("__slab/trash").string, withIntermediateDirectories: true)
    try write(Array("theirs".utf8), to: path.appending("__slab/trash/notes.txt"))
    let report = try SlabStore.verify(path)
    #expect(report.problems.map(\.path) == ["__slab/trash/notes.txt"], "\(report)")
  }
}
