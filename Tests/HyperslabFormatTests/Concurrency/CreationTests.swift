import Dispatch
import HyperslabCore
import Synchronization
import SystemPackage
import Testing

@testable import HyperslabFormat

/// What a handle says of a data set while the commit is made that creates it.
@Suite struct CreationTests {
  /// Before, the handle knows no number of it, and no index lists it; after, both. Never one without the other.
  @Test func readsBesideTheCommitThatCreates() throws {
    let directory = try TemporaryDirectory()
    let path = directory.path.appending("s.slab")
    let store = try SlabStore.create(at: path, durability: .fast)
    let changes = try store.writing()
    // The moment that matters is a twentieth of a read.
    for number in 0..<300 {
      let operation = SlabStore(
        store.opened, ChangeSet(store.opened, changes.session, view: store.snapshot),
        role: .operation)
      let dataset = try operation.createDataset(try NodePath("d\(number)"), row(chunks: 2))
      try dataset.put(0, 1)
      let isDone = Atomic(false)
      let failures = Mutex<[String]>([])
      DispatchQueue.concurrentPerform(iterations: 2) { worker in
        do {
          if worker == 0 {
            defer { isDone.store(true, ordering: .releasing) }
            try operation.commit()
          } else {
            repeat {
              #expect(try dataset.state(of: [0]) == .stored)
            } while !isDone.load(ordering: .acquiring)
          }
        } catch { failures.withLock { $0.append("\(error)") } }
      }
      #expect(failures.withLock { $0 }.isEmpty, "\(failures.withLock { $0 })")
    }
    try store.close()
  }
}
