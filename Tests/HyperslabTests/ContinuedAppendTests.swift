import Foundation
import Hyperslab
import Synchronization
import SystemPackage
import Testing

/// Appends of several commits, and what others do to the data set between two of them.
@Suite struct ContinuedAppendTests {
  private let directory: TemporaryDirectory
  private let path: FilePath

  init() throws {
    directory = try TemporaryDirectory()
    path = directory.path.appending("s.slab")
  }

  /// Eight values from 1000 on, four a read; calls a hook after the first four are committed.
  private final class Rows: ArrayDataChunkSource {
    let shape: Shape = [8]
    private let reads = Atomic(0)
    private let hook: @Sendable () throws -> Void

    init(_ hook: @escaping @Sendable () throws -> Void) { self.hook = hook }

    func data(_ selection: Selection) throws -> [Int32] {
      if reads.add(1, ordering: .relaxed).newValue == 2 { try hook() }
      return selection.bounds[0].map { 1000 + Int32($0) }
    }
  }

  private func description(_ length: Int) -> DatasetDescription {
    DatasetDescription(
      shape: [length], chunkShape: [2], dataType: .int32, maximumShape: [nil])
  }

  private func write(_ values: [Int32], to store: some ChunkedStore) throws {
    try store.write(
      GenericDataChunkIterator(
        InMemorySource(elements: values, shape: [values.count]), chunkShape: [2]),
      to: "m", options: WriteOptions(maximumShape: [nil]))
  }

  private func commits() -> [Int] {
    (try? SlabStore.open(path)).map { [$0.commitNumber] } ?? []
  }

  /// Waits until what was read first is there for good.
  private func awaitCommit(after number: Int) {
    while (commits().first ?? 0) <= number { usleep(200) }
  }

  enum Disturbance: CaseIterable {
    case overwrite, overwriteThroughTheSameHandle, recreate, recreateInATransaction, shorten, empty
    case shortenAndGrow
  }

  private func disturb(_ way: Disturbance, _ own: SlabStore) throws {
    let other = try SlabStore.open(path, mode: .readWrite)
    switch way {
    case .overwrite: try write([6, 6, 6, 6], to: OverwritingStore(other))
    case .overwriteThroughTheSameHandle: try write([6, 6, 6, 6], to: OverwritingStore(own))
    case .recreate:
      try other.remove(try NodePath("m"))
      try other.commit()
      try write([6, 6, 6, 6], to: other)
    case .recreateInATransaction:
      try own.transaction { store in
        try store.remove(try NodePath("m"))
        _ = try store.createDataset("m", description(0))
      }
    case .shorten:
      _ = try other.dataset("m").resized(to: [5])
      try other.commit()
    case .shortenAndGrow:
      _ = try other.dataset("m").resized(to: [6])
      try other.commit()
      try other.append(InMemorySource(elements: [Int32(7), 7, 7], shape: [3]), to: "m")
    case .empty:
      try own.transaction { _ = try $0.resizeDataset(NodePath("m"), to: [0]) }
    }
    try other.close()
  }

  /// What was committed of it is gone with the data set; that is no half of an append, but none.
  @Test(arguments: Disturbance.allCases)
  func theRestGoesNowhereElse(way: Disturbance) throws {
    let store = try SlabStore.create(at: path)
    try write([1, 2, 3, 4], to: store)
    let before = store.commitNumber
    let error = #expect(throws: HyperslabError.self) {
      try store.append(
        Rows {
          awaitCommit(after: before)
          try disturb(way, store)
        }, to: "m", options: WriteOptions(commit: .everyBuffer, memoryByteCount: 16))
    }
    #expect(error?.code == .conflict)
    #expect(error?.remedy?.contains("4 of 8 along axis 0 were appended and committed") == true)
    #expect(error?.remedy?.contains("are gone") == true)
    let expected: [Int32] =
      switch way {
      case .overwrite, .overwriteThroughTheSameHandle, .recreate: [6, 6, 6, 6]
      case .recreateInATransaction, .empty: []
      case .shorten: [1, 2, 3, 4, 1000]
      case .shortenAndGrow: [1, 2, 3, 4, 1000, 1001, 7, 7, 7]
      }
    #expect(try SlabStore.open(path).dataset("m").read(Int32.self).elements == expected)
    try store.close()
    #expect(try SlabStore.verify(path).ok)
  }

  /// A remedy that says that a beginning is there is obeyed.
  @Test(arguments: [true, false])
  func aFailedOneTellsWhetherItsBeginningIsThere(isReplaced: Bool) throws {
    struct Failure: Error {}
    let store = try SlabStore.create(at: path)
    try write([1, 2, 3, 4], to: store)
    let before = store.commitNumber
    let error = #expect(throws: HyperslabError.self) {
      try store.append(
        Rows {
          awaitCommit(after: before)
          if isReplaced { try disturb(.overwrite, store) }
          throw Failure()
        }, to: "m", options: WriteOptions(commit: .everyBuffer, memoryByteCount: 16))
    }
    #expect(error?.code == .sourceFailed)
    let tells = isReplaced ? "are gone" : "stay; append only the rest"
    #expect(error?.remedy?.contains(tells) == true, "\(error.map { "\($0)" } ?? "")")
    try store.close()
  }

  /// Those who append, too, are no reason to stop.
  @Test func itGoesOnBehindWhatCameBetween() throws {
    let store = try SlabStore.create(at: path)
    try write([1, 2, 3, 4], to: store)
    let before = store.commitNumber
    try store.append(
      Rows {
        awaitCommit(after: before)
        let other = try SlabStore.open(path, mode: .readWrite)
        try other.append(InMemorySource(elements: [Int32(7)], shape: [1]), to: "m")
        try other.close()
      }, to: "m", options: WriteOptions(commit: .everyBuffer, memoryByteCount: 16))
    let values = try store.dataset("m").read(Int32.self).elements
    #expect(values == [1, 2, 3, 4, 1000, 1001, 1002, 1003, 7, 1004, 1005, 1006, 1007])
    try store.close()
  }
}
