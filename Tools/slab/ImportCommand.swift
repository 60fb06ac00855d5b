import ArgumentParser
import Hyperslab
import SystemPackage

struct ImportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import",
    abstract: "Writes a .npy file, a file of plain numbers or standard input as a data set.")

  @Argument(help: "A .npy file; a file of plain numbers with --raw; - for standard input.")
  var input: String

  @Argument(help: "Where to: recording.slab/ecephys/lfp. The store is created if need be.")
  var dataset: String

  @OptionGroup var inputOptions: InputOptions

  @OptionGroup var options: PlanOptions

  @Option(help: "The filter before compression: auto, none, shuffle or bitshuffle.")
  var filter = FilterArgument()

  @Option(
    help: ArgumentHelp(
      "Store differences along this axis, a number or one of --dims, before bitshuffle.",
      discussion: """
        For integers that change slowly along it. Stock Zarr readers refuse the data set.
        """, valueName: "axis"))
  var delta: String?

  @Option(help: "LZ4's effort: 1 and 2 fast, 3 to 12 high compression.")
  var level = 1

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("What reads where nothing was stored (default: 0).", valueName: "value"))
  var fillValue: String?

  @Option(
    name: .customLong("attribute"), parsing: .unconditionalSingleValue,
    help: ArgumentHelp("Something worth knowing; may be repeated.", valueName: "key=json"))
  var attributes: [AttributeArgument] = []

  @Option(help: ArgumentHelp("The axes' names: t,y,x.", valueName: "names"))
  var dims: String?

  @Option(help: "The unit of the values.")
  var unit: String?

  @Option(help: "full survives power loss, fast does not.")
  var durability = Durability.full

  @Option(
    help: ArgumentHelp(
      "When to commit: after every buffer, at the end, or every so many seconds.",
      valueName: "buffer|end|seconds"))
  var commit: CommitArgument?

  @Flag(help: "Continue an import that was interrupted, or whose input has grown since.")
  var resume = false

  @Flag(help: "Replace the data set if it is there; the old one stays until the end.")
  var overwrite = false

  @Option(
    help: ArgumentHelp(
      "Write the K-th (from 0) of N shares of the buffers; other processes write the others.",
      valueName: "K/N"), transform: WritePart.init(argument:))
  var part: WritePart?

  @OptionGroup var work: WorkOptions

  mutating func validate() throws {
    try inputOptions.check(input)
    if overwrite, let policy = commit?.policy, policy != .atEnd {
      throw ValidationError(
        "--overwrite commits at the end, so that the old values stay until then.")
    }
    if !(1...12).contains(level) { throw ValidationError("--level goes from 1 to 12.") }
    if overwrite, resume || part != nil {
      throw ValidationError(
        "--overwrite begins anew; it does not go with \(resume ? "--resume" : "--part").")
    }
    if part != nil, durability == .fast {
      throw ValidationError("Parts are written with --durability full.")
    }
  }

  func run() throws {
    let address = try StoreAddress(creating: dataset)
    guard address.node != .root else {
      throw HyperslabError(
        .invalidName, "the store is named, but no data set in it", at: dataset,
        remedy: "Write for example \(dataset)/data")
    }
    let limit = try work.residentByteLimit(bufferGB: options.bufferGb)
    switch try ImportInput(input, inputOptions, beside: address.store, limit: limit) {
    case .npy(let file): try write(file, to: address)
    case .raw(let file): try write(file, to: address)
    }
  }

  private func write(_ source: some DataChunkSource, to address: StoreAddress) throws {
    let budget = try work.budget()
    let bufferGB =
      options.bufferGb ?? (options.isBufferChosen ? nil : budget.map { Swift.min($0.bufferGB, 1) })
    let iterator = try GenericDataChunkIterator(
      source, bufferGB: bufferGB, bufferShape: options.bufferShape?.shape(),
      chunkMB: options.chunkMb, chunkShape: options.chunkShape?.shape())
    try budget?.check(iterator.plan)
    let writeOptions = try writeOptions(source, budget)
    let store = try openStore(address)
    let isNew = !store.contains(address.node)
    if isNew, !work.quiet {
      iterator.plan.warnings.forEach { printToStandardError("slab: warning: \($0)") }
    }
    let start = ContinuousClock.now
    let last = try showingProgress(isQuiet: work.quiet, writeOptions.cancellation) { report in
      if overwrite {
        try OverwritingStore(store).write(
          iterator, to: address.node, options: writeOptions, progress: report)
      } else {
        try store.write(iterator, to: address.node, options: writeOptions, progress: report)
      }
    }
    try store.refresh()
    let info = try store.dataset(address.node).info
    try store.close()
    warnUnsettled(store)
    if work.quiet { return }
    let summary = ImportSummary(
      address: address, info: info, progress: last, elapsed: ContinuousClock.now - start)
    print(summary.text(part: part, isNew: isNew))
  }

  private var dimensionNames: [String?]? {
    dims?.split(separator: ",", omittingEmptySubsequences: false)
      .map { $0.isEmpty ? nil : String($0) }
  }

  /// The axis that --delta names.
  private func deltaAxis() throws(HyperslabError) -> Int? {
    guard let delta else { return nil }
    if let axis = Int(delta) { return axis }
    if let axis = dimensionNames?.firstIndex(of: delta) { return axis }
    throw HyperslabError(
      .invalidValue, "--delta \(delta)", expected: "the number of an axis, or a name in --dims")
  }

  private func openStore(_ address: StoreAddress) throws(HyperslabError) -> SlabStore {
    if StoreAddress.holdsStore(address.store) {
      return try SlabStore.open(address.store, mode: .readWrite, durability: durability)
    }
    do {
      return try SlabStore.create(at: address.store, durability: durability)
    } catch {
      // Another part was faster.
      guard part != nil, StoreAddress.holdsStore(address.store) else { throw error }
      return try SlabStore.open(address.store, mode: .readWrite, durability: durability)
    }
  }

  private func writeOptions(
    _ source: some DataChunkSource, _ budget: MemoryBudget?
  ) throws(HyperslabError) -> WriteOptions {
    var result = WriteOptions()
    if let fillValue {
      result.fillValue = try FillValue(text: fillValue, dataType: source.dataType)
    }
    result.dimensionNames = dimensionNames
    result.unit = unit
    for attribute in attributes { result.attributes[attribute.key] = try attribute.value() }
    result.compression = Compression(filter: filter.filter, level: level, delta: try deltaAxis())
    result.commit = overwrite ? .atEnd : commit?.policy ?? .everyBuffer
    if inputOptions.shape?.isOpen ?? false {
      // An input whose length was not known may have more to come.
      result.maximumShape = [nil] + source.shape.dropFirst().map { $0 }
    }
    result.resume = resume
    result.part = part
    result.threads = work.threads
    result.memoryByteCount = budget?.bufferByteCount
    result.cancellation = Cancellation()
    return result
  }
}
