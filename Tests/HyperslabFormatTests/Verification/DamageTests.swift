import Dispatch
import Foundation
import HyperslabCore
import HyperslabFormat
import Synchronization
import SystemPackage
import Testing

/// Every bit, every length, every file of one small store.
@Suite struct DamageTests {
  /// What can be read of the store: nil where a read throws.
  private func values(_ path: FilePath) -> [String: [UInt8]?] {
    guard let store = try? SlabStore.open(path) else { return [:] }
    var result: [String: [UInt8]?] = [:]
    for name in ["a/ramp", "wave", "a/flags"] {
      result[name] = .some(
        try? store.dataset(NodePath(name)).readBytes().bytes)
    }
    return result
  }

  /// The data sets that a file's damage may take away; nil for all.
  private func affected(by file: String) -> Set<String>? {
    if file == "slab.json" { return nil }
    for (prefix, name) in [("a/ramp/c", "a/ramp"), ("wave/c", "wave"), ("a/flags/c", "a/flags")]
    where file.hasPrefix(prefix) {
      return [name]
    }
    for (prefix, name) in [
      ("__slab/t/d0", "a/ramp"), ("__slab/t/d1", "a/flags"), ("__slab/t/d2", "wave"),
    ]
    where file.hasPrefix(prefix) {
      return [name]
    }
    return []
  }

  /// Checks one damaged state: verify names the file; reads of what it concerns throw; others read.
  private func check(
    _ path: FilePath, _ file: String, intact: [String: [UInt8]?], isListed: Bool, _ what: String
  ) throws {
    let report: VerificationReport
    do { report = try SlabStore.verify(path, threads: 1) } catch {
      #expect(file == "slab.json", "\(what): \(error)")
      return
    }
    #expect(!report.ok, "\(what): verify saw nothing")
    #expect(report.problems.contains { $0.path == file }, "\(what): \(report.problems)")
    let found = values(path)
    let gone = affected(by: file)
    for (name, value) in intact {
      if gone == nil {
        #expect(found.isEmpty, "\(what): the store opened")
      } else if gone?.contains(name) == true && isListed {
        #expect(found[name] == .some(nil), "\(what): \(name) still read")
      } else {
        #expect(found[name] == value, "\(what): \(name) no longer reads")
      }
    }
  }

  /// All cases with `HYPERSLAB_EXHAUSTIVE` set, as `Tools/torture` runs it; else one in 23.
  private static let step =
    ProcessInfo.processInfo.environment["HYPERSLAB_EXHAUSTIVE"] == nil ? 23 : 1

  @Test func everyBitLengthAndFile() throws {
    let directory = try TemporaryDirectory()
    let original = directory.path.appending("small.slab")
    try SmallStore.write(at: original)
    let clean = try SlabStore.verify(original)
    #expect(clean.ok, "\(clean.problems)")
    let intact = values(original)
    #expect(intact.count == 3 && !intact.values.contains(nil))
    let files = try directory.files(in: original)
    let counts = Mutex((bits: 0, lengths: 0))
    // Each worker damages a copy of its own and takes every n-th case.
    let workers = 2
    for worker in 0..<workers {
      try copyTree(original, to: directory.path.appending("\(worker).slab"))
    }
    DispatchQueue.concurrentPerform(iterations: workers) { worker in
      do {
        let path = directory.path.appending("\(worker).slab")
        for file in files {
          let done = try damage(
            file, of: path, intact: intact, cases: (worker * Self.step, workers * Self.step))
          counts.withLock { $0 = ($0.bits + done.bits, $0.lengths + done.lengths) }
        }
        #expect(try SlabStore.verify(path).ok)
      } catch { Issue.record(error) }
    }
    let (bits, lengths) = counts.withLock { $0 }
    print("damage: \(files.count) files, \(bits) bits flipped, \(lengths) lengths cut")
  }

  private func damage(
    _ file: String, of path: FilePath, intact: [String: [UInt8]?], cases: (first: Int, step: Int)
  ) throws -> (bits: Int, lengths: Int) {
    let target = path.appending(file)
    let original = try contents(target)
    // Runs and indexes that the newest index does not list concern no read.
    let index = String(decoding: try contents(path.appending("slab.json")), as: UTF8.self)
    let run = file.hasPrefix("__slab/t/") ? String(file.dropLast(5).suffix(8)) : ""
    let isListed = run.isEmpty || index.contains(run)
    let bits = stride(from: cases.first, to: original.count * 8, by: cases.step)
    for bit in bits {
      var damaged = original
      damaged[bit / 8] ^= 1 << (bit % 8)
      try write(damaged, to: target)
      try check(path, file, intact: intact, isListed: isListed, "\(file) bit \(bit)")
    }
    let lengths = stride(from: cases.first, to: original.count, by: cases.step)
    for length in lengths {
      // Without its seal a document says the same.
      if file.hasSuffix("zarr.json"), length == original.count - 33 { continue }
      try write(Array(original.prefix(length)), to: target)
      try check(path, file, intact: intact, isListed: isListed, "\(file) cut at \(length)")
    }
    try remove(target)
    try check(path, file, intact: intact, isListed: isListed, "\(file) deleted")
    try write(original, to: target)
    return (Array(bits).count, Array(lengths).count)
  }
}
