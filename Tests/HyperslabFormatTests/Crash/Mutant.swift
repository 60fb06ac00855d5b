import HyperslabTestSupport

@testable import HyperslabFormat

/// A commit protocol with a mistake, made by changing what was recorded of the right one: an fsync
/// that is left out, or a step that comes too early or too late.
struct Mutant: Sendable {
  let name: String
  /// Whether a reader sees nothing of it before the next writer has recovered.
  var isHidden = false
  let change: @Sendable (inout [DiskOperation]) -> Void

  /// The same, looked for beyond what readers see.
  var hidden: Mutant { Mutant(name: name, isHidden: true, change: change) }

  /// Where in a commit an operation stands.
  enum Phase: Sendable {
    /// From the claim on: what an older commit left.
    case settle
    /// From the first fresh chunk or the link of the old index to the rename of the new one.
    case prepare
    /// The rename and what makes it permanent.
    case publish
    /// Everything else: overwrites, sweeping, recovery, staging.
    case after
  }

  typealias Match = @Sendable (DiskOperation, Phase) -> Bool

  private static func phases(_ operations: [DiskOperation]) -> [(DiskOperation, Phase)] {
    var phase = Phase.after
    return operations.map { operation in
      if operation.takesClaim {
        phase = .settle
      } else if phase == .settle, operation.placesChunk || operation.kind == .link {
        phase = .prepare
      } else if operation.publishes {
        phase = .publish
      }
      defer { if phase == .publish, operation.syncsRoot { phase = .after } }
      return (operation, phase)
    }
  }

  /// Leaves out operations.
  static func without(_ name: String, _ isLeftOut: @escaping Match) -> Mutant {
    Mutant(name: "without \(name)") { operations in
      operations = phases(operations).filter { !isLeftOut($0, $1) }.map(\.0)
    }
  }

  /// Moves operations behind the next one of a kind.
  static func late(
    _ name: String, _ isLate: @escaping Match, after isLast: @escaping Match
  ) -> Mutant {
    Mutant(name: name) { operations in
      var result: [DiskOperation] = []
      var waiting: [DiskOperation] = []
      for (operation, phase) in phases(operations) {
        if isLate(operation, phase) {
          waiting.append(operation)
        } else {
          result.append(operation)
          if isLast(operation, phase) {
            result += waiting
            waiting = []
          }
        }
      }
      operations = result + waiting
    }
  }

  /// Moves operations before the last one of a kind that came before them, in the same commit.
  static func early(
    _ name: String, _ isEarly: @escaping Match, before isFirst: @escaping Match
  ) -> Mutant {
    Mutant(name: name) { operations in
      var result: [DiskOperation] = []
      var place: Int?
      for (operation, phase) in phases(operations) {
        if isEarly(operation, phase), let here = place {
          result.insert(operation, at: here)
          place = here + 1
          continue
        }
        if isFirst(operation, phase) { place = result.count }
        if operation.isAcknowledgement { place = nil }
        result.append(operation)
      }
      operations = result
    }
  }

  /// The first operation that the mutant changed, to look there first.
  static func difference(_ old: [DiskOperation], _ new: [DiskOperation]) -> Int? {
    let pairs = zip(old, new).enumerated()
    if let first = pairs.first(where: { !$0.element.0.isSame(as: $0.element.1) }) {
      return first.offset
    }
    return old.count == new.count ? nil : Swift.min(old.count, new.count)
  }
}
