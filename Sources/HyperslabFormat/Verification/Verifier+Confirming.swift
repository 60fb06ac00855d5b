import HyperslabCore

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

// Nothing is told that a writer at work explains.
//
// The rule: something is wrong if two looks find it so, each by an index read just before it, and the
// second index lists the same of it as the first. What the first look met between the two was listed
// all the while, so no commit that moved on explains it. What work in progress may leave (files that no
// index speaks of, derived files) must be found with no sign of a writer at either look.

extension Verifier {
  private static let rounds = 200

  /// Looks again at everything that looked wrong.
  mutating func confirm() throws(HyperslabError) {
    var again: Set<NodePath> = []
    for _ in 0..<5 {
      again = try confirmSuspects()
      if again.isEmpty { return }
      // Their tables were replaced before their chunks were looked at.
      let look = try newLook()
      for path in again.sorted() {
        if let record = look.index.dataset(path) { try checkDataset(path, record, look) }
      }
    }
    for path in again.sorted() { tell(.unchecked(Self.restless("\(StoreLayout.chunks(path))"))) }
  }

  /// - Returns: the data sets of which a table was replaced before it could be read.
  private mutating func confirmSuspects() throws(HyperslabError) -> Set<NodePath> {
    var open: [Subject] = []
    var known: Set<Subject> = []
    for suspect in suspects where known.insert(suspect).inserted { open.append(suspect) }
    suspects = []
    var again: Set<NodePath> = []
    var most = open.count
    var round = 0
    while !open.isEmpty, round < Self.rounds {
      let batch = Array(open.prefix(most))
      let waiting = try confirm(batch, &again)
      open = waiting + open.dropFirst(batch.count)
      if waiting.isEmpty { continue }
      // Fewer at a time are looked at faster than writers commit.
      round += 1
      most = Swift.max(1, most / 2)
      usleep(UInt32(100 * round))
    }
    for subject in open { tell(.unchecked(Self.restless(Self.place(of: subject)))) }
    return again
  }

  /// - Returns: what moved on between the looks.
  private mutating func confirm(
    _ batch: [Subject], _ again: inout Set<NodePath>
  ) throws(HyperslabError) -> [Subject] {
    let first = try newLook()
    let found = batch.map { ($0, first.examine($0)) }
    let second = try newLook()
    var waiting: [Subject] = []
    for (subject, findings) in found {
      if case .run(let path, let reference) = subject,
        !second.listing.holds(reference, of: path)
      {
        again.insert(path)
      }
      let isSame = first.lists(subject, like: second)
      let confirmed = findings.isEmpty ? [] : second.examine(subject)
      if !isSame, Self.areDamage(confirmed) {
        waiting.append(subject)
      } else {
        for finding in confirmed {
          // Unless it was wrong before as well.
          if Self.areDamage([finding]), !Self.areDamage(findings) {
            waiting.append(subject)
          } else {
            tell(finding)
          }
        }
      }
    }
    return waiting
  }

  private static func areDamage(_ findings: [Finding]) -> Bool {
    findings.contains { finding in
      if case .problem(let problem) = finding { problem.kind.isDamage } else { false }
    }
  }

  private static func restless(_ path: String) -> VerificationReport.Unchecked {
    .init(
      path: path,
      detail: "writers changed it each time it was looked at. Verify again when they rest")
  }

  private static func place(of subject: Subject) -> String {
    switch subject {
    case .chunk(let path, let chunk): "\(StoreLayout.chunk(path, chunk))"
    case .run(let path, _), .totals(let path): "\(StoreLayout.node(path))"
    case .derived(let path): "\(StoreLayout.zarr(path))"
    case .keptIndex(let commit), .copy(let commit): "\(StoreLayout.oldIndex(commit: commit))"
    case .newest: "\(StoreLayout.index)"
    case .lock: "\(StoreLayout.lock)"
    case .extra(let path): "\(path)"
    }
  }
}
