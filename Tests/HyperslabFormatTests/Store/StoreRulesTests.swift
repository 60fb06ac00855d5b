import HyperslabCore
import SystemPackage
import Testing

@testable import HyperslabFormat

/// Creating stores and nodes: what is refused, and what stays.
@Suite struct StoreRulesTests {
  private let directory: TemporaryDirectory
  private var path: FilePath { directory.path.appending("x.slab") }

  init() throws { directory = try TemporaryDirectory() }

  @Test func nothingIsOverwrittenUnasked() throws {
    try SmallStore.write(at: path)
    expectError(.alreadyExists) { _ = try SlabStore.create(at: path) }
    #expect(try SlabStore.verify(path).ok)
    let store = try SlabStore.create(at: path, overwrite: true)
    #expect(store.nodes().count == 1)
    try store.close()
    #expect(try directory.files(in: directory.path).allSatisfy { $0.hasPrefix("x.slab/") })
  }

  @Test func onlyASlabStoreIsOverwritten() throws {
    let file = directory.path.appending("notes.txt")
    try write([1, 2, 3], to: file)
    let folder = directory.path.appending("folder")
    try copyTree(
      try {
        try SmallStore.write(at: path); return path
      }(), to: folder)
    try remove(folder.appending("__slab/lock"))
    for target in [file, folder] {
      for overwrite in [false, true] {
        #expect(throws: HyperslabError.self) {
          try SlabStore.create(at: target, overwrite: overwrite)
        }
      }
    }
    #expect(try contents(file) == [1, 2, 3])
    #expect(try directory.files(in: folder).contains("a/ramp/c/0/0"))
    #expect(throws: HyperslabError.self) {
      try SlabStore.create(at: directory.path.appending("notes.txt/x.slab"))
    }
  }

  @Test func namesThatSomeDiskConfusesAreRefused() throws {
    let store = try SlabStore.create(at: path)
    try store.createGroup("Probe")
    expectError(.invalidName) { try store.createGroup("probe") }
    expectError(.invalidName) { try store.createGroup("probe/deep/er") }
    expectError(.invalidName) { _ = try store.createDataset("PROBE/x", row(chunks: 1)) }
    try store.createGroup("Probe/deep")
    try store.commit()
    expectError(.invalidName) { try store.createGroup("Probe/Deep/er") }
    #expect(!store.contains(try NodePath("probe")))
    expectError(.invalidName) { _ = try store.createDataset("", row(chunks: 1)) }
    expectError(.alreadyExists) { try store.createGroup("") }
    try store.close()
  }

  /// Names equal to Unicode but not in their bytes lead to the same files.
  @Test func aNameIsFoundInAnyUnicodeForm() throws {
    let store = try SlabStore.create(at: path)
    try store.createDataset("caf\u{E9}", row(chunks: 1)).put(0, 5)
    try store.close()
    #expect(try firsts(path, "cafe\u{301}") == [5])
    let again = try SlabStore.open(path, mode: .readWrite)
    expectError(.alreadyExists) { _ = try again.createDataset("cafe\u{301}", row(chunks: 1)) }
    try again.dataset("cafe\u{301}").put(0, 6)
    try again.close()
    #expect(try firsts(path, "caf\u{E9}") == [6])
    #expect(try SlabStore.verify(path).ok)
  }

  @Test func namesLikeTheStoresOwnTemporariesDoNoHarm() throws {
    let store = try SlabStore.create(at: path)
    for name in ["slab.json.tmp-1", "zarr.json.tmp", "g/zarr.json.tmp", "claim-1", "0", "lock"] {
      try store.createDataset(name, row(chunks: 1)).put(0, 5)
    }
    try store.close()
    let again = try SlabStore.open(path, mode: .readWrite)
    try again.setAttribute("a", 1, of: .root)
    try again.close()
    for name in ["slab.json.tmp-1", "zarr.json.tmp", "g/zarr.json.tmp", "claim-1", "0", "lock"] {
      #expect(try firsts(path, name) == [5])
    }
    let report = try SlabStore.verify(path)
    #expect(report.ok && report.leftovers.isEmpty, "\(report)")
  }

  @Test func tooManyNodesAreRefusedWhenCreated() throws {
    let store = try SlabStore.create(at: path, durability: .fast)
    let prefix = (0..<64).map { "g\($0)" }
    for group in prefix {
      for member in 0..<62 { try store.createGroup("\(group)/n\(member)") }
    }
    for member in 0..<62 { try store.createGroup("last/n\(member)") }
    expectError(.limit) { try store.createGroup("one-more") }
    expectError(.limit) { try store.createGroup("two/more") }
    try store.close()
    #expect(try SlabStore.open(path).nodes().count == StoreIndex.maximumNodeCount)
  }

  @Test func fastDurabilityIsForTheFirstSession() throws {
    let store = try SlabStore.create(at: path, durability: .fast)
    try store.createDataset("x", row(chunks: 2)).put(0, 1)
    try store.commit()
    try store.dataset("x").put(1, 2)
    try store.close()
    expectError(.invalidValue) {
      _ = try SlabStore.open(path, mode: .readWrite, durability: .fast)
    }
    try SlabStore.open(path, mode: .readWrite).close()
    #expect(try firsts(path, "x") == [1, 2])
  }

  @Test func readersDoNotWrite() throws {
    try SmallStore.write(at: path)
    let store = try SlabStore.open(path)
    expectError(.readOnly) { try store.createGroup("g") }
    expectError(.readOnly) { _ = try store.createDataset("d", row(chunks: 1)) }
    expectError(.readOnly) { try store.setAttribute("a", 1, of: .root) }
    expectError(.readOnly) { try store.commit() }
    expectError(.readOnly) { try store.dataset("a/flags").put(0, 1) }
    try store.close()
  }

  @Test func aClosedStoreTakesNothingMore() throws {
    let store = try SlabStore.create(at: path)
    let dataset = try store.createDataset("x", row(chunks: 2))
    try dataset.put(0, 1)
    try store.close()
    try store.close()
    expectError(.closed) { try dataset.put(1, 1) }
    expectError(.closed) { try store.commit() }
    expectError(.closed) { try store.createGroup("g") }
    #expect(try firsts(path, "x") == [1, nil])
  }

  @Test func totalsAndStatisticsFollowOverwrites() throws {
    let store = try SlabStore.create(at: path)
    let dataset = try store.createDataset("x", row(chunks: 3))
    func expect(_ stored: Int, _ fill: Int, _ low: Int64?, _ high: Int64?) throws {
      try store.commit()
      let info = dataset.info
      #expect(info.storedChunks == stored && info.fillChunks == fill)
      #expect(info.statistics.minimum == low.map { .signed($0) })
      #expect(info.statistics.maximum == high.map { .signed($0) })
      #expect((info.storedByteCount > 0) == (stored > 0))
      #expect(try SlabStore.verify(path).ok)
    }
    try expect(0, 0, nil, nil)
    try dataset.put(0, [1, 2, 3, 4])
    try expect(1, 0, 1, 4)
    try dataset.put(1, [-5, 0, 0, 9])
    try expect(2, 0, -5, 9)
    try dataset.put(1, 0)
    try expect(1, 1, 0, 4)
    try dataset.put(0, 0)
    try expect(0, 2, 0, 0)
    try dataset.put(1, 7)
    try expect(1, 1, 0, 7)
    try dataset.put(1, 8)
    try dataset.put(1, 0)
    try dataset.put(1, 6)
    try dataset.put(0, 5)
    try expect(2, 0, 5, 6)
    try store.close()
    #expect(try firsts(path, "x") == [5, 6, nil])
    let report = try SlabStore.verify(path)
    #expect(report.ok && report.leftovers.isEmpty, "\(report)")
  }
}
