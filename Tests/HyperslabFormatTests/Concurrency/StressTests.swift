import Foundation
import HyperslabCore
import HyperslabTestSupport
import Synchronization
import SystemPackage
import Testing

@testable import HyperslabFormat

/// Writers that get in each other's way and readers that look on, each with a handle of its own as
/// separate processes have. `HYPERSLAB_STRESS_SECONDS` says for how long, `HYPERSLAB_SEED` from where.
@Suite struct StressTests {
  private static let stripes = 3
  private static let chunksPerStripe = 4

  private let directory: TemporaryDirectory
  private let path: FilePath
  private let seconds: Double
  private let seed: Int

  init() throws {
    directory = try TemporaryDirectory()
    path = directory.path.appending("s.slab")
    let environment = ProcessInfo.processInfo.environment
    seconds = environment["HYPERSLAB_STRESS_SECONDS"].flatMap { Double($0) } ?? 3
    seed = environment["HYPERSLAB_SEED"].flatMap { Int($0) } ?? 1
  }

  /// A commit that succeeded, what it wrote, and the commit that its writer had seen.
  private struct Success {
    var stripe: Int?
    var stamp: Int32
    var commit: Int
    var base: Int
  }

  private struct Tally {
    var successes: [Success] = []
    var conflicts = 0
    var reads = 0
    var busy = 0
    var pinned = 0
    var wrong: [String] = []
  }

  private final class Shared: Sendable {
    let tally = Mutex(Tally())
  }

  @Test func writersAndReadersAtOnce() throws {
    let store = try SlabStore.create(at: path)
    _ = try store.createDataset("x", row(chunks: Self.stripes * Self.chunksPerStripe))
    for chunk in 0..<Self.stripes * Self.chunksPerStripe { try store.dataset("x").put(chunk, 0) }
    var log = row(chunks: 0)
    log.maximumShape = [nil]
    _ = try store.createDataset("log", log)
    try store.close()

    let shared = Shared()
    let end = ContinuousClock.now + .seconds(seconds)
    let group = DispatchGroup()
    // Threads of their own: a queue would run no more at once than there are cores.
    for number in 0..<8 {
      group.enter()
      Thread.detachNewThread {
        work(number, until: end, shared)
        group.leave()
      }
    }
    group.wait()
    let found = shared.tally.withLock { $0 }
    print(
      "stress: seed \(seed), \(seconds) s: \(found.successes.count) commits,",
      "\(found.conflicts) conflicts, \(found.reads) slices, \(found.busy) busy,",
      "\(found.pinned) pinned readers told, \(found.wrong.count) wrong")
    #expect(found.wrong.isEmpty, "\(found.wrong.prefix(5))")
    #expect(found.successes.count > 10 && found.conflicts > 0 && found.reads > 10)
    try checkNothingWasLost(found.successes)
    let report = try SlabStore.verify(path)
    #expect(report.ok, "\(report.problems.prefix(5))")
  }

  private func work(_ number: Int, until end: ContinuousClock.Instant, _ shared: Shared) {
    var generator = SeededGenerator("stress \(seed)", number)
    do {
      if number < 4 {
        try write(number, until: end, &generator, shared.tally)
      } else {
        try read(number, until: end, &generator, shared.tally)
      }
    } catch {
      shared.tally.withLock { $0.wrong.append("\(number < 4 ? "writer" : "reader"): \(error)") }
    }
  }

  // MARK: - Writers

  private func write(
    _ number: Int, until end: ContinuousClock.Instant, _ generator: inout SeededGenerator,
    _ tally: borrowing Mutex<Tally>
  ) throws {
    var store = try SlabStore.open(path, mode: .readWrite)
    var stamp = Int32(number)
    while ContinuousClock.now < end {
      stamp += 4
      let stripe =
        generator.chance(1, in: 3) ? nil : Int.random(in: 0..<Self.stripes, using: &generator)
      let base = store.commitNumber
      do throws(HyperslabError) {
        if let stripe {
          try overwrite(stripe, stamp, in: store)
        } else {
          try append(stamp, to: store)
        }
        try store.commit()
        let commit = store.commitNumber
        tally.withLock {
          $0.successes.append(.init(stripe: stripe, stamp: stamp, commit: commit, base: base))
        }
      } catch {
        guard error.code == .conflict else { throw error }
        tally.withLock { $0.conflicts += 1 }
        try? store.close()
        store = try SlabStore.open(path, mode: .readWrite)
      }
      if generator.chance(1, in: 20) {
        try store.close()
        store = try SlabStore.open(path, mode: .readWrite)
      }
    }
    try store.close()
  }

  private func overwrite(
    _ stripe: Int, _ stamp: Int32, in store: SlabStore
  ) throws(HyperslabError) {
    let x = try store.dataset(NodePath("x"))
    for chunk in 0..<Self.chunksPerStripe {
      try put(stamp, x, stripe * Self.chunksPerStripe + chunk)
    }
  }

  private func append(_ stamp: Int32, to store: SlabStore) throws(HyperslabError) {
    let log = try store.dataset(NodePath("log"))
    let length = log.grid.arrayShape[0]
    try put(stamp, try log.resized(to: [length + 4]), length / 4)
  }

  private func put(_ value: Int32, _ dataset: SlabDataset, _ chunk: Int) throws(HyperslabError) {
    let buffer = ElementBuffer(byteCount: 16)
    buffer.pointer.initializeMemory(as: Int32.self, repeating: value, count: 4)
    try buffer.withBytes { (bytes) throws(HyperslabError) in
      try dataset.writeChunk(
        [chunk], from: bytes, layout: StridedLayout(shape: [4], byteStrides: [4]))
    }
  }

  // MARK: - Readers

  private func read(
    _ number: Int, until end: ContinuousClock.Instant, _ generator: inout SeededGenerator,
    _ tally: borrowing Mutex<Tally>
  ) throws {
    let isPinned = number == 7
    var store = try SlabStore.open(path, mode: isPinned ? .pinned : .readOnly)
    while ContinuousClock.now < end {
      let width = 4 * Self.chunksPerStripe
      let start = Int.random(in: 0..<Self.stripes, using: &generator) * width
      do throws(HyperslabError) {
        let slice = try store.dataset(NodePath("x")).read(Int32.self, [start..<start + width])
        let mixed = Set(slice.elements).count != 1
        tally.withLock {
          $0.reads += 1
          if mixed { $0.wrong.append("a mixed slice: \(slice.elements)") }
        }
        let log = try store.dataset(NodePath("log")).read(Int32.self).elements
        if stride(from: 0, to: log.count, by: 4).contains(where: {
          Set(log[$0..<$0 + 4]).count != 1
        }) {
          tally.withLock { $0.wrong.append("a torn entry of the log") }
        }
      } catch {
        switch error.code {
        case .busy: tally.withLock { $0.busy += 1 }
        case .snapshotChanged where isPinned: tally.withLock { $0.pinned += 1 }
        default: tally.withLock { $0.wrong.append("\(error)") }
        }
        store = try SlabStore.open(path, mode: isPinned ? .pinned : .readOnly)
      }
      if generator.chance(1, in: 10) {
        store = try SlabStore.open(path, mode: isPinned ? .pinned : .readOnly)
      }
    }
  }

  // MARK: - Afterwards

  /// Every commit of a stripe, or to the log, had seen the one before it.
  private func checkNothingWasLost(_ successes: [Success]) throws {
    #expect(Set(successes.map(\.commit)).count == successes.count, "two commits of one number")
    let reader = try SlabStore.open(path)
    for stripe in [nil] + (0..<Self.stripes).map({ Optional($0) }) {
      let own = successes.filter { $0.stripe == stripe }.sorted { $0.commit < $1.commit }
      for (before, after) in zip(own, own.dropFirst()) {
        #expect(
          after.base >= before.commit,
          "commit \(after.commit) did not see \(before.commit), and was no conflict")
      }
      if let stripe {
        let first = stripe * 4 * Self.chunksPerStripe
        let last = try reader.dataset("x").read(Int32.self, [first..<first + 1]).elements[0]
        #expect(last == own.last?.stamp ?? 0)
      } else {
        let log = try reader.dataset("log").read(Int32.self).elements
        #expect(log == own.flatMap { Array(repeating: $0.stamp, count: 4) })
      }
    }
  }
}
