import Foundation
import HyperslabCore
import HyperslabFormat
import SystemPackage
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Whole files of a small store lengthened, exchanged, outdated, or replaced by what is no file.
@Suite struct FileFaultTests {
  private typealias Kind = VerificationReport.Problem.Kind
  private static let names = ["a/ramp", "wave", "a/flags"]
  private static let isExhaustive =
    ProcessInfo.processInfo.environment["HYPERSLAB_EXHAUSTIVE"] != nil

  private let directory: TemporaryDirectory
  private let path: FilePath
  private let files: [String]
  private let originals: [String: [UInt8]]
  private let intact: [String: [UInt8]]

  init() throws {
    directory = try TemporaryDirectory()
    path = directory.path.appending("small.slab")
    try SmallStore.write(at: path)
    // The lock says for people who held it last; nothing reads or checks it.
    files = try directory.files(in: path).filter { $0 != "__slab/lock" }
    var originals: [String: [UInt8]] = [:]
    for file in files { originals[file] = try contents(path.appending(file)) }
    self.originals = originals
    intact = try Self.values(path).mapValues { try #require($0) }
  }

  private static func isChunk(_ file: String) -> Bool { file.contains("/c/") }
  private static func isRun(_ file: String) -> Bool { file.hasPrefix("__slab/t/") }

  /// What can be read: nil where a read throws.
  private static func values(_ path: FilePath) -> [String: [UInt8]?] {
    var result: [String: [UInt8]?] = [:]
    let store = try? SlabStore.open(path)
    for name in names {
      result[name] = .some(try? store?.dataset(name).readBytes().bytes)
    }
    return result
  }

  /// Verification names each file with one of some kinds; every read gives the true values or throws.
  private func check(_ faults: [String: Set<Kind>], _ what: String) throws {
    let report = try SlabStore.verify(path, threads: 1)
    for (file, kinds) in faults {
      let found = report.problems.filter { $0.path == file }
      #expect(found.contains { kinds.contains($0.kind) }, "\(what): \(file): \(report.problems)")
    }
    for (name, bytes) in Self.values(path) {
      #expect(bytes == nil || bytes == intact[name], "\(what): \(name) gives wrong values")
      for file in faults.keys where file.hasPrefix("\(name)/c/") {
        #expect(bytes == nil, "\(what): \(name) reads in spite of it")
      }
    }
  }

  private func restore(_ file: String) throws {
    let target = path.appending(file)
    unlink(target.string)
    rmdir(target.string)
    try write(try #require(originals[file]), to: target)
  }

  private func checkWhole() throws {
    let report = try SlabStore.verify(path, threads: 1)
    #expect(report.ok, "not whole again: \(report.problems)")
  }

  /// What bytes that are no longer those of a file are called.
  private func kindOfOtherBytes(_ file: String) -> Kind {
    if Self.isChunk(file) { return .torn }
    if Self.isRun(file) { return .table }
    return file.hasSuffix("zarr.json") ? .stale : .index
  }

  @Test func bytesAppended() throws {
    var cases = 0
    for file in files {
      for extra in Self.isExhaustive ? Array(1...64) : [1, 4, 64] {
        let original = try #require(originals[file])
        let tail = (0..<extra).map { extra % 2 == 0 ? 0 : UInt8(truncatingIfNeeded: $0 * 37 + 1) }
        try write(original + tail, to: path.appending(file))
        try check([file: [kindOfOtherBytes(file)]], "\(file) and \(extra) bytes")
        cases += 1
      }
      try restore(file)
    }
    try checkWhole()
    print("file faults: \(cases) files lengthened")
  }

  @Test func filesDeleted() throws {
    for file in files {
      try remove(path.appending(file))
      let kind: Kind = Self.isRun(file) ? .table : file == "slab.json" ? .index : .missing
      try check([file: [kind]], "\(file) deleted")
      try restore(file)
    }
    try checkWhole()
  }

  /// Each pair of chunk files, of one data set and of two, and each pair of runs.
  @Test func filesExchanged() throws {
    var pairs = 0
    for (index, one) in files.enumerated() {
      for two in files[..<index] where originals[one] != originals[two] {
        let areChunks = Self.isChunk(one) && Self.isChunk(two)
        guard areChunks || Self.isRun(one) && Self.isRun(two) else { continue }
        try write(try #require(originals[two]), to: path.appending(one))
        try write(try #require(originals[one]), to: path.appending(two))
        let isSameDataset = one.prefix { $0 != "c" } == two.prefix { $0 != "c" }
        // A chunk of another data set is no sound chunk of this one unless their forms agree.
        let kinds: Set<Kind> =
          !areChunks ? [.table] : isSameDataset ? [.swapped] : [.swapped, .torn, .checksum]
        try check([one: kinds, two: kinds], "\(one) and \(two) exchanged")
        try restore(one)
        try restore(two)
        pairs += 1
      }
    }
    #expect(pairs > 30)
    try checkWhole()
    print("file faults: \(pairs) pairs exchanged")
  }

  /// Files of a store of the same shape and names, with other values in it.
  @Test func filesOfAnotherStore() throws {
    let other = directory.path.appending("other.slab")
    try SmallStore.write(at: other)
    let store = try SlabStore.open(other, mode: .readWrite)
    try writeAll(SmallStore.ramp.map { $0 &+ 1 }, to: try store.dataset("a/ramp"))
    try writeAll(SmallStore.wave.map { $0 + 1 }, to: try store.dataset("wave"))
    try store.close()
    var cases = 0
    for file in files where file != "slab.json" {
      let source = other.appending(file)
      // What describes the same nodes says the same there.
      guard let bytes = try? contents(source), bytes != originals[file],
        !file.hasSuffix("zarr.json")
      else { continue }
      try write(bytes, to: path.appending(file))
      let kinds: Set<Kind> =
        Self.isChunk(file) ? [.stale] : [kindOfOtherBytes(file)]
      try check([file: kinds], "\(file) of another store")
      try restore(file)
      cases += 1
    }
    #expect(cases >= 8)
    // Its index lists runs that are not here.
    try write(try contents(other.appending("slab.json")), to: path.appending("slab.json"))
    let report = try SlabStore.verify(path, threads: 1)
    #expect(report.problems.contains { $0.kind == .table }, "\(report.problems)")
    #expect(Self.values(path).values.allSatisfy { $0 == nil })
    try restore("slab.json")
    try checkWhole()
  }

  /// Chunks, runs and indexes as they were before they were overwritten.
  @Test func olderVersions() throws {
    let old = directory.path.appending("old.slab")
    try copyTree(path, to: old)
    let store = try SlabStore.open(path, mode: .readWrite)
    let ramp = SmallStore.ramp.map { $0 &+ 1 }
    try writeAll(ramp, to: try store.dataset("a/ramp"))
    try store.close()
    let newest = Self.values(path)
    var cases = 0
    for file in try directory.files(in: old) where file.hasPrefix("a/ramp/c/") {
      let target = path.appending(file)
      let now = try contents(target)
      try write(try contents(old.appending(file)), to: target)
      let report = try SlabStore.verify(path, threads: 1)
      #expect(report.problems.map(\.path) == [file] && report.problems[0].kind == .stale)
      let found = Self.values(path)
      #expect(found["a/ramp"] == .some(nil) && found["wave"] == newest["wave"])
      try write(now, to: target)
      cases += 1
    }
    #expect(cases == 6)
    // An older run under the newest one's name.
    let runs = try directory.files(in: path).filter { $0.hasPrefix("__slab/t/d0/") }
    let first = try #require(runs.first)
    let last = try #require(runs.last)
    try #require(first != last)
    let now = try contents(path.appending(last))
    try write(try contents(path.appending(first)), to: path.appending(last))
    let report = try SlabStore.verify(path, threads: 1)
    #expect(report.problems.contains { $0.path == last && $0.kind == .table })
    #expect(Self.values(path)["a/ramp"] == .some(nil))
    try write(now, to: path.appending(last))
    // An older index: a commit that is gone reads as that commit or not at all, never as a mixture.
    let index = try contents(path.appending("slab.json"))
    try write(try contents(old.appending("slab.json")), to: path.appending("slab.json"))
    let outdated = try SlabStore.verify(path, threads: 1)
    #expect(outdated.problems.contains { $0.path.hasPrefix("a/ramp/c/") && $0.kind == .stale })
    let found = Self.values(path)
    #expect(found["a/ramp"] == .some(nil) && found["wave"] == newest["wave"])
    try write(index, to: path.appending("slab.json"))
    try checkWhole()
  }

  /// What is no regular file is never opened as one, not even a link to the true content.
  @Test(arguments: ["directory", "fifo", "link", "dangling link"])
  func otherThanFiles(what: String) throws {
    for file in files {
      let target = path.appending(file).string
      let aside = directory.path.appending("aside").string
      unlink(aside)
      #expect(rename(target, aside) == 0)
      switch what {
      case "directory": #expect(mkdir(target, 0o755) == 0)
      case "fifo": #expect(mkfifo(target, 0o644) == 0)
      case "link": #expect(symlink(aside, target) == 0)
      default: #expect(symlink("nowhere", target) == 0)
      }
      let kind: Kind =
        Self.isRun(file)
        ? .table : Self.isChunk(file) || file.hasSuffix("zarr.json") ? .foreign : .index
      try check([file: [kind]], "\(file) as a \(what)")
      try restore(file)
    }
    try checkWhole()
  }
}
