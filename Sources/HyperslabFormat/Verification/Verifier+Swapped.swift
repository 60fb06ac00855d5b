import HyperslabCodecs
import HyperslabCore

// Chunk files that stand where another one should.

extension Verifier {
  /// Tells files of other chunks from damaged and outdated ones: sound by the format of the other's data
  /// set, and listed by its table.
  mutating func tellSwapped(_ snapshot: Snapshot) {
    var suspects = report.problems.indices.filter { index in
      let problem = report.problems[index]
      return problem.chunk != nil && [.stale, .torn, .checksum].contains(problem.kind)
    }
    if suspects.isEmpty { return }
    // Each file is opened once, and again only where a table lists what it says it is.
    var told: [Int: UInt32] = [:]
    for index in suspects {
      told[index] = Self.toldHeader(Self.place(report.problems[index]), files)
    }
    for (path, record) in snapshot.index.datasets {
      guard let format = try? record.frameFormat(filter: record.filter ?? .none) else { continue }
      var listed: Set<UInt32> = []
      let table = snapshot.table(record)
      try? table.forEachRow { _, row in if row.state == .stored { listed.insert(row.crc) } }
      suspects.removeAll { report.problems[$0].kind == .swapped }
      for index in suspects where told[index].map({ listed.contains($0) }) ?? false {
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
    guard let (path, chunk) = StoreLayout.chunkPlace(Self.place(problem)),
      let own = snapshot.index.dataset(path)
    else { return nil }
    return try? snapshot.table(own).row(chunk).crc
  }
}
