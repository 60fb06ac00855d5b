import ArgumentParser
import Hyperslab

struct ExportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export", abstract: "Writes a data set, or a selection of it, as a .npy file.")

  @Argument(help: "The data set.")
  var dataset: String

  @Argument(help: "The file; - for standard output. It appears when it is complete.")
  var output: String

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("A selection as in NumPy (default: everything).", valueName: "selection"))
  var select = ""

  @Flag(help: "Write chunks that were never written as the fill value instead of refusing.")
  var fillMissing = false

  @OptionGroup var reading: ReadingOptions

  func run() throws {
    let address = try StoreAddress(existing: dataset)
    let dataset = try reading.open(address).dataset(address.node)
    let terms = try AxisSlice.parse(select)
    try writingOutput(output, isText: false) { file in
      try NpyWriter.write(terms, of: dataset, to: file, missing: fillMissing ? .fill : .refuse)
    }
  }
}
