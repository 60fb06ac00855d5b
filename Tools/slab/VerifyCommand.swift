import ArgumentParser
import Hyperslab

struct VerifyCommand: ParsableCommand, JSONPrinting {
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

  func run() throws {
    let address = try StoreAddress(damaged: address)
    let report = try SlabStore.verify(
      address.store, node: address.node, quick: quick, threads: threads)
    if json { print(report.json.text()) } else { printText(report, address) }
    if !report.ok { throw ExitCode(1) }
  }

  private func printText(_ report: VerificationReport, _ address: StoreAddress) {
    var table = TextTable([.left, .left, .left])
    for problem in report.problems {
      table.add(problem.kind.rawValue, problem.path, problem.detail)
    }
    table.lines.forEach { print($0) }
    for difference in report.zarrDifferences { print("zarr view differs: \(difference)") }
    let verdict = report.ok ? "ok" : HumanText.count(report.problems.count, "problem")
    print(
      "\(address): \(verdict); \(HumanText.count(report.datasets, "data set")), "
        + "\(HumanText.count(report.chunksChecked, "chunk")), \(HumanText.size(report.bytesChecked)) "
        + (quick ? "looked at" : "checked"))
  }
}
