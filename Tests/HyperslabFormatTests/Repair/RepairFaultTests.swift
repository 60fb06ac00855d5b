import Foundation
import HyperslabCore
import SystemPackage
import Testing

@testable import HyperslabFormat

/// Repairs that are killed.
@Suite struct RepairFaultTests {
  private struct Wound: CustomTestStringConvertible, Sendable {
    var name: String
    var inflict: @Sendable (FilePath) throws -> Void
    var testDescription: String { name }
  }

  private static let wounds = [
    Wound(name: "chunks") { path in
      let names = ["line/c/1", "line/c/2", "line/c/3"].map { path.appending($0) }
      let bytes = try names.map { try contents($0) }
      try write(bytes[1], to: names[0])
      try write(bytes[0], to: names[1])
      try write(Array(bytes[2].dropLast(5)), to: names[2])
      try remove(path.appending("g/plane/c/0/1"))
    },
    Wound(name: "tables") { path in
      let tables = path.appending("__slab/t")
      for id in ["d0", "d1"] {
        for name in try FileManager.default.contentsOfDirectory(atPath: tables.appending(id).string)
        {
          try remove(tables.appending(id).appending(name))
        }
      }
      try remove(path.appending("g/plane/c/0/1"))
      try remove(path.appending("line/c/5"))
    },
    Wound(name: "index") { path in
      try remove(path.appending("slab.json"))
      try write([1, 2, 3], to: path.appending("line/c/2"))
    },
  ]

  /// Every operation is the last in turn; the next repair comes to the same end.
  @Test(arguments: [0, 1, 2])
  func killedAnywhere(wound index: Int) throws {
    let wound = Self.wounds[index]
    let directory = try TemporaryDirectory()
    let original = directory.path.appending("original.slab")
    try Patient.write(at: original)
    try wound.inflict(original)
    let repaired = directory.path.appending("repaired.slab")
    try copyTree(original, to: repaired)
    #expect(try SlabStore.repair(repaired, threads: 1).ok)
    try expectSound(repaired)
    let expected = Patient.contents(repaired)
    let step = ProcessInfo.processInfo.environment["HYPERSLAB_TORTURE"] == nil ? 29 : 1
    var number = 0
    var cuts = 0
    while true {
      let path = directory.path.appending("x.slab")
      try copyTree(original, to: path)
      defer { try? remove(path) }
      let files = try FaultyFileSystem(root: path)
      let last = number
      files.fail { operation, _, count in
        count >= last && operation != .open && operation != .list
      }
      let isDone = (try? SlabStore.repair(files, threads: 1)) != nil && files.operationCount < last
      let report = try SlabStore.repair(path, threads: 1)
      #expect(report.ok, "cut at \(number): \(report.remaining)")
      #expect(Patient.contents(path) == expected, "cut at \(number): \(report.actions)")
      try expectSound(path, "cut at \(number)")
      cuts += 1
      if isDone { break }
      number += step
    }
    print("repair of \(wound.name): cut at \(cuts) of \(number) operations")
  }
}
