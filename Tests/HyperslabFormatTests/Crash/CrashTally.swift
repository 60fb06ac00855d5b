import Dispatch
import Foundation
import Synchronization

/// How long a test of power cuts runs: a sample of the states, or with `HYPERSLAB_TORTURE` as many
/// as it was meant for.
enum CrashScale {
  static let isLong = ProcessInfo.processInfo.environment["HYPERSLAB_TORTURE"] != nil

  /// A count that the environment may set.
  static func count(_ name: String, short: Int, long: Int) -> Int {
    let text = ProcessInfo.processInfo.environment["HYPERSLAB_\(name)"]
    return text.flatMap { Int($0) } ?? (isLong ? long : short)
  }
}

/// What several threads found on the disks that they looked at.
final class CrashTally: Sendable {
  private struct State {
    var seen: Set<UInt64> = []
    var failures: [String] = []
    var failureCount = 0
    var kinds: [String: Int] = [:]
  }

  private static let mentioned = 50
  private let state = Mutex(State())

  var stateCount: Int { state.withLock { $0.seen.count } }
  var failureCount: Int { state.withLock { $0.failureCount } }
  /// The first few of each kind.
  var failures: [String] { state.withLock { $0.failures } }

  /// Whether a disk, together with what is asked of it, is new.
  func isNew(_ image: DiskImage, _ allowed: Set<Int>) -> Bool {
    let question = allowed.reduce(0 as UInt64) { $0 ^ mixed(UInt64($1 + 1)) }
    let number = image.fingerprint ^ question
    return state.withLock { $0.seen.insert(number).inserted }
  }

  func fail(_ what: String, _ error: any Error) {
    state.withLock { state in
      state.failureCount += 1
      let kind = "\(error)".filter { !$0.isHexDigit }
      state.kinds[kind, default: 0] += 1
      if state.kinds[kind, default: 0] <= Self.mentioned {
        state.failures.append("\(what): \(error)")
      }
    }
  }

  /// Runs `body` for every number below `count`, on all processors.
  static func forEach(_ count: Int, _ body: @Sendable (Int) -> Void) {
    DispatchQueue.concurrentPerform(iterations: count, execute: body)
  }
}

extension CrashMoment {
  /// What may stand after a power cut now.
  var allowed: Set<Int> { [acknowledged, begun] }
}
