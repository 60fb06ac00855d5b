import Dispatch
import Foundation
import Hyperslab
import HyperslabTestSupport
import Synchronization
import SystemPackage
import Testing

/// One handle, used by many tasks or by closures on the host program's queue, for as long as
/// `HYPERSLAB_STRESS_SECONDS` says: what was acknowledged is there once, what failed is not there at all, and
/// readers see whole blocks only.
@Suite(.serialized) struct HandleStressTests: Sendable {
  private static let logs = ["raw", "time"]
  private static let actors = 8
  private static let chunk = 10

  private let directory: TemporaryDirectory
  private let store: SlabStore
  private let length: Duration
  private let ledger = Ledger()

  init() throws {
    directory = try TemporaryDirectory()
    store = try SlabStore.create(at: directory.path.appending("x.slab"))
    for name in Self.logs {
      _ = try store.createDataset(name, Self.description(length: 0))
    }
    _ = try store.createDataset("direct", Self.description(length: 8 * Self.chunk))
    try store.commit()
    let text = ProcessInfo.processInfo.environment["HYPERSLAB_STRESS_SECONDS"]
    length = .seconds(text.flatMap { Double($0) } ?? 3)
  }

  private static func description(length: Int) -> DatasetDescription {
    DatasetDescription(
      shape: [length], chunkShape: [chunk], dataType: .int64, maximumShape: [nil])
  }

  /// What tasks were told.
  private final class Ledger: Sendable {
    struct State {
      /// The block's length, by log and the block's number.
      var appended: [String: [Int: Int]] = [:]
      var failed: [String: Set<Int>] = [:]
      /// The last values that were acknowledged, by data set.
      var written: [String: [Int64]] = [:]
      var counts: [String: Int] = [:]
      var wrong: [String] = []
    }
    let state = Mutex(State())

    func count(_ what: String) { state.withLock { $0.counts[what, default: 0] += 1 } }
    func wrong(_ what: String) {
      state.withLock { if $0.wrong.count < 20 { $0.wrong.append(what) } }
    }
  }

  /// A block tells who wrote it, as which, how long it is, and each element its place in it.
  private static func block(_ number: Int, _ length: Int) -> [Int64] {
    (0..<length).map { Int64(number) << 16 | Int64(length) << 8 | Int64($0) }
  }

  private func source(_ values: [Int64]) throws -> InMemorySource<Int64> {
    try InMemorySource(elements: values, shape: [values.count])
  }

  // MARK: - What tasks do

  private struct Refusal: Error {}

  /// One operation of an actor; `number` is never used twice.
  private func act(_ actor: Int, _ number: Int, _ random: inout SeededGenerator) {
    do {
      switch Int.random(in: 0..<12, using: &random) {
      case 0...3: try append(number, to: Self.logs[Int.random(in: 0..<2, using: &random)], &random)
      case 4, 5: try appendTogether(number, &random)
      case 6: try write(actor, number)
      case 7: try remove(actor, number)
      case 8:
        // Direct calls are one actor's, since a commit of anybody's publishes them.
        if actor == 0 { try put(number) } else { try store.commit() }
      default: try look()
      }
    } catch let error as HyperslabError {
      ledger.count("\(error.code)")
      if ![.conflict, .busy, .snapshotChanged, .notFound].contains(error.code) {
        ledger.wrong("\(error)")
      }
    } catch { ledger.wrong("\(error)") }
  }

  private func append(_ number: Int, to log: String, _ random: inout SeededGenerator) throws {
    let length = Int.random(in: 1..<25, using: &random)
    do {
      try store.append(try source(Self.block(number, length)), to: log)
      ledger.state.withLock { $0.appended[log, default: [:]][number] = length }
      ledger.count("appends")
    } catch {
      ledger.state.withLock { _ = $0.failed[log, default: []].insert(number) }
      throw error
    }
  }

  /// To both logs and an attribute, or, one time in four, nothing of it.
  private func appendTogether(_ number: Int, _ random: inout SeededGenerator) throws {
    let length = Int.random(in: 1..<25, using: &random)
    let fails = random.chance(1, in: 4)
    do {
      try store.transaction { store in
        for log in Self.logs { try store.append(try source(Self.block(number, length)), to: log) }
        try store.setAttribute("last", .integer(number), of: NodePath("raw"))
        if fails { throw Refusal() }
      }
      ledger.state.withLock { state in
        for log in Self.logs { state.appended[log, default: [:]][number] = length }
      }
      ledger.count("transactions")
    } catch {
      ledger.state.withLock { state in
        for log in Self.logs { state.failed[log, default: []].insert(number) }
      }
      if !(error is Refusal) { throw error }
      ledger.count("refused transactions")
    }
  }

  /// A data set of the actor's own, replaced whole.
  private func write(_ actor: Int, _ number: Int) throws {
    let name = "own\(actor)"
    let values = Self.block(number, 20 + number % 30)
    let iterator = try GenericDataChunkIterator(
      try source(values), bufferShape: [Self.chunk], chunkShape: [Self.chunk])
    try store.transaction { store in
      if (try? store.node(NodePath(name))) != nil { try store.remove(NodePath(name)) }
      try store.write(iterator, to: name)
    }
    ledger.state.withLock { $0.written[name] = values }
    ledger.count("writes")
  }

  private func remove(_ actor: Int, _ number: Int) throws {
    let name = "passing\(actor)"
    let iterator = try GenericDataChunkIterator(
      try source(Self.block(number, 25)), bufferShape: [Self.chunk], chunkShape: [Self.chunk])
    try store.write(iterator, to: name)
    try store.transaction { try $0.remove(NodePath(name)) }
    ledger.count("removals")
  }

  private func put(_ number: Int) throws {
    let chunk = (number >> 8) % 8
    let values = Array(repeating: Int64(number), count: Self.chunk)
    let layout = try #require(StridedLayout.rowMajor([Self.chunk], elementByteCount: 8))
    try store.dataset("direct").writeChunk([chunk], from: values.span.bytes, layout: layout)
    try store.commit()
    ledger.state.withLock { $0.written["direct \(chunk)"] = values }
    ledger.count("direct writes")
  }

  private func look() throws {
    for log in Self.logs {
      let values = try store.dataset(log).read(Int64.self, [0...]).elements
      if let problem = Self.problem(in: values, blocks: { _, _ in }) {
        ledger.wrong("a reader of \(log): \(problem)")
      }
    }
    ledger.count("looks")
  }

  /// Goes through the blocks of a log.
  ///
  /// - Returns: what is no whole block.
  private static func problem(in values: [Int64], blocks: (Int, Int) -> Void) -> String? {
    var position = 0
    while position < values.count {
      let (number, length) = (Int(values[position] >> 16), Int(values[position] >> 8 & 0xFF))
      let end = position + length
      guard length > 0, end <= values.count,
        Array(values[position..<end]) == block(number, length)
      else { return "at \(position) of \(values.count) begins no whole block" }
      blocks(number, length)
      position = end
    }
    return nil
  }

  // MARK: - How they are run

  /// At least one operation each, however late it is.
  private func run(_ actor: Int, until end: ContinuousClock.Instant) {
    var random = SeededGenerator("handle stress", actor)
    var round = 0
    repeat {
      act(actor, round << 8 | actor, &random)
      round += 1
    } while ContinuousClock.now < end
  }

  @Test func tasks() async throws {
    let end = ContinuousClock.now + length
    await withTaskGroup { group in
      for actor in 0..<Self.actors { group.addTask { run(actor, until: end) } }
    }
    try check("8 tasks")
  }

  /// As many closures as the pool has no threads for, each of which blocks.
  @Test func closuresOnTheGlobalQueue() throws {
    let group = DispatchGroup()
    let end = ContinuousClock.now + length
    for actor in 0..<100 {
      DispatchQueue.global().async(group: group) { run(actor, until: end) }
    }
    group.wait()
    try check("100 closures")
  }

  private func check(_ what: String) throws {
    try store.close()
    let found = ledger.state.withLock { $0 }
    let counts = found.counts.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }
    print("handle stress: \(what), \(counts.joined(separator: ", ")), \(found.wrong.count) wrong")
    #expect(found.wrong.isEmpty, "\(found.wrong.joined(separator: "\n"))")
    #expect(found.counts["appends", default: 0] + found.counts["transactions", default: 0] > 0)
    let path = store.path
    let reader = try SlabStore.open(path)
    for log in Self.logs {
      var there: [Int: Int] = [:]
      let values = try reader.dataset(log).read(Int64.self, [0...]).elements
      let problem = Self.problem(in: values) { number, length in
        if there.updateValue(length, forKey: number) != nil {
          Issue.record("block \(number) is there twice")
        }
      }
      #expect(problem == nil)
      #expect(there == found.appended[log, default: [:]], "\(log)")
      #expect(found.failed[log, default: []].isDisjoint(with: there.keys))
    }
    for (name, values) in found.written {
      let parts = name.split(separator: " ")
      let all = try reader.dataset(String(parts[0]))
        .read(Int64.self, [0...], missing: .fill).elements
      if parts.count == 1 {
        #expect(all == values, "\(name)")
      } else if let chunk = Int(parts[1]) {
        #expect(Array(all[chunk * Self.chunk..<(chunk + 1) * Self.chunk]) == values, "\(name)")
      }
    }
    let report = try SlabStore.verify(path)
    #expect(report.ok, "\(report.problems.prefix(5))")
    // Tables of data sets that were replaced stay a while for readers.
    let left = report.leftovers.filter { !$0.hasPrefix("__slab/t/") }
    #expect(left.isEmpty, "\(left.prefix(5))")
  }
}
