public import HyperslabCore

/// The suite that every ``ChunkedStore`` must pass: each promise of the protocols, held against a
/// naive model on random arrays.
///
///     @Test(arguments: StoreCheck.allCases)
///     func conforms(_ check: StoreCheck) throws {
///       try StoreConformance { MyStore() }.run(check)
///     }
public struct StoreConformance<Store: ChunkedStore>: Sendable {
  let makeStore: @Sendable () throws -> Store
  let reopenStore: (@Sendable (Store) throws -> Store)?
  let trials: Int

  /// A suite over the stores that a closure makes, each of them new and empty.
  ///
  /// - Parameters:
  ///   - trials: Random arrays a check.
  ///   - reopen: Closes a store that was committed and opens it again from where it is kept; nil for
  ///     stores that live in memory only.
  ///   - makeStore: Makes an empty store; called several times a check.
  public init(
    trials: Int = 30, reopen: (@Sendable (Store) throws -> Store)? = nil,
    makeStore: @escaping @Sendable () throws -> Store
  ) {
    self.trials = trials
    self.makeStore = makeStore
    reopenStore = reopen
  }

  /// Runs one check.
  ///
  /// - Throws: ``ConformanceFailure``, or what the store threw where it must not throw.
  public func run(_ check: StoreCheck) throws {
    let recorder = Recorder()
    var generator = SeededGenerator(check.rawValue)
    do {
      try body(of: check)(recorder, &generator)
    } catch {
      recorder.fail("\(recorder.context)threw \(error)")
    }
    guard recorder.failures.isEmpty else {
      throw ConformanceFailure(
        check: check, failures: recorder.failures, seed: SeededGenerator.baseSeed)
    }
  }

  /// Runs all checks.
  ///
  /// - Throws: the first ``ConformanceFailure``.
  public func runAll() throws {
    for check in StoreCheck.allCases { try run(check) }
  }

  typealias Body = (Recorder, inout SeededGenerator) throws -> Void

  private func body(of check: StoreCheck) -> Body {
    switch check {
    case .groups: groups
    case .creation: creation
    case .refusedDescriptions: refusedDescriptions
    case .limits: limits
    case .names: names
    case .opening: opening
    case .states: states
    case .fillValues: fillValues
    case .types: types
    case .emptyArrays: emptyArrays
    case .replacement: replacement
    case .layouts: layouts
    case .selections: selections
    case .chunkParts: chunkParts
    case .neverWritten: neverWritten
    case .outOfBounds: outOfBounds
    case .memoryMismatch: memoryMismatch
    case .preparation: preparation
    case .together: together
    case .concurrency: concurrency
    case .resizing: resizing
    case .resuming: resuming
    case .reopening: reopening
    }
  }
}

/// Collects what did not hold, without a test library.
final class Recorder {
  private(set) var failures: [String] = []
  /// What is being looked at; stands before each failure.
  var context = ""

  func fail(_ what: String) {
    // The first few say it all.
    if failures.count < 10 { failures.append(what) }
  }

  func expect(_ condition: Bool, _ what: @autoclosure () -> String) {
    if !condition { fail(context + what()) }
  }

  func expectEqual<T: Equatable>(_ found: T, _ expected: T, _ what: @autoclosure () -> String) {
    if found != expected { fail("\(context)\(what()): expected \(expected), found \(found)") }
  }

  /// Expects an error of one of some codes.
  func expectError(
    _ codes: HyperslabError.Code..., from what: String, _ body: () throws -> Void
  ) {
    do {
      try body()
      fail("\(context)\(what): expected \(codes), found no error")
    } catch let error as HyperslabError {
      if !codes.contains(error.code) {
        fail("\(context)\(what): expected \(codes), found \(error)")
      }
    } catch {
      fail("\(context)\(what): expected a HyperslabError \(codes), found \(error)")
    }
  }
}
