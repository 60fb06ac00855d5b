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

  @Flag(help: "The input is plain numbers in C order, described by --dtype and --shape.")
  var raw = false

  @Option(help: ArgumentHelp("The element type of plain numbers.", valueName: "type"))
  var dtype: TypeArgument?

  @Option(
    parsing: .unconditional, help: "The shape of plain numbers; ?,384 where the length is unknown.")
  var shape: ShapeArgument?

  @Option(help: ArgumentHelp("Bytes before the first plain number.", valueName: "N"))
  var skipBytes = 0

  @OptionGroup var options: PlanOptions

  @Option(help: "The filter before compression: auto, none, shuffle or bitshuffle.")
  var filter = FilterArgument()

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

  @Flag(help: "Continue an import that was interrupted.")
  var resume = false

  @Flag(help: "Replace the data set if it is there; the old one stays until the end.")
  var overwrite = false

  @Option(help: ArgumentHelp("Write the K-th of N shares of the buffers.", valueName: "K/N"))
  var part: String?

  @Option(help: "Threads that encode chunks (default: all cores).")
  var threads: Int?

  @Option(help: ArgumentHelp("A hard bound on memory, in 1e6 bytes.", valueName: "N"))
  var memoryMb: Double?

  @Flag(help: "Print nothing but errors.")
  var quiet = false

  mutating func validate() throws {
    let isPlain = raw || input == "-" && (dtype != nil || shape != nil)
    if isPlain, dtype == nil || shape == nil {
      throw ValidationError("Plain numbers need --dtype and --shape.")
    }
    if !isPlain, dtype != nil || shape != nil || skipBytes != 0 {
      throw ValidationError(
        "--dtype, --shape and --skip-bytes go with --raw; a .npy file knows its own.")
    }
    if overwrite, let policy = commit?.policy, policy != .atEnd {
      throw ValidationError(
        "--overwrite commits at the end, so that the old values stay until then.")
    }
    if !(1...12).contains(level) { throw ValidationError("--level goes from 1 to 12.") }
    if let threads, threads < 1 { throw ValidationError("--threads must be at least 1.") }
    if skipBytes < 0 { throw ValidationError("--skip-bytes must be at least 0.") }
  }

  func run() throws {
    if resume || part != nil {
      throw HyperslabError(
        .invalidValue, "\(resume ? "--resume" : "--part") is not available yet",
        remedy: "Write the whole data set, with --overwrite where it is there already")
    }
    let address = try StoreAddress(creating: dataset)
    guard address.node != .root else {
      throw HyperslabError(
        .invalidName, "the store is named, but no data set in it", at: dataset,
        remedy: "Write for example \(dataset)/data")
    }
    switch try ImportInput(self, beside: address.store) {
    case .npy(let file): try write(file, to: address)
    case .raw(let file): try write(file, to: address)
    }
  }

  private func write(_ source: some DataChunkSource, to address: StoreAddress) throws {
    let budget = try memoryMb.map { megabytes throws(HyperslabError) in
      try MemoryBudget(megabytes: megabytes)
    }
    let bufferGB =
      options.bufferGb ?? (options.isBufferChosen ? nil : budget.map { Swift.min($0.bufferGB, 1) })
    let iterator = try GenericDataChunkIterator(
      source, bufferGB: bufferGB, bufferShape: options.bufferShape?.shape(),
      chunkMB: options.chunkMb, chunkShape: options.chunkShape?.shape())
    try budget?.check(iterator.plan)
    let writeOptions = try writeOptions(source.dataType, budget)
    if !quiet { iterator.plan.warnings.forEach { printToStandardError("slab: warning: \($0)") } }
    let store = try openStore(address)
    let progress = ProgressBar(isQuiet: quiet)
    let interrupt = Interrupt(writeOptions.cancellation)
    defer { interrupt.stop() }
    let start = ContinuousClock.now
    do {
      let report: @Sendable (WriteProgress) -> Void = { progress.show($0) }
      if overwrite {
        try OverwritingStore(store).write(
          iterator, to: address.node, options: writeOptions, progress: report)
      } else {
        try store.write(iterator, to: address.node, options: writeOptions, progress: report)
      }
    } catch {
      progress.clear()
      throw error
    }
    progress.clear()
    let info = try store.dataset(address.node).info
    try store.close()
    if !quiet { printSummary(info, address, ContinuousClock.now - start) }
  }

  private func openStore(_ address: StoreAddress) throws(HyperslabError) -> SlabStore {
    if StoreAddress.holdsStore(address.store) {
      return try SlabStore.open(address.store, mode: .readWrite, durability: durability)
    }
    return try SlabStore.create(at: address.store, durability: durability)
  }

  private func writeOptions(
    _ dataType: DataType, _ budget: MemoryBudget?
  ) throws(HyperslabError) -> WriteOptions {
    var result = WriteOptions()
    if let fillValue { result.fillValue = try FillValue(text: fillValue, dataType: dataType) }
    result.dimensionNames = dims?.split(separator: ",", omittingEmptySubsequences: false)
      .map { $0.isEmpty ? nil : String($0) }
    result.unit = unit
    for attribute in attributes { result.attributes[attribute.key] = try attribute.value() }
    result.compression = Compression(filter: filter.filter, level: level)
    result.commit = overwrite ? .atEnd : commit?.policy ?? .everyBuffer
    result.threads = threads
    result.memoryByteCount = budget?.bufferByteCount
    result.cancellation = Cancellation()
    return result
  }

  private func printSummary(_ info: DatasetInfo, _ address: StoreAddress, _ elapsed: Duration) {
    let rate = Double(info.logicalByteCount) / Swift.max(elapsed / .seconds(1), 1e-9)
    print(
      "\(address)  \(info.description.shape) \(info.description.dataType)  "
        + "\(HumanText.size(info.logicalByteCount)) → \(HumanText.size(info.storedByteCount)) "
        + "(\(HumanText.ratio(info.ratio)))  in \(HumanText.duration(elapsed)), "
        + "\(HumanText.size(Int(exactly: rate.rounded()) ?? 0))/s")
  }
}
