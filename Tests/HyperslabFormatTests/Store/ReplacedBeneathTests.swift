import HyperslabCore
import SystemPackage
import Testing

@testable import HyperslabFormat

/// What was written to a data set that another writer then replaced.
@Suite struct ReplacedBeneathTests {
  private let directory: TemporaryDirectory
  private var path: FilePath { directory.path.appending("s.slab") }

  init() throws { directory = try TemporaryDirectory() }

  private func description(_ length: Int) -> DatasetDescription {
    DatasetDescription(
      shape: [length], chunkShape: [4], dataType: .int32, maximumShape: [nil],
      compression: .init(filter: Filter.none))
  }

  /// A writer at work on a data set of ones that another has replaced with one of sevens since.
  private func replaced() throws -> (store: SlabStore, old: SlabDataset) {
    let store = try SlabStore.create(at: path)
    let old = try store.createDataset("x", description(8))
    try writeAll(Array(repeating: Int32(1), count: 8), to: old)
    try store.commit()
    let other = try SlabStore.open(path, mode: .readWrite)
    try writeAll(
      Array(repeating: Int32(7), count: 8),
      to: other.replaceDataset(NodePath("x"), description(8)))
    try other.commit()
    try other.close()
    return (store, old)
  }

  private func expectSevens() throws {
    let values = try SlabStore.open(path).dataset("x").read(Int32.self).elements
    #expect(values == Array(repeating: 7, count: 8))
    let report = try SlabStore.verify(path)
    #expect(report.ok, "\(report.problems)")
  }

  /// It is not read as the new one's, nor as damage, and no commit takes it for that.
  @Test func whatWasStagedIsNotTheNewOnes() throws {
    let (store, old) = try replaced()
    try old.put(0, 3)
    try store.refresh()
    #expect(
      try store.dataset("x").read(Int32.self).elements == Array(repeating: 7, count: 8))
    expectError(.snapshotChanged) { _ = try old.read(Int32.self) }
    expectError(.snapshotChanged) { try old.put(1, 3) }
    expectError(.conflict) { try store.commit() }
    try store.reload()
    try store.close()
    try expectSevens()
  }

  @Test func anOldHandleResizesNothing() throws {
    let (store, old) = try replaced()
    try store.refresh()
    expectError(.snapshotChanged) { _ = try old.resized(to: [3]) }
    expectError(.snapshotChanged) { try old.put(1, 3) }
    try store.commit()
    try store.close()
    try expectSevens()
  }

  @Test func theNewOneIsWrittenBesideTheOldHandle() throws {
    let (store, old) = try replaced()
    try store.refresh()
    let new = try store.dataset("x")
    try new.put(1, 8)
    expectError(.snapshotChanged) { try old.put(0, 3) }
    try store.commit()
    try store.close()
    let values = try SlabStore.open(path).dataset("x").read(Int32.self).elements
    #expect(values == [7, 7, 7, 7, 8, 8, 8, 8])
  }
}
