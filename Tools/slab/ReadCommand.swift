import ArgumentParser
import Hyperslab
import SystemPackage

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

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

  @OptionGroup var reading: ReadingOptions

  func run() throws {
    let address = try StoreAddress(existing: dataset)
    let dataset = try reading.open(address).dataset(address.node)
    let terms = try AxisSlice.parse(selection)
    let missing: MissingChunks = fillMissing ? .fill : .refuse
    try writingOutput(output, isText: format != .npy && format != .raw) { file in
      switch format {
      case .text:
        try file.write(ArrayText.summary(terms, of: dataset, missing: missing) + "\n")
      case .csv: try TextWriter.writeCSV(terms, of: dataset, to: file, missing: missing)
      case .json: try TextWriter.writeJSON(terms, of: dataset, to: file, missing: missing)
      case .npy: try NpyWriter.write(terms, of: dataset, to: file, missing: missing)
      case .raw: try NpyWriter.writeRaw(terms, of: dataset, to: file, missing: missing)
      }
    }
  }
}

/// Writes a file, or standard output for `-`; of a file nothing stays when that is interrupted.
///
/// - Parameter isText: Whether it can be shown on a terminal, on which bytes of an array might act.
func writingOutput(
  _ path: String, isText: Bool, _ write: (OutputFile) throws -> Void
) throws {
  if !isText, path == "-", isatty(STDOUT_FILENO) == 1 {
    throw HyperslabError(
      .fileAccess, "the bytes of an array are not for a terminal", at: "standard output",
      remedy: "Name a file with --output, or hand them to another program with |")
  }
  let file =
    path == "-"
    ? OutputFile(stream: .standardOutput)
    : try OutputFile(FilePath(path), cancellation: Interrupt.cancellation)
  func whole() throws {
    try write(file)
    try file.finish()
  }
  // A pipe that nobody reads may hold up a write for ever; there the first interrupt ends the process.
  if file.isStream { try whole() } else { try Interrupt.cancelling { _ in try whole() } }
}
