import HyperslabCore
import SystemPackage
import Testing

@testable import HyperslabFormat

/// Data sets and groups that are removed.
@Suite struct RemoveTests {
  private let directory: TemporaryDirectory
  private let path: FilePath

  init() throws {
    directory = try TemporaryDirectory()
    path = directory.path.appending("s.slab")
  }

  private func fill(_ store: SlabStore, _ name: String, _ value: Int32) throws {
    try store.createDataset(try NodePath(name), row(chunks: 2)).put(0, value)
  }

  @Test func aDataSetGoesWithItsFiles() throws {
    let store = try SlabStore.create(at: path)
    try fill(store, "a/x", 1)
    try fill(store, "a/y", 2)
    try store.commit()
    let handle = try store.dataset("a/x")
    try store.remove(try NodePath("a/x"))
    expectError(.notFound) { _ = try store.dataset("a/x") }
    expectError(.snapshotChanged) { try handle.put(1, 5) }
    #expect(try handle.firsts() == [1, nil], "until the commit")
    #expect(try firsts(path, "a/x") == [1, nil], "until the commit")
    try store.commit()
    expectError(.snapshotChanged) { _ = try handle.firsts() }
    expectError(.notFound) { _ = try firsts(path, "a/x") }
    try store.close()
    #expect(try directory.files(in: path).allSatisfy { !$0.contains("a/x") })
    #expect(try firsts(path, "a/y") == [2, nil])
    let report = try SlabStore.verify(path)
    #expect(report.ok && report.leftovers.isEmpty, "\(report)")
  }

  @Test func aGroupGoesWithAllItHolds() throws {
    let store = try SlabStore.create(at: path)
    try fill(store, "a/b/x", 1)
    try fill(store, "a/y", 2)
    try fill(store, "z", 3)
    try store.commit()
    try fill(store, "a/new", 4)
    try store.remove(try NodePath("a"))
    for gone in ["a", "a/b", "a/b/x", "a/new"] { #expect(!store.contains(try NodePath(gone))) }
    try store.close()
    #expect(store.nodes().map { "\($0.path)" } == ["", "z"])
    #expect(try directory.files(in: path).allSatisfy { !$0.hasPrefix("a/") })
    let report = try SlabStore.verify(path)
    #expect(report.ok && report.leftovers.isEmpty, "\(report)")
    expectError(.invalidName) { try SlabStore.open(path, mode: .readWrite).remove(.root) }
  }

  @Test func aSuccessorInTheSameCommitKeepsItsOwnChunks() throws {
    let store = try SlabStore.create(at: path)
    try fill(store, "x", 1)
    try store.commit()
    try store.remove(try NodePath("x"))
    try fill(store, "x", 2)
    try store.commit()
    #expect(try firsts(path, "x") == [2, nil])
    // A data set where a group was, and the other way round.
    try store.remove(try NodePath("x"))
    try fill(store, "x/y", 3)
    try store.commit()
    #expect(try firsts(path, "x/y") == [3, nil])
    try store.remove(try NodePath("x"))
    try fill(store, "x", 4)
    try store.close()
    #expect(try firsts(path, "x") == [4, nil])
    #expect(try SlabStore.verify(path).ok)
  }

  @Test func whatAnotherWriterAddedIsNotRemovedUnseen() throws {
    let first = try SlabStore.create(at: path)
    try fill(first, "a/x", 1)
    try first.commit()
    let second = try SlabStore.open(path, mode: .readWrite)
    try second.dataset("a/x").put(1, 2)
    try second.commit()
    try first.remove(try NodePath("a/x"))
    expectError(.conflict) { try first.commit() }
    let third = try SlabStore.open(path, mode: .readWrite)
    try third.remove(try NodePath("a"))
    try fill(second, "a/late", 3)
    try second.commit()
    expectError(.conflict) { try third.commit() }
    #expect(try firsts(path, "a/x") == [1, 2])
    #expect(try firsts(path, "a/late") == [3, nil])
  }
}
