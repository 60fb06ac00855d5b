import ArgumentParser
import Hyperslab
import SystemPackage

struct PlanCommand: PrintingCommand, JSONPrinting {
  static let configuration = CommandConfiguration(
    commandName: "plan",
    abstract: "Shows how an array would be walked and stored, before anything is written.")

  @Option(parsing: .unconditional, help: "The array's shape, for example 20000,5000.")
  var shape: ShapeArgument?

  @Option(help: ArgumentHelp("The element type.", valueName: "type"))
  var dtype: TypeArgument?

  @OptionGroup var options: PlanOptions

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "How far each axis may grow, ? without limit: ?,5000.", valueName: "shape"))
  var maxShape: ShapeArgument?

  @Flag(help: "Print one JSON document.")
  var json = false

  @Option(help: ArgumentHelp("Print the first N buffers, or all.", valueName: "N"))
  var selections = SelectionCount.first(0)

  @Option(
    help: ArgumentHelp(
      "Answer one case a line of a JSON Lines file; - is standard input.", valueName: "file"))
  var batch: String?

  @Option(help: "Threads that encode chunks (default: all cores).")
  var threads: Int?

  mutating func validate() throws {
    if let threads, threads < 1 { throw ValidationError("--threads must be at least 1.") }
    if batch != nil {
      if shape != nil || dtype != nil {
        throw ValidationError("--batch takes shape and dtype from its file.")
      }
    } else if shape == nil || dtype == nil {
      throw ValidationError("Give --shape and --dtype, or --batch.")
    }
  }

  func run(_ printer: Printer) throws {
    if let batch {
      try PlanBatch(selectionCount: selections.limit, threads: encoders).run(batch)
      return
    }
    guard let shape, let dtype else { return }
    let plan = try BufferPlan(
      shape: shape.shape(), dataType: dtype.type.dataType, bufferGB: options.bufferGb,
      bufferShape: options.bufferShape?.shape(), chunkMB: options.chunkMb,
      chunkShape: options.chunkShape?.shape(), maximumShape: maxShape?.axes())
    if json { try printJSON(plan) } else { try printText(plan, printer) }
  }

  private var encoders: Int { threads ?? Machine.processorCount }

  private var budget: Double { options.bufferGb ?? 1 }

  /// Buffers are printed as they come: there may be more of them than memory holds.
  private func printJSON(_ plan: BufferPlan) throws {
    let output = OutputFile(stream: .standardOutput)
    let members = plan.json(threads: encoders, bufferGB: budget).object ?? [:]
    for (index, member) in members.enumerated() {
      try output.write(index == 0 ? "{" : ", ")
      try output.write("\(JSONValue.string(member.key).text()): ")
      if member.key == "selections" {
        try output.write("[")
        for (index, selection) in plan.prefix(selections.limit).enumerated() {
          try output.write((index == 0 ? "" : ", ") + selection.json.text())
        }
        try output.write("]")
      } else {
        try output.write(member.value.text())
      }
    }
    try output.write("}\n")
    try output.finish()
  }

  private func printText(_ plan: BufferPlan, _ printer: Printer) throws(HyperslabError) {
    let peak = plan.peakMemoryByteCount(threads: encoders, bufferGB: budget)
    var table = TextTable([.left, .left, .right, .left])
    table.add(
      "array", "\(plan.shape)", HumanText.size(plan.totalByteCount), plan.dataType.rawValue)
    table.add(
      "chunk", "\(plan.chunkShape)", HumanText.size(plan.chunkByteCount),
      HumanText.count(plan.chunkCount, "chunk"))
    table.add(
      "buffer", "\(plan.bufferShape)", HumanText.size(plan.bufferByteCount),
      HumanText.count(plan.count, "buffer"))
    table.add("memory", "", HumanText.size(peak), "at most")
    try printer.table(table)
    for warning in plan.warnings { try printer.line("warning: \(warning)") }
    for selection in plan.prefix(selections.limit) { try printer.line("\(selection)") }
  }
}
