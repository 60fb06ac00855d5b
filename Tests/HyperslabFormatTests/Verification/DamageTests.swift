import HyperslabCore
import HyperslabFormat
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
    for (prefix, name) in [("__slab/t/d0", "a/ramp"), ("__slab/t/d1", "a/flags"), ("__slab/t/d2", "wave")]
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

  @Test func everyBitLengthAndFile() throws {
    let directory = try TemporaryDirectory()
    let path = directory.path.appending("small.slab")
    try SmallStore.write(at: path)
    let clean = try SlabStore.verify(path)
    #expect(clean.ok, "\(clean.problems)")
    let intact = values(path)
    #expect(intact.count == 3 && !intact.values.contains(nil))
    let files = try directory.files(in: path)
    // Runs and indexes that the newest index does not list concern no read.
    let index = String(decoding: try contents(path.appending("slab.json")), as: UTF8.self)
    var bits = 0
    var lengths = 0
    for file in files {
      let target = path.appending(file)
      let original = try contents(target)
      let run = file.hasPrefix("__slab/t/") ? String(file.dropLast(5).suffix(8)) : ""
      let isListed = run.isEmpty || index.contains(run)
      for bit in 0..<original.count * 8 {
        var damaged = original
        damaged[bit / 8] ^= 1 << (bit % 8)
        try write(damaged, to: target)
        try check(path, file, intact: intact, isListed: isListed, "\(file) bit \(bit)")
        bits += 1
      }
      for length in 0..<original.count {
        try write(Array(original.prefix(length)), to: target)
        try check(path, file, intact: intact, isListed: isListed, "\(file) cut at \(length)")
        lengths += 1
      }
      try remove(target)
      if !file.hasPrefix("__slab/root-"), isListed {
        try check(path, file, intact: intact, isListed: isListed, "\(file) deleted")
      }
      try write(original, to: target)
    }
    let healed = try SlabStore.verify(path)
    #expect(healed.ok)
    print("damage: \(files.count) files, \(bits) bits, \(lengths) lengths")
  }
}
