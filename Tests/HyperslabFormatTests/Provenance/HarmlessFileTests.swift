import Foundation
import HyperslabCore
import SystemPackage
import Testing

@testable import HyperslabFormat

/// What systems drop everywhere, and directories without anything in them.
@Suite struct HarmlessFileTests {
  private let directory: TemporaryDirectory
  private var path: FilePath { directory.path.appending("x.slab") }
  private static let names = [
    ".DS_Store", "._line", "Thumbs.db", "desktop.ini", ".directory", ".nfs0000000000a1b2c300000001",
    ".fuse_hidden0000001200000001",
  ]
  private static let places = [
    "", "g/", "line/", "line/c/", "g/plane/c/", "g/plane/c/0/", "__slab/", "__slab/t/",
    "__slab/t/d0/",
    "__slab/w/", "empty/",
  ]

  init() throws {
    directory = try TemporaryDirectory()
    try Patient.write(at: path)
  }

  private func drop(_ name: String) throws {
    let file = path.appending(name)
    try FileManager.default.createDirectory(
      atPath: file.removingLastComponent().string, withIntermediateDirectories: true)
    try write(Array("dropped".utf8), to: file)
  }

  @Test func theyAreNamedAndNeverFailAnything() throws {
    let before = Patient.contents(path)
    var dropped: Set<String> = []
    for place in Self.places { for name in Self.names { dropped.insert(place + name) } }
    for name in dropped { try drop(name) }
    // The directory that holds nothing else is named as one.
    let told = dropped.filter { !$0.hasPrefix("empty/") }.union(["empty"])
    for quick in [true, false] {
      let report = try SlabStore.verify(path, quick: quick)
      #expect(report.ok && !report.isDamaged, "\(report.problems.filter(\.kind.isDamage))")
      #expect(Set(report.problems.map(\.path)) == told)
      #expect(report.problems.allSatisfy { $0.kind == .foreignHarmless })
      #expect(report.leftovers.isEmpty, "\(report.leftovers)")
    }
    let report = try SlabStore.repair(path)
    #expect(report.ok && !report.changed, "\(report.actions)")
    #expect(Set(report.remaining.map(\.path)) == told)
    for name in dropped {
      #expect(try contents(path.appending(name)) == Array("dropped".utf8), "\(name)")
    }
    // Nor are they in the way of writers.
    let store = try SlabStore.open(path, mode: .readWrite)
    try store.dataset("line").put(0, 5)
    try store.remove(NodePath("g"))
    try store.close()
    #expect(try SlabStore.verify(path).ok)
    #expect(before["line"]?[[1]] == Patient.contents(path)["line"]?[[1]])
  }

  @Test func directoriesWithoutAnythingInThem() throws {
    for name in ["leer", "leer/tief/unten", "g/leer", "line/leer", "line/c/12"] {
      try FileManager.default.createDirectory(
        atPath: path.appending(name).string, withIntermediateDirectories: true)
    }
    let report = try SlabStore.verify(path)
    #expect(report.ok, "\(report.problems)")
    #expect(report.problems.allSatisfy { $0.kind == .foreignHarmless })
    #expect(Set(report.problems.map(\.path)).isSuperset(of: ["leer", "g/leer", "line/leer"]))
    #expect(try !SlabStore.repair(path).changed)
  }

  /// The name alone does not do: a user's directory is no file of the system's.
  @Test func whatOnlyLooksLikeThemIsForeign() throws {
    try drop(".DS_Store/notes.txt")
    try drop("notes~")
    let report = try SlabStore.verify(path)
    #expect(report.problems.map(\.path) == [".DS_Store", "notes~"])
    #expect(report.problems.allSatisfy { $0.kind == .foreign } && !report.ok)
  }
}
