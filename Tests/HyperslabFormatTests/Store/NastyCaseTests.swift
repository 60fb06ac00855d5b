import Foundation
import HyperslabCore
import SystemPackage
import Testing

@testable import HyperslabFormat

/// The fifteen nasty cases of the format's study, each by its number.
@Suite struct NastyCaseTests {
  private let directory: TemporaryDirectory
  private let path: FilePath

  init() throws {
    directory = try TemporaryDirectory()
    path = directory.path.appending("s.slab")
  }

  private func expectSound() throws {
    let report = try SlabStore.verify(path)
    #expect(report.ok, "\(report.problems)")
  }

  @Test func case01_anEdgeChunkIsWholeAndPaddedWithFill() throws {
    let store = try SlabStore.create(at: path)
    let x = try store.createDataset(
      "x",
      .init(
        shape: [10], chunkShape: [4], dataType: .int32, fillValue: .init(Int32(99)),
        compression: .init(filter: Filter.none)))
    try writeAll((1...10).map { Int32($0) }, to: x)
    try store.close()
    let file = try contents(path.appending("x/c/2"))
    // Prefix of one block, its length word, four elements raw, the trailer.
    #expect(file.count == 28 + 4 + 16 + 4)
    let elements = file[32..<48].withUnsafeBytes { Array($0.bindMemory(to: Int32.self)) }
    #expect(elements == [9, 10, 99, 99])
    let info = try SlabStore.open(path).dataset("x").info
    #expect(info.statistics.maximum == .signed(10), "padding does not count")
    try expectSound()
  }

  @Test func case02_aZeroLengthAxisIsLegalAndGrows() throws {
    let store = try SlabStore.create(at: path)
    let x = try store.createDataset(
      "x",
      .init(shape: [0, 3], chunkShape: [2, 3], dataType: .int32, maximumShape: [nil, 3]))
    #expect(x.grid.chunkCount == 0)
    try store.commit()
    #expect(try SlabStore.open(path).dataset("x").read(Int32.self).elements.isEmpty)
    try writeAll([1, 2, 3], to: try x.resized(to: [1, 3]))
    try store.close()
    #expect(try SlabStore.open(path).dataset("x").read(Int32.self).elements == [1, 2, 3])
    try expectSound()
  }

  @Test(arguments: Filter.allCases)
  func case03_rankZeroIsOneChunkInAFileNamedC(filter: Filter) throws {
    let store = try SlabStore.create(at: path)
    let x = try store.createDataset(
      "x", .init(shape: [], chunkShape: [], dataType: .float64, compression: .init(filter: filter)))
    try writeAll([2.5], to: x)
    try store.close()
    #expect(try directory.files(in: path).contains("x/c"))
    #expect(try SlabStore.open(path).dataset("x").read(Double.self).elements == [2.5])
    try expectSound()
  }

  @Test func case04_aChunkLargerThanTheShapeIsFilledInByGrowing() throws {
    let store = try SlabStore.create(at: path)
    let x = try store.createDataset(
      "x", .init(shape: [3], chunkShape: [8], dataType: .int32, maximumShape: [nil]))
    try writeAll([1, 2, 3], to: x)
    try store.commit()
    let grown = try x.resized(to: [7])
    #expect(try grown.read(Int32.self).elements == [1, 2, 3, 0, 0, 0, 0])
    try writeAll([1, 2, 3, 4, 5, 6, 7], to: grown)
    try store.close()
    #expect(
      try SlabStore.open(path).dataset("x").read(Int32.self).elements == [1, 2, 3, 4, 5, 6, 7])
    try expectSound()
  }

  @Test func case05_overwritingIsSeenWholeOrNotAtAllAndTheSecondWriterIsTold() throws {
    let first = try SlabStore.create(at: path)
    try writeAll((1...8).map { Int32($0) }, to: try first.createDataset("x", row(chunks: 2)))
    try first.commit()
    let reader = try SlabStore.open(path).dataset("x")
    let pinned = try SlabStore.open(path, mode: .pinned).dataset("x")
    let second = try SlabStore.open(path, mode: .readWrite)
    try first.dataset("x").put(0, [1, 20, 3, 4])
    try second.dataset("x").put(0, [1, 2, 30, 4])
    try first.commit()
    expectError(.conflict) { try second.commit() }
    #expect(try reader.read(Int32.self).elements == [1, 20, 3, 4, 5, 6, 7, 8])
    expectError(.snapshotChanged) { _ = try pinned.read(Int32.self) }
  }

  @Test func case06_bitsOfFillValuesAreKept() throws {
    let store = try SlabStore.create(at: path)
    let payload = Float(bitPattern: 0x7FC0_0001)
    for (name, fill) in [("payload", payload), ("nan", .nan), ("negative", -0.0)] {
      let x = try store.createDataset(
        try NodePath(name),
        .init(shape: [8], chunkShape: [4], dataType: .float32, fillValue: .init(fill)))
      try writeAll([fill, fill, fill, fill, 0.0, -0.0, .nan, payload], to: x)
    }
    let allNaN = try store.createDataset(
      "all", .init(shape: [4], chunkShape: [4], dataType: .float32))
    try writeAll([Float.nan, .nan, payload, .nan], to: allNaN)
    try store.close()
    for (name, fill) in [("payload", payload), ("nan", Float.nan), ("negative", -0.0)] {
      let x = try SlabStore.open(path).dataset(try NodePath(name))
      #expect(try x.state(of: [0]) == .fill && x.state(of: [1]) == .stored)
      let wanted = [fill, fill, fill, fill, 0.0, -0.0, .nan, payload].map(\.bitPattern)
      #expect(try x.read(Float.self).elements.map(\.bitPattern) == wanted)
    }
    let statistics = try SlabStore.open(path).dataset("all").info.statistics
    #expect(statistics.minimum == nil && statistics.maximum == nil && statistics.nanCount == 4)
    try expectSound()
  }

  @Test func case07_shrinkingThenGrowingExposesFill() throws {
    let store = try SlabStore.create(at: path)
    var description = row(chunks: 3)
    description.fillValue = .init(Int32(-7))
    let x = try store.createDataset("x", description)
    try writeAll((0..<12).map { Int32($0) }, to: x)
    try store.commit()
    let short = try x.resized(to: [5])
    try store.commit()
    _ = try short.resized(to: [12])
    try store.close()
    let found = try SlabStore.open(path).dataset("x").read(Int32.self, missing: .fill).elements
    #expect(found == [0, 1, 2, 3, 4] + Array(repeating: -7, count: 7))
    try expectSound()
  }

  @Test func case08_growingATrailingAxisKeepsEveryRun() throws {
    let store = try SlabStore.create(at: path)
    let x = try store.createDataset(
      "x", .init(shape: [4, 4], chunkShape: [2, 2], dataType: .int32, maximumShape: [nil, nil]))
    try writeAll((0..<16).map { Int32($0) }, to: x)
    try store.commit()
    let runs = try directory.files(in: path).filter { $0.hasPrefix("__slab/t/") }
    _ = try x.resized(to: [4, 9])
    try store.commit()
    #expect(try directory.files(in: path).filter { $0.hasPrefix("__slab/t/") } == runs)
    let found = try SlabStore.open(path).dataset("x").read(Int32.self, [0..<4, 0..<4])
    #expect(found.elements == (0..<16).map { Int32($0) })
    try store.close()
    try expectSound()
  }

  @Test func case09_unusableNamesAreRefusedWithTheReason() throws {
    let store = try SlabStore.create(at: path)
    try store.createGroup(try NodePath("caf\u{E9}"))
    try store.createGroup(try NodePath("LFP"))
    try store.createGroup(try NodePath("con"))
    expectError(.alreadyExists) { try store.createGroup(try NodePath("cafe\u{301}")) }
    expectError(.invalidName) { try store.createGroup(try NodePath("lfp")) }
    for name in ["..", ".", "c", "a/c", "__slab", ".hidden", "zarr.json", "a\\b", "a\u{7}", "a//b"]
    {
      let error = #expect(throws: HyperslabError.self) { _ = try NodePath(name) }
      #expect(error?.code == .invalidName && error?.what.isEmpty == false)
    }
    expectError(.invalidName) { _ = try NodePath(String(repeating: "x", count: 256)) }
    try store.close()
    // A name that is not UTF-8, on the disk only.
    try Data().write(to: URL(fileURLWithPath: path.string + "/x"))
    let renamed = (path.string + "/x").withCString { from in
      (Array((path.string + "/").utf8CString.dropLast()) + [-1, 0]).withUnsafeBufferPointer {
        $0.baseAddress.map { rename(from, $0) } ?? -1
      }
    }
    try #require(renamed == 0)
    let report = try SlabStore.verify(path)
    #expect(report.problems.map(\.kind) == [.foreign], "\(report)")
  }

  @Test func case10_linksAndPipesAreNotFollowed() throws {
    try SmallStore.write(at: path)
    let chunk = path.appending("a/ramp/c/0/0")
    let kept = try contents(chunk)
    let outside = directory.path.appending("outside")
    try write(kept, to: outside)
    try remove(chunk)
    try FileManager.default.createSymbolicLink(
      atPath: chunk.string, withDestinationPath: outside.string)
    func expectForeign(_ file: String) throws {
      expectError(.foreign) { _ = try SlabStore.open(path).dataset("a/ramp").read(Int16.self) }
      let problems = try SlabStore.verify(path).problems
      #expect(problems.map(\.kind) == [.foreign] && problems.first?.path == file)
    }
    try expectForeign("a/ramp/c/0/0")
    try remove(chunk)
    try #require(mkfifo(chunk.string, 0o600) == 0)
    try expectForeign("a/ramp/c/0/0")
    // The root itself may be reached through a link.
    let link = directory.path.appending("link.slab")
    try FileManager.default.createSymbolicLink(
      atPath: link.string, withDestinationPath: path.string)
    #expect(try SlabStore.open(link).dataset("wave").read(Float.self).elements == SmallStore.wave)
    // A linked directory for the store's own is none.
    let own = directory.path.appending("own")
    try FileManager.default.moveItem(
      atPath: path.appending("__slab").string, toPath: own.string)
    try FileManager.default.createSymbolicLink(
      atPath: path.appending("__slab").string, withDestinationPath: own.string)
    #expect(throws: HyperslabError.self) {
      _ = try SlabStore.open(path).dataset("wave").read(Float.self)
    }
  }

  @Test func case11_chunksBeyondTheFormatAreRefusedAtCreation() throws {
    let store = try SlabStore.create(at: path)
    for length in [1 << 31, 0x7FFF_FFFF, 0x7FF0_0000 + (1 << 20)] {
      expectError(.chunkTooLarge) {
        _ = try store.createDataset(
          "x", .init(shape: [length], chunkShape: [length], dataType: .uint8))
      }
    }
    // The longest that 2³¹ − 1 bytes of file leave room for, in blocks of 4 KiB.
    var longest = row(chunks: 1)
    longest.dataType = .uint8
    longest.fillValue = .init(zero: .uint8)
    longest.compression.blockByteCount = 4096
    longest.shape = [2_141_210_000]
    longest.maximumShape = [nil]
    longest.chunkShape = longest.shape
    _ = try store.createDataset("y", longest)
    longest.chunkShape = [2_141_211_000]
    expectError(.chunkTooLarge) { _ = try store.createDataset("z", longest) }
  }

  @Test(arguments: Filter.allCases)
  func case12_blocksThatDoNotShrinkOrShrinkToNothing(filter: Filter) throws {
    let store = try SlabStore.create(at: path)
    var state: UInt64 = 1
    let noise = (0..<30_000).map { _ -> UInt64 in
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return state ^ state >> 29
    }
    let arrays = ["noise": noise, "equal": Array(repeating: 5, count: 30_000)]
    for (name, values) in arrays {
      let x = try store.createDataset(
        try NodePath(name),
        .init(
          shape: [30_000], chunkShape: [30_000], dataType: .uint64,
          compression: .init(filter: filter)))
      try writeAll(values, to: x)
    }
    try store.close()
    for (name, values) in arrays {
      let x = try SlabStore.open(path).dataset(try NodePath(name))
      #expect(try x.read(UInt64.self).elements == values && x.state(of: [0]) == .stored)
    }
    try expectSound()
  }

  /// In step 7 the disk is full; in step 1 a file cannot be made permanent.
  @Test(arguments: [true, false])
  func case13_aFailingDiskLeavesTheLastCommit(isFull: Bool) throws {
    let first = try SlabStore.create(at: path)
    try first.createDataset("x", row(chunks: 2)).put(0, 1)
    try first.close()
    let (store, files) = try openFaulty(path)
    files.fail { operation, path, _ in
      isFull
        ? operation == .create && "\(path)".hasPrefix("slab.json.tmp")
        : operation == .synchronize && "\(path)".hasPrefix("__slab/w/")
    }
    #expect(throws: HyperslabError.self) {
      try store.dataset("x").put(0, 5)
      try store.commit()
    }
    files.fail(nil)
    if isFull {
      // What was to be committed is lost, and nothing else.
      expectError(.io) { try store.commit() }
      expectError(.io) { try store.close() }
    } else {
      // The chunk was refused, and no commit has it.
      try store.close()
    }
    #expect(try firsts(path, "x") == [1, nil])
    let next = try SlabStore.open(path, mode: .readWrite)
    try next.dataset("x").put(1, 2)
    try next.close()
    #expect(try firsts(path, "x") == [1, 2])
    try expectSound()
  }

  @Test func case14_aCopyTakenDuringAWriteIsOfOneCommitOrSaysWhatIsMissing() throws {
    let store = try SlabStore.create(at: path)
    try store.createDataset("x", row(chunks: 3)).put(0, 1)
    try store.commit()
    let copy = directory.path.appending("copy.slab")
    let old = directory.path.appending("old.json")
    try copyTree(path.appending("slab.json"), to: old)
    // Staged and not committed yet: a copy opens at the last commit.
    try store.dataset("x").put(1, 2)
    try copyTree(path, to: copy)
    #expect(try firsts(copy, "x") == [1, nil, nil])
    try store.dataset("x").put(0, 9)
    try store.close()
    // A copy whose index is newer than its files: an error that names the file, never fill.
    try remove(copy.appending("slab.json"))
    try copyTree(path.appending("slab.json"), to: copy.appending("slab.json"))
    let error = #expect(throws: HyperslabError.self) { _ = try firsts(copy, "x") }
    #expect(error?.code == .damagedTable && error?.place?.contains("__slab/t/d0/") == true)
    // An older index restored over newer files: stale is told from good.
    try remove(path.appending("slab.json"))
    try copyTree(old, to: path.appending("slab.json"))
    expectError(.swapped) { _ = try firsts(path, "x") }
    #expect(try SlabStore.verify(path).problems.contains { $0.kind == .stale })
  }

  @Test func case15_locksAndClocksThatLieAndMediaThatCannotBeWritten() throws {
    let store = try SlabStore.create(at: path)
    try store.createDataset("x", row(chunks: 2)).put(0, 1)
    try store.close()
    // The process that the lock names may be any other by now; the kernel's lock is free.
    let stale =
      "{\"writer\": null, \"host\": \"\(LockHolder.host)\", \"pid\": 1, \"since\": \"2099-01-01T00:00:00.000Z\"}\n"
    try write(Array(stale.utf8), to: path.appending("__slab/lock"))
    let next = try SlabStore.open(path, mode: .readWrite, patience: .zero)
    try next.dataset("x").put(1, 2)
    try next.close()
    // Times that run backwards order nothing.
    let files = try LocalFileSystem(root: path)
    var index = try Snapshot.read(files, cache: RunCache(files: files)).index
    index.time = "1970-01-01T00:00:00.000Z"
    index.commit += 1
    try write(try index.encoded(), to: path.appending("slab.json"))
    #expect(try firsts(path, "x") == [1, 2])
    // Nobody may write; readers need not.
    for file in try directory.files(in: path) { chmod(path.appending(file).string, 0o444) }
    chmod(path.string, 0o555)
    defer { chmod(path.string, 0o755) }
    #expect(try firsts(path, "x") == [1, 2])
  }
}
