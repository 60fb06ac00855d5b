import HyperslabCodecs
import HyperslabCore

/// Walks a store's directories for what should not be there.
struct StoreWalk {
  let files: any FileSystem
  let index: StoreIndex
  /// Files that the index accounts for; a directory in it is not looked into.
  let expected: Set<StorePath>
  let node: NodePath

  func run(_ report: inout VerificationReport) throws(HyperslabError) {
    let start = StoreLayout.node(node)
    try walkNode(start, &report)
    if node == .root { try walkReserved(&report) }
  }

  private func problem(
    _ path: StorePath, _ kind: VerificationReport.Problem.Kind, _ detail: String,
    _ report: inout VerificationReport
  ) {
    report.problems.append(.init(path: "\(path)", chunk: nil, kind: kind, detail: detail))
  }

  /// What an unfinished write may leave is no damage while the store is open, or a writer is at work
  /// or died whose directory nobody has swept.
  private func orphan(_ path: StorePath, _ detail: String, _ report: inout VerificationReport) {
    if index.state == "open" || hasWriters {
      report.leftovers.append("\(path)")
    } else {
      problem(path, .orphan, detail, &report)
    }
  }

  private var hasWriters: Bool {
    ((try? files.list(StoreLayout.writers)) ?? []).contains { StoreLayout.isIdentifier($0.name) }
  }

  private func walkNode(
    _ directory: StorePath, _ report: inout VerificationReport
  ) throws(HyperslabError) {
    guard try files.status(directory)?.kind == .directory else { return }
    for entry in try files.list(directory) {
      let path = directory / entry.name
      if expected.contains(path) || path == StoreLayout.reserved { continue }
      let isNode = (try? NodePath(path.description)).map { index.nodes[$0] != nil } ?? false
      switch (entry.name, entry.kind) {
      // No node is called so; where a group stands, they are of a data set that no commit has.
      case ("c", .directory): try walkChunks(path, &report)
      case ("c", .file):
        orphan(path, "a chunk file that the table does not list", &report)
      case (_, .directory) where isNode: try walkNode(path, &report)
      case (let name, .file) where name.hasPrefix("slab.json.tmp-"):
        report.leftovers.append("\(path)")
      case (_, .directory) where holdsOnlyChunks(path):
        orphan(path, "of a data set that no commit has", &report)
      default: problem(path, .foreign, "nothing of the store's", &report)
      }
    }
  }

  /// A data set or group whose creation was never committed.
  private func holdsOnlyChunks(_ directory: StorePath) -> Bool {
    directory.depth <= 1024
      && ((try? files.list(directory)) ?? []).allSatisfy { entry in
        entry.name == "c" || entry.name == "zarr.json"
          || entry.kind == .directory && holdsOnlyChunks(directory / entry.name)
      }
  }

  private func walkChunks(
    _ directory: StorePath, _ report: inout VerificationReport
  ) throws(HyperslabError) {
    guard directory.depth <= 1024 else {
      return problem(directory, .foreign, "directories nested too deep", &report)
    }
    for entry in try files.list(directory) {
      let path = directory / entry.name
      if expected.contains(path) { continue }
      let isNumber = StoreLayout.coordinate(entry.name) != nil
      switch entry.kind {
      case .directory where isNumber: try walkChunks(path, &report)
      case .file where isNumber: orphan(path, "a chunk file that the table does not list", &report)
      default: problem(path, .foreign, "no chunk's name", &report)
      }
    }
  }

  private func walkReserved(_ report: inout VerificationReport) throws(HyperslabError) {
    guard try files.status(StoreLayout.reserved)?.kind == .directory else {
      return problem(
        StoreLayout.reserved, .missing, "the store's own directory is not there", &report)
    }
    for entry in try files.list(StoreLayout.reserved) {
      let path = StoreLayout.reserved / entry.name
      if expected.contains(path) { continue }
      switch entry.name {
      case "t": try walkTables(&report)
      case "w": try walkWriters(&report)
      case "trash" where entry.kind == .directory, "lost" where entry.kind == .directory:
        for old in try files.list(path) { report.leftovers.append("\(path / old.name)") }
      case let name where name.hasPrefix(StoreLayout.temporaryDerivedPrefix):
        report.leftovers.append("\(path)")
      case let name where name.hasPrefix("claim-"): report.leftovers.append("\(path)")
      default: problem(path, .foreign, "nothing of the store's", &report)
      }
    }
  }

  /// Runs that are not listed any more are kept a while for readers; their name tells their sum.
  private func walkTables(_ report: inout VerificationReport) throws(HyperslabError) {
    let directories = Set(index.datasets.map(\.record.tableDirectory))
    for entry in try files.list(StoreLayout.tables) {
      let directory = StoreLayout.tables / entry.name
      guard entry.kind == .directory else {
        problem(directory, .foreign, "no data set's runs", &report)
        continue
      }
      for file in try files.list(directory) {
        let path = directory / file.name
        if expected.contains(path) { continue }
        guard file.kind == .file, file.name.hasSuffix(".json") else {
          problem(path, .foreign, "no run's name", &report)
          continue
        }
        let commit = Int(file.name.prefix { $0 != "-" })
        let name = file.name.dropLast(5).suffix(8)
        let bytes = try? files.contents(path, limit: StoreIndex.maximumFileByteCount)
        let isItself = bytes.map { CRC32C.hex(CRC32C.of($0)) == name } ?? false
        if !isItself, let bytes, SelfCheck.holds(bytes) {
          problem(path, .table, "an unlisted run that is not what its name says", &report)
          continue
        }
        // No index that could be needed lists it: of a commit that was cut short, perhaps in the
        // middle of this file and long before others made theirs.
        if !isItself || (commit ?? 0) > index.commit {
          report.leftovers.append("\(path)")
          continue
        }
        if !directories.contains(directory) { report.leftovers.append("\(path)") }
      }
    }
  }

  private func walkWriters(_ report: inout VerificationReport) throws(HyperslabError) {
    for entry in try files.list(StoreLayout.writers) {
      let path = StoreLayout.writers / entry.name
      if StoreLayout.isIdentifier(entry.name), entry.kind == .directory {
        report.leftovers.append("\(path)")
      } else {
        problem(path, .foreign, "no writer's directory", &report)
      }
    }
  }
}
