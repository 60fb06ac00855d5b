import Foundation
import HyperslabCore
import HyperslabTestSupport
import SystemPackage
import Testing

@testable import HyperslabFormat

/// One to five random damages at a time, to anything in a small store.
///
/// `HYPERSLAB_REPAIR_CASES` sets how many; with `HYPERSLAB_TORTURE` there are 2000. The seed is
/// `HYPERSLAB_SEED`.
@Suite struct RandomDamageTests {
  private static let caseCount: Int = {
    let environment = ProcessInfo.processInfo.environment
    if let text = environment["HYPERSLAB_REPAIR_CASES"], let count = Int(text) { return count }
    return environment["HYPERSLAB_TORTURE"] == nil ? 20 : 2000
  }()

  private func isFile(_ path: FilePath) -> Bool {
    let type = try? FileManager.default.attributesOfItem(atPath: path.string)[.type]
    return type as? FileAttributeType == .typeRegular
  }

  /// Damages one file; returns what was done.
  private func damage(
    _ name: String, of path: FilePath, _ files: [String], _ stale: [String: [UInt8]],
    _ generator: inout SeededGenerator
  ) throws -> String {
    let file = path.appending(name)
    guard isFile(file) else { return "nothing of \(name)" }
    let bytes = try contents(file)
    switch Int.random(in: 0..<8, using: &generator) {
    case 0, 1:
      guard !bytes.isEmpty else { return "nothing of \(name)" }
      var damaged = bytes
      let bits = Int.random(in: 1...3, using: &generator)
      for _ in 0..<bits {
        let bit = Int.random(in: 0..<8 * bytes.count, using: &generator)
        damaged[bit / 8] ^= 1 << (bit % 8)
      }
      try write(damaged, to: file)
      return "\(bits) bits of \(name)"
    case 2:
      try write(
        Array(bytes.prefix(Int.random(in: 0...bytes.count, using: &generator))), to: file)
      return "length of \(name)"
    case 3:
      try remove(file)
      return "all of \(name)"
    case 4:
      let siblings = files.filter {
        FilePath($0).removingLastComponent() == FilePath(name).removingLastComponent()
      }
      guard let other = siblings.randomElement(using: &generator),
        isFile(path.appending(other)), let others = try? contents(path.appending(other))
      else { return "nothing of \(name)" }
      try write(others, to: file)
      try write(bytes, to: path.appending(other))
      return "\(name) swapped with \(other)"
    case 5:
      let (old, older) = stale.randomElement(using: &generator) ?? ("", [])
      guard isFile(path.appending(old)) else { return "nothing of \(old)" }
      try write(older, to: path.appending(old))
      return "\(old) as it was"
    case 6:
      try remove(file)
      try FileManager.default.createDirectory(
        atPath: file.string, withIntermediateDirectories: true)
      return "a directory for \(name)"
    default:
      try remove(file)
      try FileManager.default.createSymbolicLink(
        atPath: file.string, withDestinationPath: "/dev/zero")
      return "a link for \(name)"
    }
  }

  @Test func noWrongValueAndNothingElseLost() throws {
    let directory = try TemporaryDirectory()
    let original = directory.path.appending("original.slab")
    let stale = try Patient.write(at: original)
    let intact = Patient.contents(original)
    let files = try directory.files(in: original)
    var counts = (kept: 0, dropped: 0, unproven: 0, refused: 0)
    for number in 0..<Self.caseCount {
      var generator = SeededGenerator("repair", number)
      let path = directory.path.appending("x.slab")
      try copyTree(original, to: path)
      defer { try? remove(path) }
      var what = "case \(number):"
      var touched: Set<String> = []
      for _ in 0..<Int.random(in: 1...5, using: &generator) {
        guard let name = files.randomElement(using: &generator) else { continue }
        let done = try damage(name, of: path, files, stale, &generator)
        what += " " + done + ","
        touched.formUnion(files.filter { done.contains($0) })
      }
      let before = Patient.contents(path)
      let isIndexTouched = touched.contains("slab.json")
      // Behind a link all may be well: of a chunk it stays, and for a table repair refuses.
      let linked = touched.filter { what.contains("a link for \($0),") }
      let report: RepairReport
      do { report = try SlabStore.repair(path, threads: 1) } catch {
        // With the index and every table of a kind gone, there may be nothing to go by.
        #expect(
          isIndexTouched || linked.contains { $0.hasPrefix("__slab/t/") }, "\(what) \(error)")
        counts.refused += 1
        continue
      }
      let verdict = try SlabStore.verify(path, threads: 1)
      #expect(
        verdict.problems.allSatisfy { problem in
          problem.kind == .foreign && (isIndexTouched || linked.contains(problem.path))
        }, "\(what) \(verdict)")
      let after = Patient.contents(path)
      let unproven = Set(
        report.actions.filter { $0.action.hasPrefix("kept on its own") }.map(\.path))
      for (name, chunks) in intact {
        let isTableTouched = touched.contains { $0.hasPrefix("__slab/t/") } || isIndexTouched
        for (chunk, value) in chunks {
          let file = "\(name)/c/\(chunk)"
          let found = after[name]?[chunk]
          if found == .some(value) {
            counts.kept += 1
          } else if unproven.contains(file) {
            counts.unproven += 1
          } else {
            // Never written, or gone with its data set; never another value.
            #expect(
              found == .some(nil) || found == nil && (isIndexTouched || linked.contains(file)),
              "\(what) \(file)")
            #expect(touched.contains(file) || isTableTouched, "\(what) \(file) is gone")
            counts.dropped += 1
          }
          if let read = before[name]?[chunk], read == value {
            #expect(found == .some(value), "\(what) \(file) read before")
          }
        }
      }
      let again = try SlabStore.repair(path, threads: 1)
      #expect(!again.changed, "\(what) \(again.actions)")
    }
    print(
      "repair: \(Self.caseCount) cases from seed \(SeededGenerator.baseSeed): \(counts.kept) chunks "
        + "kept, \(counts.dropped) given up, \(counts.unproven) kept unproven and not as they were, "
        + "\(counts.refused) stores refused")
    #expect(counts.kept > counts.dropped)
  }
}
