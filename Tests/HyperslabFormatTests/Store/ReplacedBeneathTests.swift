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

  /// Makes changes that must not be committed, by direct calls or in a transaction, and closes the store.
  private func expectConflict(
    of change: (SlabStore) throws -> Void, in store: SlabStore, inTransaction: Bool
  ) throws {
    expectError(.conflict) {
      if inTransaction {
        try store.transaction(change)
      } else {
        try change(store)
        try store.commit()
      }
    }
    try? store.reload()
    try store.close()
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

  /// Nor is it lost in silence when something else is created in its place.
  @Test func whatWasStagedIsNotForgottenForANewOne() throws {
    let store = try SlabStore.create(at: path)
    let old = try store.createDataset("x", description(8))
    try store.commit()
    let other = try SlabStore.open(path, mode: .readWrite)
    try other.remove(NodePath("x"))
    try other.close()
    try old.put(1, 3)
    try store.refresh()
    _ = try store.createDataset("x", description(8))
    expectError(.conflict) { try store.commit() }
    try store.reload()
    try store.close()
  }

  @Test func aGroupInThePlaceOfARemovedDatasetIsNone() throws {
    let store = try SlabStore.create(at: path)
    try store.createDataset("x", description(8)).put(0, 3)
    try store.commit()
    try store.remove(NodePath("x"))
    try store.createGroup(NodePath("x"))
    expectError(.wrongKind) { _ = try store.dataset("x") }
    try store.commit()
    expectError(.wrongKind) { _ = try store.dataset("x") }
    try store.close()
    #expect(try SlabStore.verify(path).ok)
  }

  /// Removing or replacing a node would take with it what another writer has since said of it.
  @Test(arguments: ["remove", "replace", "group", "child"], [false, true])
  func attributesOfAnotherAreNotRemoved(what: String, inTransaction: Bool) throws {
    let store = try SlabStore.create(at: path)
    try store.createDataset("g/x", description(8)).put(0, 3)
    try store.commit()
    let node = try NodePath(what == "group" ? "g" : "g/x")
    let change = { (store: SlabStore) in
      switch what {
      case "replace": _ = try store.replaceDataset(NodePath("g/x"), description(8))
      case "remove": try store.remove(NodePath("g/x"))
      default: try store.remove(NodePath("g"))
      }
      let other = try SlabStore.open(path, mode: .readWrite)
      try other.setAttribute("important", 1, of: node)
      try other.close()
    }
    try expectConflict(of: change, in: store, inTransaction: inTransaction)
    #expect(try SlabStore.open(path).node(node).attributes["important"] == 1)
  }

  /// In a transaction an attribute that was read and is set again must still be what it was.
  @Test func attributesOfATransactionAreHeld() throws {
    let store = try SlabStore.create(at: path)
    try store.setAttribute("n", 1, of: .root)
    try store.commit()
    let other = try SlabStore.open(path, mode: .readWrite)
    expectError(.conflict) {
      try store.transaction { inner in
        let before = try inner.node(.root).attributes["n"]?.integer ?? 0
        try other.setAttribute("n", .integer(before + 1), of: .root)
        try other.commit()
        try inner.setAttribute("n", .integer(before + 10), of: .root)
      }
    }
    // One that says the same, or something else, is none.
    try store.transaction { inner in
      try other.setAttribute("n", 5, of: .root)
      try other.setAttribute("m", 5, of: .root)
      try other.commit()
      try inner.setAttribute("n", 5, of: .root)
      try inner.setAttribute("k", 5, of: .root)
    }
    try other.close()
    try store.close()
    let found = try SlabStore.open(path).node(.root).attributes
    #expect(found["n"] == 5 && found["m"] == 5 && found["k"] == 5)
  }

  /// Also where both come to the same value.
  @Test func twoThatCountAreNotOne() throws {
    let store = try SlabStore.create(at: path)
    try store.setAttribute("n", 0, of: .root)
    try store.commit()
    let count = { (store: SlabStore) in
      let before = try store.node(.root).attributes["n"]?.integer ?? 0
      try store.setAttribute("n", .integer(before + 1), of: .root)
    }
    expectError(.conflict) {
      try store.transaction { outer in
        let before = try outer.node(.root).attributes["n"]?.integer ?? 0
        try store.transaction(count)
        try outer.setAttribute("n", .integer(before + 1), of: .root)
      }
    }
    try store.transaction(count)
    try store.close()
    #expect(try SlabStore.open(path).node(.root).attributes["n"] == 2)
  }

  /// Whatever the transaction has seen since.
  @Test(arguments: ["remove", "replace", "group"])
  func aTransactionRemovesWhatItBeganWith(what: String) throws {
    let store = try SlabStore.create(at: path)
    try store.createDataset("g/x", description(8)).put(0, 3)
    try store.commit()
    expectError(.conflict) {
      try store.transaction { inner in
        try store.transaction { try $0.dataset("g/x").put(1, 4) }
        _ = try inner.refresh()
        switch what {
        case "remove": try inner.remove(NodePath("g/x"))
        case "group": try inner.remove(NodePath("g"))
        default: _ = try inner.replaceDataset(NodePath("g/x"), description(8))
        }
      }
    }
    try store.close()
    #expect(
      try SlabStore.open(path).dataset("g/x").read(Int32.self).elements == [3, 3, 3, 3, 4, 4, 4, 4])
  }

  /// A node that came after the changes began has attributes, too.
  @Test func attributesOfALaterNodeAreNotRemoved() throws {
    let store = try SlabStore.create(at: path)
    try store.setAttribute("k", 1, of: .root)
    try store.transaction { try $0.createDataset("n", description(8)).put(0, 3) }
    try store.remove(NodePath("n"))
    let other = try SlabStore.open(path, mode: .readWrite)
    try other.setAttribute("rate", 5, of: NodePath("n"))
    try other.close()
    expectError(.conflict) { try store.commit() }
    try store.reload()
    try store.close()
  }

  /// What is said of a node is not said of its successor.
  @Test(arguments: ["data set", "group"], [false, true])
  func attributesStayWithTheirNode(successor: String, inTransaction: Bool) throws {
    let store = try SlabStore.create(at: path)
    _ = try store.createDataset("x", description(8))
    try store.commit()
    let change = { (store: SlabStore) in
      try store.setAttribute("rate", 1, of: NodePath("x"))
      let other = try SlabStore.open(path, mode: .readWrite)
      if successor == "group" {
        try other.remove(NodePath("x"))
        try other.createGroup(NodePath("x"))
      } else {
        _ = try other.replaceDataset(NodePath("x"), description(4))
      }
      try other.close()
    }
    try expectConflict(of: change, in: store, inTransaction: inTransaction)
    #expect(try SlabStore.open(path).node(NodePath("x")).attributes.isEmpty)
  }

  /// What was created here and not committed is replaced like anything else.
  @Test func whatIsNewIsReplaced() throws {
    let store = try SlabStore.create(at: path)
    try store.createDataset("x", description(8)).put(0, 3)
    try store.replaceDataset(NodePath("x"), description(4)).put(0, 4)
    try store.commit()
    try store.replaceDataset(NodePath("x"), description(4)).put(0, 5)
    try store.replaceDataset(NodePath("x"), description(4)).put(0, 6)
    try store.close()
    #expect(try SlabStore.open(path).dataset("x").read(Int32.self).elements == [6, 6, 6, 6])
    #expect(try SlabStore.verify(path).ok)
  }
}
