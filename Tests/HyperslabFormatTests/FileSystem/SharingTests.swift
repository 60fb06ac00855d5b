import Foundation
import HyperslabCore
import SystemPackage
import Testing

@testable import HyperslabFormat

/// What is made in a store is open to whom its `slab.json` is.
@Suite struct SharingTests {
  private let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory() }

  private func mode(_ name: String) throws -> Int {
    let place = directory.path.appending(name).string
    let attributes = try FileManager.default.attributesOfItem(atPath: place)
    return try #require(attributes[.posixPermissions] as? Int)
  }

  @Test(arguments: [
    (0o664, 0o664, 0o775), (0o600, 0o600, 0o700), (0o660, 0o660, 0o770), (0o640, 0o640, 0o750),
    (0o444, 0o644, 0o755), (0o622, 0o622, 0o722),
  ])
  func whatIsMadeIsForTheSamePeople(_ index: Int, _ file: Int, _ made: Int) throws {
    try write([1], to: directory.path.appending("slab.json"))
    #expect(chmod(directory.path.appending("slab.json").string, mode_t(index)) == 0)
    let files = try LocalFileSystem(root: directory.path)
    try files.create(StorePath("f"), contents: [1], synchronize: false)
    #expect(try files.makeDirectory(StorePath("d")))
    try files.create(StorePath("d/f"), contents: [1], synchronize: false)
    #expect(try files.lock(StorePath("lock"), wait: false) != nil)
    #expect(try mode("f") == file)
    #expect(try mode("d/f") == file)
    #expect(try mode("lock") == file)
    #expect(try mode("d") == made)
  }

  @Test func whoSharesAStoreThatIsOpenIsHeard() throws {
    let path = directory.path.appending("s.slab")
    let store = try SlabStore.create(at: path)
    try store.createGroup(NodePath("a"))
    try store.commit()
    #expect(chmod(path.appending("slab.json").string, 0o660) == 0)
    try store.createGroup(NodePath("b"))
    try store.commit()
    try store.close()
    #expect(try mode("s.slab/slab.json") == 0o660)
    #expect(try mode("s.slab/b/zarr.json") == 0o660)
    #expect(try mode("s.slab/b") == 0o770)
  }

  @Test func aDirectoryKeepsItsGroupBit() throws {
    try write([1], to: directory.path.appending("slab.json"))
    #expect(chmod(directory.path.appending("slab.json").string, 0o664) == 0)
    #expect(chmod(directory.path.string, 0o2775) == 0)
    let files = try LocalFileSystem(root: directory.path)
    #expect(try files.makeDirectory(StorePath("d")))
    #if os(Linux)
      #expect(try mode("d") == 0o2775)
    #endif
  }
}
