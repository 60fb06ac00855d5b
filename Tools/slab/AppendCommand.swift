import ArgumentParser
import Hyperslab
import SystemPackage

struct AppendCommand: ChangingCommand {
  static let configuration = CommandConfiguration(
    commandName: "append",
    abstract: "Adds a .npy file, a file of plain numbers or standard input to a data set's end.",
    discussion: """
      The data set grows with every commit, and only as far as that commit writes: after an
      interrupted append, slab info tells by its shape how much arrived; append only the rest.
      A data set can grow as far as its --max-shape said when it was imported.
      """)

  @Argument(help: "A .npy file; a file of plain numbers with --raw; - for standard input.")
  var input: String

  @Argument(help: "What to add to: recording.slab/ecephys/lfp.")
  var dataset: String

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("The axis that grows; -1 is the last.", valueName: "axis"))
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
  }

  func run(_ printer: Printer) throws {
    let address = try StoreAddress(existing: dataset)
    let limit = try work.residentByteLimit(bufferGB: nil)
    switch try ImportInput(input, inputOptions, beside: address.store, limit: limit) {
    case .npy(let file): try append(file, to: address, printer)
    case .raw(let file): try append(file, to: address, printer)
    }
  }

  private func append(
    _ source: some DataChunkSource, to address: StoreAddress, _ printer: Printer
  ) throws {
    var options = WriteOptions(
      commit: commit?.policy ?? .everyBuffer, threads: work.threads,
      memoryByteCount: try work.budget()?.bufferByteCount)
    let store = try SlabStore.open(address.store, mode: .readWrite)
    let description = try store.dataset(address.node).description
    let rank = description.shape.rank
    let axis = axis < 0 && axis >= -rank ? axis + rank : axis
    try checkRoom(description, for: source.shape, along: axis, address)
    let start = ContinuousClock.now
    _ = try showingProgress(isQuiet: work.quiet) { cancellation, report in
      options.cancellation = cancellation
      try store.append(source, to: address.node, axis: axis, options: options, progress: report)
    }
    let info = try store.dataset(address.node).info
    try store.close()
    tellNotes(of: store)
    if work.quiet { return }
    let count = source.shape.indices.contains(axis) ? source.shape[axis] : 0
    try printer.line(
      "\(address)  \(HumanText.grouped(count)) appended along axis \(axis): "
        + "now \(info.description.shape) \(info.description.dataType)  in "
        + HumanText.duration(ContinuousClock.now - start))
  }

  /// Says beforehand, and in flags, what to do about a data set that may not grow so far.
  private func checkRoom(
    _ description: DatasetDescription, for added: Shape, along axis: Int, _ address: StoreAddress
  ) throws(HyperslabError) {
    let shape = description.shape
    guard shape.indices.contains(axis), added.rank == shape.rank,
      let limit = description.maximumShape[axis],
      shape.indices.allSatisfy({ $0 == axis || shape[$0] == added[$0] }),
      Checked.add(shape[axis], added[axis]).map({ $0 > limit }) ?? true
    else { return }
    let room = shape.indices.map { other in
      let limit = description.maximumShape[other]
      return other == axis || limit == nil ? "?" : "\(limit ?? shape[other])"
    }.joined(separator: ",")
    let place = ShellWords.quoted("\(address)")
    let copy = freeName()
    throw HyperslabError(
      .invalidShape, "appending \(added[axis]) to the \(shape[axis]) along axis \(axis)",
      at: "\(address)", expected: "at most \(limit) in all, which it was imported for",
      remedy: "Import it again with room to grow: slab export \(place) \(copy) && "
        + "slab import \(copy) \(place) --overwrite --max-shape '\(room)'")
  }

  /// The name of a file that is not there: the user's own must survive a remedy that is typed as it stands.
  private func freeName() -> String {
    var name = "copy.npy"
    var count = 1
    while FilePath(name).isTaken {
      count += 1
      name = "copy-\(count).npy"
    }
    return name
  }
}
