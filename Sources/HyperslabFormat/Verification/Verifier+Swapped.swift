import HyperslabCodecs
import HyperslabCore

// Chunk files that stand where another one should.

extension Verifier {
  /// Tells files of other chunks from damaged and outdated ones: sound by the format of the other's data
  /// set, and listed by its table.
  mutating func tellSwapped(_ snapshot: Snapshot) {
    let suspects = report.problems.indices.filter { index in
      let problem = report.problems[index]
      return problem.chunk != nil && [.stale, .torn, .checksum].contains(problem.kind)
    }
    if suspects.isEmpty { return }
    for (path, record) in snapshot.index.datasets {
      guard let format = try? record.frameFormat(filter: record.filter ?? .none) else { continue }
      var listed: Set<UInt32> = []
      let table = snapshot.table(record)
      try? table.forEachRow { _, row in if row.state == .stored { listed.insert(row.crc) } }
      for index in suspects {
        let problem = report.problems[index]
        // In its own data set, and where another one has a twin of it, a rotten file is no other.
        guard let chunk = problem.chunk,
          problem.kind == .stale || problem.path != "\(StoreLayout.chunk(path, chunk))",
          let crc = try? Self.soundHeader(Self.place(problem), files, format),
          listed.contains(crc), crc != wanted(problem, snapshot)
        else { continue }
        report.problems[index] = .init(
          path: problem.path, chunk: chunk, kind: .swapped, detail: problem.detail)
      }
    }
  }

  private static func place(_ problem: VerificationReport.Problem) -> StorePath {
    StorePath(problem.path)
  }

  /// The header checksum that the table lists for the chunk of a problem.
  private func wanted(_ problem: VerificationReport.Problem, _ snapshot: Snapshot) -> UInt32? {
    guard let chunk = problem.chunk else { return nil }
    let own = snapshot.index.datasets.first {
      "\(StoreLayout.chunk($0.path, chunk))" == problem.path
    }
    return own.flatMap { try? snapshot.table($0.record).row(chunk).crc }
  }
}
