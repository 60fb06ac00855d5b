import ArgumentParser
import Hyperslab

struct AppendCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "append",
    abstract: "Adds a .npy file, a file of plain numbers or standard input to a data set's end.",
    discussion: """
      The data set grows with every commit, and only as far as that commit writes: after an
      interrupted append, slab info tells by its shape how much arrived; append only the rest.
      A data set can grow if it was imported with --shape ?,… (or created with such a maximum shape).
      """)

  @Argument(help: "A .npy file; a file of plain numbers with --raw; - for standard input.")
  var input: String

  @Argument(help: "What to add to: recording.slab/ecephys/lfp.")
  var dataset: String

  @Option(help: "The axis that grows.")
  var axis = 0

  @OptionGroup var inputOptions: InputOptions

  @Option(
    help: ArgumentHelp(
      "When to commit: after every buffer, at the end, or every so many seconds.",
      valueName: "buffer|end|seconds"))
  var commit: CommitArgument?

  @OptionGroup var work: WorkOptions

  mutating func validate() throws {
    try inputOptions.check(input)
    if axis < 0 { throw ValidationError("--axis must be at least 0.") }
  }

  func run() throws {
    let address = try StoreAddress(existing: dataset)
    let limit = try work.residentByteLimit(bufferGB: nil)
    switch try ImportInput(input, inputOptions, beside: address.store, limit: limit) {
    case .npy(let file): try append(file, to: address)
    case .raw(let file): try append(file, to: address)
    }
  }

  private func append(_ source: some DataChunkSource, to address: StoreAddress) throws {
    let options = WriteOptions(
      commit: commit?.policy ?? .everyBuffer, threads: work.threads,
      memoryByteCount: try work.budget()?.bufferByteCount, cancellation: Cancellation())
    let store = try SlabStore.open(address.store, mode: .readWrite)
    let start = ContinuousClock.now
    _ = try showingProgress(isQuiet: work.quiet, options.cancellation) { report in
      try store.append(source, to: address.node, axis: axis, options: options, progress: report)
    }
    let info = try store.dataset(address.node).info
    try store.close()
    warnUnsettled(store)
    if work.quiet { return }
    let count = source.shape.indices.contains(axis) ? source.shape[axis] : 0
    print(
      "\(address)  \(HumanText.grouped(count)) appended along axis \(axis): "
        + "now \(info.description.shape) \(info.description.dataType)  in "
        + HumanText.duration(ContinuousClock.now - start))
  }
}
