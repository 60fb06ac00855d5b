import HyperslabCore
import Synchronization
import SystemPackage
import Testing

@testable import HyperslabFormat

/// The file of the store's lock, taken away beside a writer that holds it (`rm`, `rsync`, `tar x`): another
/// writer makes a new one and commits.
@Suite struct LockFileTests {
  private let directory: TemporaryDirectory
  private var path: FilePath { directory.path.appending("s.slab") }

  init() throws {
    directory = try TemporaryDirectory()
    let store = try SlabStore.create(at: path)
    try store.createDataset("a", row(chunks: 4)).put(0, 1)
    try store.createDataset("b", row(chunks: 4)).put(0, 2)
    try store.close()
  }

  /// Has another writer take the lock's file away and commit, once.
  private func interfere(_ isDone: borrowing Atomic<Bool>) {
    guard isDone.compareExchange(expected: false, desired: true, ordering: .relaxed).exchanged
    else { return }
    do {
      try remove(path.appending("__slab/lock"))
      let other = try SlabStore.open(path, mode: .readWrite)
      try other.dataset("b").put(1, 3)
      try other.close()
    } catch { Issue.record("\(error)") }
  }

  /// Just before the claim: the second line of defence.
  @Test func aCommitDoesNotPublishOverAnother() throws {
    let (store, files) = try openFaulty(path)
    let isDone = Done()
    try store.dataset("a").put(1, 4)
    files.fail { operation, place, _ in
      if operation == .create, place.name.hasPrefix("claim-") { interfere(isDone.flag) }
      return false
    }
    expectError(.conflict) { try store.commit() }
    files.fail(nil)
    #expect(try firsts(path, "b") == [2, 3, nil, nil])
    try store.reload()
    try store.dataset("a").put(1, 4)
    try store.close()
    #expect(try firsts(path, "a") == [1, 4, nil, nil])
    #expect(try firsts(path, "b") == [2, 3, nil, nil])
    #expect(try SlabStore.verify(path).ok)
  }

  /// While a writer that opens the store looks for what to sweep.
  @Test func openingSweepsNothingOfAnother() throws {
    let files = try FaultyFileSystem(root: path)
    let isDone = Done()
    files.fail { operation, place, _ in
      if operation == .list, place == StoreLayout.reserved { interfere(isDone.flag) }
      return false
    }
    expectError(.conflict) {
      _ = try SlabStore(path: path, files: files, mode: .readWrite, durability: .full)
    }
    #expect(try firsts(path, "b") == [2, 3, nil, nil])
    let report = try SlabStore.verify(path)
    #expect(report.ok, "\(report.problems)")
  }

  /// Who makes a commit without the lock is noticed by its claim before anything of it is swept.
  @Test func openingSweepsNothingOfACommitUnderWay() throws {
    let (store, files) = try openFaulty(path)
    let isDone = Done()
    try store.dataset("a").put(1, 4)
    files.fail { [path] operation, place, _ in
      guard operation == .rename, place == StoreLayout.index,
        isDone.flag.compareExchange(expected: false, desired: true, ordering: .relaxed).exchanged
      else { return false }
      do { try remove(path.appending("__slab/lock")) } catch { Issue.record("\(error)") }
      expectError(.locked) { _ = try SlabStore.open(path, mode: .readWrite) }
      return false
    }
    try store.commit()
    files.fail(nil)
    let wasAsked = isDone.flag.load(ordering: .relaxed)
    #expect(wasAsked)
    try store.close()
    #expect(try firsts(path, "a") == [1, 4, nil, nil])
    #expect(try SlabStore.verify(path).ok)
  }

  /// Another program's file under the lock's name is not emptied.
  @Test(arguments: ["garbage", "{\"title\": \"my thesis\"}", String(repeating: "x", count: 5000)])
  func anothersFileIsNotEmptied(text: String) throws {
    let lock = path.appending("__slab/lock")
    try write(Array(text.utf8), to: lock)
    expectError(.foreign) { _ = try SlabStore.open(path, mode: .readWrite) }
    #expect(try contents(lock) == Array(text.utf8))
    #expect(try SlabStore.verify(path).problems.contains { $0.path == "__slab/lock" })
    let report = try SlabStore.repair(path)
    #expect(report.ok, "\(report.remaining)")
    let lost = try #require(
      try directory.files(in: path).first { $0.hasPrefix("__slab/lost/") && $0.hasSuffix("lock") })
    #expect(try contents(path.appending(lost)) == Array(text.utf8))
    try SlabStore.open(path, mode: .readWrite).close()
  }

  /// What a writer that was killed left in it.
  @Test(arguments: ["", "{\"writer\": ", "\0\0\0"])
  func whatAWriterLeftIsNoObstacle(text: String) throws {
    try write(Array(text.utf8), to: path.appending("__slab/lock"))
    #expect(try SlabStore.verify(path).ok)
    try SlabStore.open(path, mode: .readWrite).close()
  }
}

private final class Done: Sendable { let flag = Atomic(false) }
