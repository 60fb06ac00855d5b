import ArgumentParser
import Hyperslab

struct RepairCommand: ChangingCommand, JSONPrinting {
  static let configuration = CommandConfiguration(
    commandName: "repair",
    abstract: "Puts a damaged or interrupted store in order, and says what it gave up.",
    discussion: """
      Finishes interrupted commits, restores what the rest of the store proves, puts the newest index \
      back where an older one took its place, drops damaged chunks to "never written" and sweeps what \
      dead writers left. What is given up is kept in __slab/lost, and what another program wrote stays. \
      Can be interrupted and run again. Exits with 1 when something remains that verify takes for \
      damage, otherwise with 2 when something could not be looked at.
      """)

  @Argument(help: "The store.")
  var store: String

  @Flag(help: "Print one JSON document.")
  var json = false

  @Option(help: "Threads that read (default: all cores).")
  var threads: Int?

  func run(_ printer: Printer) throws {
    let address = try StoreAddress(damaged: store)
    guard address.node == .root else {
      throw HyperslabError(
        .wrongKind, "a whole store is repaired, not a part of it", at: "\(address)",
        remedy: "slab repair \(ShellWords.quoted("\(address.store)"))")
    }
    let report = try SlabStore.repair(address.store, threads: threads)
    if json { try printer.document(report.json) } else { try printText(report, address, printer) }
    if report.isDamaged { throw ExitCode(1) }
    if !report.ok { throw ExitCode(2) }
  }

  private func printText(
    _ report: RepairReport, _ address: StoreAddress, _ printer: Printer
  ) throws(HyperslabError) {
    var table = TextTable([.left, .left, .left])
    for action in report.actions {
      table.add(action.kind.rawValue, action.path, action.action)
    }
    for problem in report.remaining {
      table.add(problem.kind.rawValue, problem.path, "left as it is: \(problem.detail)")
    }
    for unchecked in report.unchecked {
      table.add("unchecked", unchecked.path, unchecked.detail)
    }
    try printer.table(table)
    for line in Remedies.lines(for: report.remaining, store: "\(address.store)") {
      try printer.line(line)
    }
    if !report.changed { return try printer.line("\(address): nothing to repair") }
    let commits =
      report.commitBefore == report.commitAfter
      ? "at commit \(report.commitAfter) as before"
      : "now at commit \(report.commitAfter), before at "
        + (report.commitBefore.map { "\($0)" } ?? "none that can be read")
    try printer.line(
      "\(address): repaired: \(HumanText.count(report.actions.count, "action")); \(commits)")
  }
}
