import ArgumentParser
import Hyperslab

/// The flags that decide how an array is walked.
struct PlanOptions: ParsableArguments {
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Memory for one buffer, in 1e9 bytes (default: 1).", valueName: "G"))
  var bufferGb: Double?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("The buffer's shape instead: whole chunks.", valueName: "shape"))
  var bufferShape: ShapeArgument?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("The size of one chunk, in 1e6 bytes (default: 10).", valueName: "M"))
  var chunkMb: Double?

  @Option(
    parsing: .unconditional, help: ArgumentHelp("The chunk's shape instead.", valueName: "shape"))
  var chunkShape: ShapeArgument?

  var isBufferChosen: Bool { bufferGb != nil || bufferShape != nil }
}
