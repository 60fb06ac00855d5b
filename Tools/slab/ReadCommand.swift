import ArgumentParser
import Hyperslab
import SystemPackage

struct ReadCommand: ParsableCommand {
  enum Format: String, ExpressibleByArgument, CaseIterable {
    case text, csv, json, npy, raw
  }

  static let configuration = CommandConfiguration(
    commandName: "read", abstract: "Prints a selection of a data set, or writes it to a file.")

  @Argument(help: "The data set.")
  var dataset: String

  @Argument(help: "A selection as in NumPy: 0:10,5,:,::2,-3:,... (default: everything)")
  var selection = ""

  @Option(help: "text is for people, short where much is selected; the others are complete.")
  var format = Format.text

  @Option(name: [.short, .customLong("output")], help: "A file instead of standard output.")
  var output = "-"

  @Flag(help: "Read chunks that were never written as the fill value instead of refusing.")
  var fillMissing = false

  func run() throws {
    let address = try StoreAddress(existing: dataset)
    let dataset = try SlabStore.open(address.store).dataset(address.node)
    let terms = try AxisSlice.parse(selection)
    let missing: MissingChunks = fillMissing ? .fill : .refuse
    let file = try outputFile(output)
    switch format {
    case .text:
      try file.write(ArrayText.summary(terms, of: dataset, missing: missing) + "\n")
    case .csv: try TextWriter.writeCSV(terms, of: dataset, to: file, missing: missing)
    case .json: try TextWriter.writeJSON(terms, of: dataset, to: file, missing: missing)
    case .npy: try NpyWriter.write(terms, of: dataset, to: file, missing: missing)
    case .raw: try NpyWriter.writeRaw(terms, of: dataset, to: file, missing: missing)
    }
    try file.finish()
  }
}

/// A file, or standard output for `-`.
func outputFile(_ path: String) throws(HyperslabError) -> OutputFile {
  path == "-" ? OutputFile(stream: .standardOutput) : try OutputFile(FilePath(path))
}
