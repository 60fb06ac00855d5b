import Foundation
import HyperslabCore
import SystemPackage
import Testing

@testable import HyperslabFormat

/// Who holds the store, and what becomes of those who hold it too long or died.
@Suite struct LockTests {
  private let directory: TemporaryDirectory
  private var path: FilePath { directory.path.appending("x.slab") }

  init() throws {
    directory = try TemporaryDirectory()
    let store = try SlabStore.create(at: path)
    try store.createDataset("x", row(chunks: 4)).put(0, 1)
    try store.close()
  }

  /// Takes the store's lock as another process would.
  private func hold() throws -> any FileLock {
    let files = try LocalFileSystem(root: path)
    return try StoreLock(files: files, patience: .seconds(1)).acquire(writer: nil)
  }

  @Test func aHolderIsNamedWithProcessHostAndTime() throws {
    let lock = try hold()
    let error = #expect(throws: HyperslabError.self) {
      _ = try SlabStore.open(path, mode: .readWrite, patience: .milliseconds(20))
    }
    #expect(error?.code == .locked)
    let found = error?.found ?? ""
    #expect(found.contains("process \(getpid()) on \(LockHolder.host) since 20"), "\(found)")
    lock.release()
    #expect(try SlabStore.open(path, mode: .readWrite).commitNumber > 0)
  }

  @Test func readersNeverWaitForALock() throws {
    let lock = try hold()
    defer { lock.release() }
    #expect(try firsts(path, "x") == [1, nil, nil, nil])
    #expect(try SlabStore.verify(path).ok)
  }

  @Test func aCommitGivesUpUnharmed() throws {
    let store = try SlabStore.open(path, mode: .readWrite, patience: .milliseconds(20))
    try store.dataset("x").put(1, 2)
    let lock = try hold()
    expectError(.locked) { try store.commit() }
    lock.release()
    try store.close()
    #expect(try firsts(path, "x") == [1, 2, nil, nil])
  }

  /// Nasty case 15 of the format's study: the kernel's lock decides, not what the file says.
  @Test(arguments: [
    "", "{\"pid\": 1, \"host\": \"elsewhere\", \"since\": \"2001-01-01T00:00:00.000Z\"}",
    "{\"pid\": \"x\"}",
  ])
  func aDeadHolderBlocksNobodyWhateverTheFileSays(text: String) throws {
    try write(Array(text.utf8), to: path.appending("__slab/lock"))
    let store = try SlabStore.open(path, mode: .readWrite, patience: .zero)
    try store.dataset("x").put(1, 2)
    try store.close()
    #expect(try firsts(path, "x") == [1, 2, nil, nil])
    #expect(try SlabStore.verify(path).ok)
  }

  /// As where locks lie: the claim of a living process stops the commit and is named.
  @Test func aLivingClaimStopsTheCommitAndIsNamed() throws {
    let store = try SlabStore.open(path, mode: .readWrite)
    try store.dataset("x").put(1, 2)
    let claim = path.appending("__slab/claim-\(store.commitNumber + 1)")
    let holder: JSONObject = [
      "writer": .string(StoreLayout.newIdentifier()), "host": "elsewhere", "pid": 4711,
      "since": "2026-01-02T03:04:05.678Z",
    ]
    try write(Array(JSONValue.object(holder).text().utf8), to: claim)
    let error = #expect(throws: HyperslabError.self) { try store.commit() }
    #expect(error?.code == .locked)
    #expect(error?.found == "process 4711 on elsewhere since 2026-01-02T03:04:05.678Z")
    #expect(error?.place?.contains("claim-") == true)
    // One of this machine whose writer is gone is a corpse.
    var dead = holder
    dead["host"] = .string(LockHolder.host)
    try write(Array(JSONValue.object(dead).text().utf8), to: claim)
    try store.commit()
    #expect(try firsts(path, "x") == [1, 2, nil, nil])
  }
}
