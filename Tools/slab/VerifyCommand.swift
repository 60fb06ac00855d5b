import ArgumentParser
import Hyperslab

struct VerifyCommand: PrintingCommand, JSONPrinting {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Checks every checksum and every file, and names each that is damaged.",
    discussion: """
      Works beside writers. Exits with 1 when there is damage; otherwise with 2 when something could not \
      be looked at (no rights, a disk that does not answer, too many open files), which is no damage. \
      Files that systems drop everywhere are named and never fail it.
      """)

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
    if report.isDamaged { throw ExitCode(1) }
    if !report.ok { throw ExitCode(2) }
  }

  private func printText(
    _ report: VerificationReport, _ address: StoreAddress, _ printer: Printer
  ) throws(HyperslabError) {
    var table = TextTable([.left, .left, .left])
    for problem in report.problems {
      table.add(problem.kind.rawValue, problem.path, FlagWords.translated(problem.detail))
    }
    for unchecked in report.unchecked {
      table.add("unchecked", unchecked.path, FlagWords.translated(unchecked.detail))
    }
    try printer.table(table)
    for difference in report.zarrDifferences {
      try printer.line("zarr view differs: \(FlagWords.translated(difference))")
    }
    for line in Remedies.lines(for: report.problems, store: "\(address.store)") {
      try printer.line(line)
    }
    if !report.unchecked.isEmpty {
      try printer.line("unchecked: no damage is known of it; verify again where it can be read")
    }
    try printer.line(
      "\(address): \(verdict(report)); \(HumanText.count(report.datasets, "data set")), "
        + "\(HumanText.count(report.chunksChecked, "chunk")), \(HumanText.size(report.bytesChecked)) "
        + (quick ? "looked at" : "checked"))
  }

  private func verdict(_ report: VerificationReport) -> String {
    let damage = report.problems.count { $0.kind.isDamage }
    var parts: [String] = []
    if damage > 0 { parts.append(HumanText.count(damage, "problem")) }
    if !report.unchecked.isEmpty { parts.append("\(report.unchecked.count) not checked") }
    return parts.isEmpty ? "ok" : parts.joined(separator: ", ")
  }
}
