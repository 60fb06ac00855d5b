import ArgumentParser
import Hyperslab

struct RepairCommand: PrintingCommand, JSONPrinting {
  static let configuration = CommandConfiguration(
    commandName: "repair",
    abstract: "Puts a damaged or interrupted store in order, and says what it gave up.",
    discussion: """
      Finishes interrupted commits, restores what the rest of the store proves, drops damaged \
      chunks to "never written" and sweeps what nothing refers to. What is given up is kept in \
      __slab/lost. Can be interrupted and run again. Exits with 1 when something remains that \
      verify complains about.
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
        remedy: "slab repair \(address.store)")
    }
    let report = try SlabStore.repair(address.store, threads: threads)
    if json { try printer.document(report.json) } else { try printText(report, address, printer) }
    if !report.ok { throw ExitCode(1) }
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
    try printer.table(table)
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
