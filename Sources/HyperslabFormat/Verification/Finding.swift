import HyperslabCore

/// Something in a store that can be looked at by itself, and again.
enum Subject: Hashable, Sendable {
  case chunk(NodePath, ChunkIndex)
  case run(NodePath, DatasetRecord.RunReference)
  /// The counts and statistics that the index has of a data set.
  case totals(NodePath)
  case derived(NodePath)
  /// An older index, and the runs that only it lists.
  case keptIndex(Int)
  /// The copy of the newest index, of this commit.
  case copy(Int)
  /// Whether the index is the newest that the store has.
  case newest
  case lock
  /// Something that no index speaks of, or seemed not to.
  case extra(StorePath)
}

/// What a look at something found.
enum Finding: Sendable {
  case problem(VerificationReport.Problem)
  /// What work in progress, or cut short, explains.
  case leftover(String)
  case unchecked(VerificationReport.Unchecked)

  /// What an error says of a file.
  init(
    _ path: StorePath, _ kind: VerificationReport.Problem.Kind, _ error: HyperslabError,
    chunk: ChunkIndex? = nil
  ) {
    var plain = error
    plain.place = nil
    plain.chunk = nil
    if error.leavesUnchecked {
      self = .unchecked(.init(path: "\(path)", detail: "\(plain)"))
    } else {
      self = .problem(.init(path: "\(path)", chunk: chunk, kind: kind, detail: "\(plain)"))
    }
  }

  init(_ path: StorePath, _ kind: VerificationReport.Problem.Kind, _ detail: String) {
    self = .problem(.init(path: "\(path)", chunk: nil, kind: kind, detail: detail))
  }
}
