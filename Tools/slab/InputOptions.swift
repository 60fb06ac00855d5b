import ArgumentParser
import CPlatform
import Hyperslab

/// The flags that say what an input is.
struct InputOptions: ParsableArguments {
  @Flag(help: "The input is plain numbers in C order, described by --dtype and --shape.")
  var raw = false

  @Option(help: ArgumentHelp("The element type of plain numbers.", valueName: "type"))
  var dtype: TypeArgument?

  @Option(
    parsing: .unconditional, help: "The shape of plain numbers; ?,384 where the length is unknown.")
  var shape: ShapeArgument?

  @Option(help: ArgumentHelp("Bytes before the first plain number.", valueName: "N"))
  var skipBytes = 0

  /// Refuses flags that do not go together for an input.
  func check(_ input: String) throws {
    let isPlain = raw || input == "-" && (dtype != nil || shape != nil)
    if isPlain, dtype == nil || shape == nil {
      throw ValidationError("Plain numbers need --dtype and --shape.")
    }
    if !isPlain, dtype != nil || shape != nil || skipBytes != 0 {
      throw ValidationError(
        "--dtype, --shape and --skip-bytes go with --raw; a .npy file knows its own.")
    }
    if skipBytes < 0 { throw ValidationError("--skip-bytes must be at least 0.") }
  }
}

/// The flags that say how much of the machine a write may use, and how much it says.
struct WorkOptions: ParsableArguments {
  @Option(help: "Threads that encode chunks (default: all cores).")
  var threads: Int?

  @Option(
    help: ArgumentHelp(
      "A hard bound on memory, in 1e6 bytes; 50 is about the least.", valueName: "N"))
  var memoryMb: Double?

  @Flag(help: "Print nothing but errors.")
  var quiet = false

  mutating func validate() throws {
    if let threads, threads < 1 { throw ValidationError("--threads must be at least 1.") }
  }

  func budget() throws(HyperslabError) -> MemoryBudget? {
    guard let memoryMb else { return nil }
    hyperslab_return_large_memory()
    return try MemoryBudget(megabytes: memoryMb, threads: threads)
  }

  /// How much of a file may be lent at once: as much as buffers may be.
  func residentByteLimit(bufferGB: Double?) throws(HyperslabError) -> Int {
    if let budget = try budget() { return budget.bufferByteCount }
    return Int(exactly: ((bufferGB ?? 1) * 1e9).rounded(.down)) ?? .max
  }
}
