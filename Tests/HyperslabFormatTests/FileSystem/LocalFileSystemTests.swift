import Foundation
import HyperslabCore
import SystemPackage
import Testing

@testable import HyperslabFormat

/// What stands in a store may be anything; only files and directories are taken for such.
@Suite struct LocalFileSystemTests {
  private let directory: TemporaryDirectory
  private let files: LocalFileSystem

  init() throws {
    directory = try TemporaryDirectory()
    files = try LocalFileSystem(root: directory.path)
  }

  private func make(_ kind: String, at name: String) throws {
    let path = directory.path.appending(name).string
    switch kind {
    case "fifo": #expect(mkfifo(path, 0o600) == 0)
    case "directory": #expect(mkdir(path, 0o700) == 0)
    case "link": #expect(symlink("elsewhere", path) == 0)
    case "dangling": #expect(symlink("nowhere", path) == 0)
    default: Issue.record("what is a \(kind)?")
    }
  }

  @Test(arguments: ["fifo", "directory", "link", "dangling"], [false, true])
  func whatIsNoFileIsForeign(kind: String, byComponents: Bool) throws {
    let files = try LocalFileSystem(root: directory.path, resolvingByComponents: byComponents)
    try write([1, 2, 3], to: directory.path.appending("elsewhere"))
    try make(kind, at: "x")
    let path = StorePath("x")
    expectError(.foreign) { _ = try files.open(path) }
    expectError(.foreign) { _ = try files.contents(path, limit: 100) }
    expectError(.foreign) { _ = try files.lock(path, wait: true) }
    expectError(.alreadyExists) { _ = try files.create(path) }
    let status = try #require(try files.status(path))
    #expect(status.kind == (kind == "directory" ? .directory : .other))
    if kind != "directory" {
      expectError(.foreign) { _ = try files.list(path) }
      expectError(.foreign) { _ = try files.open(path / "below") }
      expectError(.foreign) { try files.synchronizeDirectory(path) }
    }
    try files.removeTree(path)
    #expect(try files.status(path) == nil)
    #expect(try contents(directory.path.appending("elsewhere")) == [1, 2, 3])
  }

  @Test(arguments: [false, true])
  func whatIsMissingIsMissing(byComponents: Bool) throws {
    let files = try LocalFileSystem(root: directory.path, resolvingByComponents: byComponents)
    expectError(.missing) { _ = try files.open(StorePath("x")) }
    expectError(.missing) { _ = try files.open(StorePath("x/y")) }
    expectError(.missing) { try files.remove(StorePath("x")) }
    #expect(try files.status(StorePath("x/y")) == nil)
    expectError(.notFound) { _ = try LocalFileSystem(root: directory.path.appending("nowhere")) }
  }

  @Test func aNameThatIsNoTextIsListedAndHarmless() throws {
    let name: [CChar] = [CChar(bitPattern: 0xFF), CChar(bitPattern: 0xFE), 0x61, 0]
    let parent = open(directory.path.string, O_RDONLY)
    defer { close(parent) }
    let file = openat(parent, name, O_CREAT | O_WRONLY, 0o600)
    #expect(file >= 0)
    close(file)
    let entries = try files.list(.root)
    #expect(entries.count == 1 && entries[0].kind == .other)
  }

  @Test func locksExcludeEachOtherAndEndWithTheirHolder() throws {
    let path = StorePath("lock")
    var first = try files.lock(path, wait: false)
    #expect(first != nil)
    #expect(try files.lock(path, wait: false) == nil)
    first?.release()
    let second = try files.lock(path, wait: false)
    #expect(second != nil)
    second?.release()
    first = try files.lock(path, wait: false)
    #expect(first != nil)
    first = nil
    #expect(try files.lock(path, wait: false) != nil)
  }

  @Test func nothingOfAStoreIsFollowedOutOfIt() throws {
    let path = directory.path.appending("small.slab")
    try SmallStore.write(at: path)
    let outside = directory.path.appending("outside")
    try copyTree(path.appending("a"), to: outside)
    try remove(path.appending("a"))
    #expect(symlink(outside.string, path.appending("a").string) == 0)
    let store = try SlabStore.open(path)
    expectError(.foreign) { _ = try store.dataset("a/ramp").readBytes() }
    #expect(try store.dataset("wave").read(Float.self).elements == SmallStore.wave)
    #expect(try !SlabStore.verify(path).ok)
  }

  @Test(arguments: ["fifo", "directory", "link", "dangling"])
  func aStoreWithForeignThingsNeverBlocks(kind: String) throws {
    let path = directory.path.appending("small.slab")
    try SmallStore.write(at: path)
    for file in try directory.files(in: path) {
      let original = try contents(path.appending(file))
      try remove(path.appending(file))
      try make(kind, at: "small.slab/\(file)")
      let report = try? SlabStore.verify(path)
      #expect(report?.ok != true, "\(file)")
      if let store = try? SlabStore.open(path) {
        for name in ["a/ramp", "wave", "a/flags"] { _ = try? store.dataset(name).readBytes() }
      }
      try? SlabStore.open(path, mode: .readWrite).close()
      try files.removeTree(StorePath("small.slab/\(file)"))
      try write(original, to: path.appending(file))
    }
  }

  @Test func descriptorsAreGivenBack() throws {
    func count() throws -> Int {
      try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count
    }
    guard FileManager.default.fileExists(atPath: "/proc/self/fd") else { return }
    let path = directory.path.appending("small.slab")
    try SmallStore.write(at: path)
    let before = try count()
    for _ in 0..<200 {
      let store = try SlabStore.open(path)
      _ = try store.dataset("a/ramp").readBytes()
      _ = try? files.open(StorePath("small.slab"))
      _ = try? files.lock(StorePath("small.slab"), wait: false)
      _ = try SlabStore.verify(path)
    }
    // Other tests run at the same time and hold a few.
    #expect(try count() < before + 150)
  }
}
