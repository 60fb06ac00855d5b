import ArgumentParser
import Hyperslab

struct VerifyCommand: PrintingCommand, JSONPrinting {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Checks every checksum and every file, and names each that is damaged.",
    discussion: "Exits with 1 when there is damage.")

  @Argument(help: "A store, or a group or data set in it.")
  var address: String

  @Flag(help: "Check that all files are there and of the right length, without reading them.")
  var quick = false

  @Flag(help: "Print one JSON document.")
  var json = false

  @Option(help: "Threads that read (default: all cores).")
  var threads: Int?

  @OptionGroup var reading: ReadingOptions

  func run(_ printer: Printer) throws {
    let address = try StoreAddress(damaged: address)
    let report = try SlabStore.verify(
      address.store, node: address.node, quick: quick, threads: threads,
      followingLinks: reading.followLinks)
    if json { try printer.document(report.json) } else { try printText(report, address, printer) }
    if !report.ok { throw ExitCode(1) }
  }

  private func printText(
    _ report: VerificationReport, _ address: StoreAddress, _ printer: Printer
  ) throws(HyperslabError) {
    var table = TextTable([.left, .left, .left])
    for problem in report.problems {
      table.add(problem.kind.rawValue, problem.path, FlagWords.translated(problem.detail))
    }
    try printer.table(table)
    for difference in report.zarrDifferences {
      try printer.line("zarr view differs: \(difference)")
    }
    let verdict = report.ok ? "ok" : HumanText.count(report.problems.count, "problem")
    try printer.line(
      "\(address): \(verdict); \(HumanText.count(report.datasets, "data set")), "
        + "\(HumanText.count(report.chunksChecked, "chunk")), \(HumanText.size(report.bytesChecked)) "
        + (quick ? "looked at" : "checked"))
  }
}
