import Foundation
import HyperslabCore
import SystemPackage
import Testing

@testable import HyperslabFormat

/// `slab.json` put back from a backup.
@Suite struct OlderIndexTests {
  private let directory: TemporaryDirectory
  private var path: FilePath { directory.path.appending("x.slab") }
  private var index: FilePath { path.appending("slab.json") }

  init() throws {
    directory = try TemporaryDirectory()
    try Patient.write(at: path)
  }

  /// The index of every commit so far, with what the store held when it was closed with a new data set.
  private func grow() throws -> [UInt8] {
    let old = try contents(index)
    let store = try SlabStore.open(path, mode: .readWrite)
    try store.createDataset("newer", row(chunks: 3)).put(0, 77)
    try store.commit()
    try store.dataset("line").put(2, 23)
    try store.setAttribute("turn", 9, of: .root)
    try store.close()
    return old
  }

  private enum Way: String, CaseIterable { case written, renamed }

  private func putBack(_ bytes: [UInt8], _ way: Way) throws {
    if way == .renamed { try remove(index) }
    try write(bytes, to: index)
  }

  /// Written into the file that is there, as `cp` does, and put in its place, as `rsync` does.
  @Test(arguments: ["written", "renamed"])
  func itIsRecognisedAndTheNewestPutBack(way: String) throws {
    let old = try grow()
    let way = try #require(Way(rawValue: way))
    let newest = try contents(index)
    let commit = try SlabStore.open(path).commitNumber
    let files = try directory.files(in: path)
    try putBack(old, way)
    // A writer refuses, and sweeps nothing.
    expectError(.olderIndex) { _ = try SlabStore.open(path, mode: .readWrite) }
    #expect(try directory.files(in: path) == files)
    // A reader sees what there is.
    #expect(try SlabStore.open(path).commitNumber < commit)
    let found = try SlabStore.verify(path)
    let problem = try #require(found.problems.first { $0.path == "slab.json" })
    #expect(problem.kind == .index && problem.detail.contains("commit \(commit)"))
    #expect(problem.detail.contains("slab repair"))

    let report = try SlabStore.repair(path)
    #expect(report.ok, "\(report.remaining)")
    #expect(report.commitAfter == commit)
    #expect(try contents(index) == newest)
    #expect(try firsts(path, "newer") == [77, nil, nil])
    #expect(try firsts(path, "line")[2] == 23)
    #expect(try SlabStore.open(path).node(.root).attributes["turn"] == 9)
    let lost = try directory.files(in: path).filter { $0.hasPrefix("__slab/lost/") }
    #expect(lost.count == 1)
    #expect(try lost.map { try contents(path.appending($0)) } == [old])
    #expect(report.actions.contains { $0.path == "slab.json" && $0.action.contains(lost[0]) })
    try expectSound(path)
    #expect(try !SlabStore.repair(path).changed)
    try SlabStore.open(path, mode: .readWrite).close()
  }

  /// Every commit's index, put back after every later one.
  @Test func anyOlderCommit() throws {
    let x = directory.path.appending("y.slab")
    var history: [[UInt8]] = []
    let store = try SlabStore.create(at: x)
    let line = try store.createDataset("line", row(chunks: 8))
    for chunk in 0..<6 {
      try line.put(chunk, Int32(chunk))
      try store.commit()
      history.append(try contents(x.appending("slab.json")))
    }
    try store.close()
    let newest = try contents(x.appending("slab.json"))
    for (number, old) in history.enumerated() {
      try write(old, to: x.appending("slab.json"))
      expectError(.olderIndex) { _ = try SlabStore.open(x, mode: .readWrite) }
      let report = try SlabStore.repair(x)
      #expect(report.ok, "\(number): \(report.remaining)")
      #expect(try contents(x.appending("slab.json")) == newest, "\(number)")
      #expect(try firsts(x, "line") == [0, 1, 2, 3, 4, 5, nil, nil], "\(number)")
    }
  }

  /// All of an older copy laid over the store: what it has is whole, so that it stands; of the newer one
  /// nothing is thrown away.
  @Test func aWholeOlderStoreLaidOver() throws {
    let backup = directory.path.appending("backup.slab")
    try copyTree(path, to: backup)
    let before = Patient.contents(path)
    _ = try grow()
    for name in try directory.files(in: backup) {
      try write(contents(backup.appending(name)), to: path.appending(name))
    }
    expectError(.olderIndex) { _ = try SlabStore.open(path, mode: .readWrite) }
    let report = try SlabStore.repair(path)
    #expect(report.ok, "\(report.remaining)")
    #expect(Patient.contents(path) == before)
    #expect(try directory.files(in: path).contains { $0.contains("newer") })
    #expect(
      try directory.files(in: path).contains {
        $0.hasPrefix("__slab/lost/") && $0.contains("root-")
      })
    #expect(try !SlabStore.repair(path).changed)
  }

  /// What is missing of the newest besides is not better known by going further back.
  @Test(arguments: ["newer/c/0", "line/c/2", "__slab/t"])
  func moreThanTheIndexIsGone(what: String) throws {
    let old = try grow()
    let commit = try SlabStore.open(path).commitNumber
    if what == "__slab/t" {
      let newer = try #require(
        try directory.files(in: path).first {
          $0.hasPrefix(what) && $0.contains("00000\(commit - 1)-")
        })
      try remove(path.appending(newer))
    } else {
      try remove(path.appending(what))
    }
    try putBack(old, .written)
    let report = try SlabStore.repair(path)
    #expect(report.ok, "\(report.remaining)")
    #expect(try SlabStore.open(path).commitNumber >= commit)
    #expect(try firsts(path, "newer") == [what == "newer/c/0" ? nil : 77, nil, nil])
    #expect(try firsts(path, "line")[2] == (what == "line/c/2" ? nil : 23))
    #expect(try SlabStore.open(path).node(.root).attributes["turn"] == 9)
  }

  /// Another store's `slab.json`, and a run of this store lost besides.
  @Test func anotherStoresIndexAndALostRun() throws {
    let other = directory.path.appending("other.slab")
    try Patient.write(at: other)
    let uuid = try SlabStore.open(path).uuid
    let before = Patient.contents(path)
    let run = try #require(try directory.files(in: path).first { $0.hasPrefix("__slab/t/") })
    try remove(path.appending(run))
    try write(contents(other.appending("slab.json")), to: index)
    let report = try SlabStore.repair(path)
    #expect(report.ok, "\(report.remaining)")
    #expect(try SlabStore.open(path).uuid == uuid)
    #expect(Patient.contents(path) == before)
  }

  /// A copy of the store went on by itself, and its `slab.json` came back, of the same number.
  @Test func aCopysIndexOfTheSameNumber() throws {
    let copy = directory.path.appending("copy.slab")
    try copyTree(path, to: copy)
    let own = try SlabStore.open(path, mode: .readWrite)
    try own.createDataset("own", row(chunks: 3)).put(0, 77)
    try own.close()
    let other = try SlabStore.open(copy, mode: .readWrite)
    try other.createDataset("theirs", row(chunks: 3)).put(0, 78)
    try other.close()
    #expect(try SlabStore.open(copy).commitNumber == SlabStore.open(path).commitNumber)
    let newest = try contents(index)
    try write(contents(copy.appending("slab.json")), to: index)
    expectError(.olderIndex) { _ = try SlabStore.open(path, mode: .readWrite) }
    #expect(try !SlabStore.verify(path).ok)
    let report = try SlabStore.repair(path)
    #expect(report.ok, "\(report.remaining)")
    #expect(try contents(index) == newest)
    #expect(try firsts(path, "own") == [77, nil, nil])
    // Further on, so that nothing here has its number: nothing is swept by it.
    let later = try SlabStore.open(copy, mode: .readWrite)
    for turn in 0..<4 {
      try later.setAttribute("turn", .integer(turn), of: .root)
      try later.commit()
    }
    try later.close()
    try write(contents(copy.appending("slab.json")), to: index)
    let files = try directory.files(in: path)
    expectError(.olderIndex) { _ = try SlabStore.open(path, mode: .readWrite) }
    #expect(try directory.files(in: path) == files)
    // The one kept of this store explains all that is here.
    let second = try SlabStore.repair(path)
    #expect(second.ok, "\(second.remaining)")
    #expect(try contents(index) == newest)
    #expect(try firsts(path, "own") == [77, nil, nil])
    #expect(
      try directory.files(in: path).contains {
        $0.hasPrefix("__slab/lost/") && $0.hasSuffix("slab.json")
      })
  }

  /// The copy is further on than the store, and lists no run that is not here: only what was kept before tells.
  @Test(arguments: ["attribute", "chunk", "data set", "overwritten"], 1...4)
  func aCopysLaterIndex(change: String, ahead: Int) throws {
    let copy = directory.path.appending("copy.slab")
    try copyTree(path, to: copy)
    let own = try SlabStore.open(path, mode: .readWrite)
    switch change {
    case "attribute": try own.setAttribute("own", 1, of: .root)
    case "chunk": try own.dataset("line").put(2, 55)
    case "data set": try own.createDataset("own", row(chunks: 3)).put(0, 77)
    default: try own.replaceDataset(NodePath("line"), row(chunks: 3)).put(0, 77)
    }
    try own.close()
    let there = Patient.contents(path)
    let newest = try contents(index)
    let other = try SlabStore.open(copy, mode: .readWrite)
    for turn in 0..<ahead {
      try other.setAttribute("turn", .integer(turn), of: .root)
      try other.commit()
    }
    try other.close()
    try write(contents(copy.appending("slab.json")), to: index)
    // Where both have the same number, their copies tell; where the copy is behind, its number.
    let files = try directory.files(in: path)
    expectError(.olderIndex) { _ = try SlabStore.open(path, mode: .readWrite) }
    #expect(try directory.files(in: path) == files)
    #expect(try !SlabStore.verify(path).ok)
    // What systems drop everywhere changes nothing.
    try write([0], to: path.appending("line/c/.DS_Store"))
    let report = try SlabStore.repair(path)
    #expect(report.ok, "\(report.remaining)")
    #expect(try contents(index) == newest)
    #expect(Patient.contents(path) == there)
  }

  /// All of a backup laid over the store, whatever came after it: where what it lists is whole it stands, or the
  /// newest; never what neither had.
  @Test(arguments: ["remove", "overwrite", "append", "new", "attribute"], [false, true])
  func aBackupLaidOver(change: String, restoresAll: Bool) throws {
    let backup = directory.path.appending("backup.slab")
    try copyTree(path, to: backup)
    let before = Patient.contents(path)
    let store = try SlabStore.open(path, mode: .readWrite)
    try store.setAttribute("turn", 1, of: .root)
    try store.commit()
    switch change {
    case "remove": try store.remove(NodePath("line"))
    case "overwrite": try store.replaceDataset(NodePath("line"), row(chunks: 3)).put(0, 77)
    case "append": try store.dataset("line").put(2, 55)
    case "new": try store.createDataset("newer", row(chunks: 3)).put(0, 77)
    default: try store.setAttribute("turn", 2, of: .root)
    }
    try store.close()
    let after = Patient.contents(path)
    for name in try directory.files(in: backup)
    where restoresAll || !name.hasPrefix("__slab") {
      let file = path.appending(name)
      try FileManager.default.createDirectory(
        atPath: file.removingLastComponent().string, withIntermediateDirectories: true)
      try write(contents(backup.appending(name)), to: file)
    }
    let report = try SlabStore.repair(path)
    #expect(report.ok, "\(report.remaining)")
    let now = Patient.contents(path)
    #expect(now == before || now == after)
    if ["remove", "overwrite", "append"].contains(change), restoresAll { #expect(now == before) }
    try SlabStore.open(path, mode: .readWrite).close()
    #expect(Patient.contents(path) == now)
  }

  /// A copy of a later state over an older one, killed before any chunk of it came.
  @Test(arguments: ["append", "new"])
  func aCopyThatWasNotFinished(change: String) throws {
    let later = directory.path.appending("later.slab")
    try copyTree(path, to: later)
    let before = Patient.contents(path)
    let store = try SlabStore.open(later, mode: .readWrite)
    if change == "new" {
      try store.createDataset("newer", row(chunks: 3)).put(0, 77)
    } else {
      try store.dataset("line").put(2, 55)
    }
    try store.close()
    for name in try directory.files(in: later) where name.hasPrefix("__slab/root-") {
      try write(contents(later.appending(name)), to: path.appending(name))
    }
    let report = try SlabStore.repair(path)
    #expect(report.ok, "\(report.remaining)")
    #expect(Patient.contents(path) == before)
  }

  /// Of a copy that was not finished some chunks came, and the table did not: those of the data set that stood
  /// there before are not taken for the new one's.
  @Test func chunksOfTheReplacedOneAreNotItsSuccessors() throws {
    let first = try SlabStore.open(path, mode: .readWrite)
    let own = try first.createDataset("own", row(chunks: 3))
    for chunk in 0..<3 { try own.put(chunk, Int32(60 + chunk)) }
    try first.close()
    let later = directory.path.appending("later.slab")
    try copyTree(path, to: later)
    let old = try contents(path.appending("own/c/0"))
    let store = try SlabStore.open(later, mode: .readWrite)
    let new = try store.replaceDataset(NodePath("own"), store.dataset("own").description)
    for chunk in 0..<3 { try new.put(chunk, Int32(70 + chunk)) }
    try store.close()
    for name in ["slab.json", "own/zarr.json", "own/c/2"] {
      try write(contents(later.appending(name)), to: path.appending(name))
    }
    expectError(.olderIndex) { _ = try SlabStore.open(path, mode: .readWrite) }
    let report = try SlabStore.repair(path)
    #expect(report.ok, "\(report.remaining)")
    let found = try SlabStore.open(path).dataset("own")
    #expect(try found.state(of: [0]) == .neverWritten)
    #expect(
      try directory.files(in: path).contains {
        try $0.hasPrefix("__slab/lost/") && contents(path.appending($0)) == old
      })
  }

  /// A copy made while the store was written: its kept indexes are of long before.
  @Test(arguments: [1, 2, 5]) func aCopyOfAStoreThatWasWritten(commits: Int) throws {
    let kept = try directory.files(in: path).filter { $0.hasPrefix("__slab/root-") }
    let old = try kept.map { ($0, try contents(path.appending($0))) }
    let store = try SlabStore.open(path, mode: .readWrite)
    for turn in 0..<commits {
      try store.setAttribute("turn", .integer(turn), of: .root)
      try store.commit()
    }
    try store.close()
    for name in try directory.files(in: path) where name.hasPrefix("__slab/root-") {
      try remove(path.appending(name))
    }
    for (name, bytes) in old { try write(bytes, to: path.appending(name)) }
    try SlabStore.open(path, mode: .readWrite).close()
    _ = try SlabStore.repair(path)
    #expect(try SlabStore.open(path).node(.root).attributes["turn"] == .integer(commits - 1))
  }

  /// Without the indexes that were kept nothing speaks against the one there is.
  @Test(arguments: [[0], [1], [2], [0, 1], [0, 1, 2]])
  func keptIndexesThatAreGoneProveNothing(gone: [Int]) throws {
    let there = Patient.contents(path)
    let commit = try SlabStore.open(path).commitNumber
    for back in gone { try? remove(path.appending("__slab/root-\(commit - back)")) }
    try SlabStore.open(path, mode: .readWrite).close()
    #expect(Patient.contents(path) == there)
    let report = try SlabStore.repair(path)
    #expect(report.ok, "\(report.remaining)")
    #expect(Patient.contents(path) == there)
  }

  /// A later index of this store that knows of nothing that lies here, with every chunk of `slab.json` in
  /// its place.
  @Test func aLaterIndexThatExplainsNothing() throws {
    let before = Patient.contents(path)
    let empty = directory.path.appending("empty.slab")
    try copyTree(path, to: empty)
    let store = try SlabStore.open(empty, mode: .readWrite)
    for node in store.nodes().map(\.path).reversed() where node != .root { try store.remove(node) }
    try store.close()
    let commit = try SlabStore.open(empty).commitNumber
    try write(
      contents(empty.appending("slab.json")), to: path.appending("__slab/root-\(commit)"))
    let report = try SlabStore.repair(path)
    #expect(report.ok, "\(report.remaining)")
    #expect(Patient.contents(path) == before)
  }

  /// A copy that is no proof: damaged, of another store, or with tables that are gone.
  @Test func aCopyThatProvesNothing() throws {
    let commit = try SlabStore.open(path).commitNumber
    let other = directory.path.appending("other.slab")
    try Patient.write(at: other)
    let store = try SlabStore.open(other, mode: .readWrite)
    for turn in 0..<4 {
      try store.setAttribute("turn", .integer(turn), of: .root)
      try store.commit()
    }
    try store.close()
    let number = try SlabStore.open(other).commitNumber
    #expect(number > commit)
    let foreign = try contents(other.appending("__slab/root-\(number)"))
    for bytes in [foreign, Array(foreign.dropLast(9)), Array("root".utf8), []] {
      try write(bytes, to: path.appending("__slab/root-\(number)"))
      try SlabStore.open(path, mode: .readWrite).close()
      #expect(try !SlabStore.verify(path).problems.contains { $0.path == "slab.json" })
      try? remove(path.appending("__slab/root-\(number)"))
    }
  }

  /// The copy is for this alone: damaged or gone it harms no reader and is told of, and repair or the next
  /// writer makes another.
  @Test func theCopyIsToldOfAndMadeAgain() throws {
    let commit = try SlabStore.open(path).commitNumber
    let copy = path.appending("__slab/root-\(commit)")
    #expect(try contents(copy) == contents(index))
    let damaged: [[UInt8]?] = [Array(try contents(index).dropLast(7)), [0, 0, 0], [], nil]
    for bytes in damaged {
      for repairs in [true, false] {
        if let bytes { try write(bytes, to: copy) } else { try remove(copy) }
        let report = try SlabStore.verify(path)
        #expect(report.problems.map(\.path) == ["__slab/root-\(commit)"], "\(report)")
        if repairs {
          #expect(try SlabStore.repair(path).actions.map(\.path) == ["__slab/root-\(commit)"])
        } else {
          try SlabStore.open(path, mode: .readWrite).close()
        }
        #expect(try contents(copy) == contents(index))
        try expectSound(path)
      }
    }
    try remove(copy)
    let store = try SlabStore.open(path, mode: .readWrite)
    try store.setAttribute("turn", 1, of: .root)
    try store.close()
    try expectSound(path)
    let newest = try SlabStore.open(path).commitNumber
    #expect(try contents(path.appending("__slab/root-\(newest)")) == contents(index))
    let kept = try directory.files(in: path).filter { $0.hasPrefix("__slab/root-") }
    #expect(kept.count == 3, "\(kept)")
  }
}
