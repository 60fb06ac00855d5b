import Hyperslab

/// What to do about the problems that a verification names, a line for each kind.
enum Remedies {
  static func lines(
    for problems: [VerificationReport.Problem], store: String
  ) -> [String] {
    VerificationReport.Problem.Kind.allCases.filter { kind in
      problems.contains { $0.kind == kind }
    }.map { "\($0.rawValue): \(remedy($0, store))" }
  }

  private static func remedy(
    _ kind: VerificationReport.Problem.Kind, _ store: String
  ) -> String {
    let store = ShellWords.quoted(store)
    let repair = "`slab repair \(store)`"
    return switch kind {
    case .missing, .torn, .checksum:
      "restore the file from a backup, or let \(repair) restore what the rest of the store proves "
        + "and give up the rest"
    case .swapped:
      "\(repair) puts files back into their places, and gives up what is only a copy: restore the file "
        + "of that from a backup"
    case .stale:
      "\(repair) derives metadata again; an older chunk is moved to __slab/lost and given up, unless a "
        + "backup has the newest"
    case .orphan:
      "`slab adopt \(store)` takes in chunks that were put back where they are missing; \(repair) removes "
        + "what a dead writer left and moves the rest to __slab/lost"
    case .index, .table:
      "\(repair) restores it from what else the store keeps, unless it is said there that nothing "
        + "is enough for that"
    case .foreign:
      "move it elsewhere; what another program wrote as an array or a chunk, "
        + "`slab adopt \(store)` takes in, or says why it cannot. Nothing removes it"
    case .foreignHarmless: "no harm; remove it or leave it"
    }
  }
}
