import Foundation
import HyperslabCore
import Synchronization
import SystemPackage
import Testing

@testable import HyperslabFormat

/// Stores where there is nothing yet, where there is an empty directory, and where others are at it.
@Suite struct StoreCreationTests {
  private let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory() }

  private func makeDirectory(_ name: String) throws {
    try FileManager.default.createDirectory(
      atPath: directory.path.appending(name).string, withIntermediateDirectories: true)
  }

  private func names(_ name: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: directory.path.appending(name).string)
      .sorted()
  }

  @Test(arguments: ["new", "deep/er/new", "empty"])
  func storesAreMadeWhereTheyAreWanted(_ name: String) throws {
    try makeDirectory("empty")
    let path = directory.path.appending(FilePath(name).components)
    let store = try SlabStore.create(at: path)
    try store.createGroup(NodePath("g"))
    try store.commit()
    try store.close()
    #expect(try SlabStore.open(path).contains(NodePath("g")))
    #expect(try SlabStore.verify(path).ok)
    expectError(.alreadyExists) { _ = try SlabStore.create(at: path) }
    #expect(try SlabStore.openOrCreate(at: path).contains(NodePath("g")))
    #expect(try names(name) == ["__slab", "g", "slab.json", "zarr.json"])
  }

  @Test func whatAKilledCreationLeftIsFinished() throws {
    let whole = directory.path.appending("whole")
    try SlabStore.create(at: whole).close()
    try makeDirectory("half")
    let half = directory.path.appending("half")
    // Every state that a kill can leave, one name more each time.
    let unfinished = "slab.json.tmp-\(StoreLayout.newIdentifier())"
    for name in ["__slab", "__slab/w", "__slab/lock", unfinished, "zarr.json"] {
      switch name {
      case "__slab", "__slab/w": try makeDirectory("half/\(name)")
      case "zarr.json": try copyTree(whole.appending(name), to: half.appending(name))
      case unfinished:
        // As much of an index as a power cut may leave.
        try write(
          Array(contents(whole.appending("slab.json")).prefix(40)), to: half.appending(name))
      default: try write([], to: half.appending(FilePath(name).components))
      }
      let copy = directory.path.appending("copy")
      try copyTree(half, to: copy)
      try SlabStore.create(at: copy).close()
      // Whoever opens it to write sweeps the rest away.
      try SlabStore.open(copy, mode: .readWrite).close()
      #expect(try SlabStore.verify(copy).ok, "\(name)")
      try remove(copy)
    }
  }

  @Test func whatIsSomebodysIsLeftAlone() throws {
    for (number, name) in ["thing", "__slab/thing", "__slab/w/thing", "__slab/root-3"].enumerated()
    {
      let place = "full\(number)"
      try makeDirectory("\(place)/__slab/w")
      try write([1, 2], to: directory.path.appending(FilePath("\(place)/\(name)").components))
      let path = directory.path.appending(place)
      let before = try directory.files(in: path)
      expectError(.alreadyExists) { _ = try SlabStore.create(at: path) }
      expectError(.alreadyExists) { _ = try SlabStore.openOrCreate(at: path) }
      expectError(.alreadyExists) { _ = try SlabStore.create(at: path, overwrite: true) }
      #expect(try directory.files(in: path) == before)
    }
    try write([1], to: directory.path.appending("file"))
    expectError(.alreadyExists) { _ = try SlabStore.create(at: directory.path.appending("file")) }
  }

  @Test(arguments: ["new", "deep/new", "empty"])
  func manyMakeOneStore(_ name: String) throws {
    try makeDirectory("empty")
    let path = directory.path.appending(FilePath(name).components)
    let uuids = Mutex<[String]>([])
    let failures = Mutex<[String]>([])
    let done = DispatchSemaphore(value: 0)
    for _ in 0..<12 {
      Thread.detachNewThread {
        do {
          let store = try SlabStore.openOrCreate(at: path)
          uuids.withLock { $0.append(store.uuid) }
          try store.close()
        } catch { failures.withLock { $0.append("\(error)") } }
        done.signal()
      }
    }
    for _ in 0..<12 { done.wait() }
    #expect(failures.withLock { $0 } == [])
    #expect(Set(uuids.withLock { $0 }).count == 1)
    #expect(try SlabStore.verify(path).ok)
  }

  @Test func linksAreFollowedForReadingOnly() throws {
    let path = directory.path.appending("small.slab")
    try SmallStore.write(at: path)
    try makeDirectory("kept")
    for (number, file) in try directory.files(in: path).enumerated() {
      let kept = directory.path.appending("kept").appending("\(number)")
      let place = path.appending(FilePath(file).components)
      try FileManager.default.moveItem(atPath: place.string, toPath: kept.string)
      #expect(symlink(kept.string, place.string) == 0)
    }
    let error = #expect(throws: HyperslabError.self) { try SlabStore.open(path) }
    #expect(error?.code == .foreign)
    #expect(error?.remedy?.contains("followingLinks: true") == true)
    expectError(.foreign) { _ = try SlabStore.open(path, mode: .readWrite) }
    expectError(.invalidValue) {
      _ = try SlabStore.open(path, mode: .readWrite, followingLinks: true)
    }
    let store = try SlabStore.open(path, followingLinks: true)
    #expect(try store.dataset("wave").read(Float.self).elements == SmallStore.wave)
    #expect(try SlabStore.verify(path, followingLinks: true).ok)
    #expect(try !SlabStore.verify(path).ok)
  }
}
