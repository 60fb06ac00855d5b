import ArgumentParser
import Hyperslab
import SystemPackage

struct ImportCommand: ChangingCommand {
  static let configuration = CommandConfiguration(
    commandName: "import",
    abstract: "Writes a .npy file, a file of plain numbers or standard input as a data set.",
    discussion: """
      The store, and directories above it, are made if need be: it is the part of the path that ends
      in .slab (or .zarr), else all but the last name. What comes from standard input is kept in an
      unnamed file beside the store until it ends, and stored then; nothing is committed before.
      """)

  @Argument(help: "A .npy file; a file of plain numbers with --raw; - for standard input.")
  var input: String

  @Argument(help: "Where to: recording.slab/ecephys/lfp. The store is created if need be.")
  var dataset: String

  @OptionGroup var inputOptions: InputOptions

  @OptionGroup var options: PlanOptions

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "How far each axis may grow later, ? without limit: ?,384.",
      discussion: "Not at all when not given, but for an axis that --shape has as ?.",
      valueName: "shape"))
  var maxShape: ShapeArgument?

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
    help: ArgumentHelp(
      "What reads where nothing was stored (default: 0), such as -1, nan or 1+2j.",
      valueName: "value"))
  var fillValue: String?

  @Option(
    name: .customLong("attribute"), parsing: .unconditionalSingleValue,
    help: ArgumentHelp(
      "Something worth knowing; key=@file takes a file's contents; may be repeated.",
      valueName: "key=json"))
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

  @Flag(
    help: ArgumentHelp(
      "Replace the data set if it is there; the old one stays until the end.",
      discussion: """
        Its attributes, unit, dims, max shape and fill value are kept where they fit and no others are
        given.
        """))
  var overwrite = false

  @Flag(help: "With --overwrite: keep nothing that the old data set says beside its data.")
  var dropMetadata = false

  @Flag(help: "Make a new store even inside another program's Zarr or N5 hierarchy.")
  var insideZarr = false

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
    if dropMetadata, !overwrite {
      throw ValidationError("--drop-metadata goes with --overwrite.")
    }
    if input == "-", attributes.contains(where: { $0.json == "-" }) {
      throw ValidationError("Standard input is the data; an attribute can come from @file.")
    }
    if overwrite, resume || part != nil {
      throw ValidationError(
        "--overwrite begins anew; it does not go with \(resume ? "--resume" : "--part").")
    }
    if part != nil, durability == .fast {
      throw ValidationError("Parts are written with --durability full.")
    }
  }

  func run(_ printer: Printer) throws {
    let address = try StoreAddress(creating: dataset, insideZarr: insideZarr)
    guard address.node != .root else {
      throw HyperslabError(
        .invalidName, "the store is named, but no data set in it", at: dataset,
        remedy: "Write for example \(address.store)/data")
    }
    let limit = try work.residentByteLimit(bufferGB: options.bufferGb)
    switch try ImportInput(input, inputOptions, beside: address.store, limit: limit) {
    case .npy(let file): try write(file, to: address, printer)
    case .raw(let file): try write(file, to: address, printer)
    }
  }

  private func write(
    _ source: some DataChunkSource, to address: StoreAddress, _ printer: Printer
  ) throws {
    let budget = try work.budget()
    let bufferGB =
      options.bufferGb ?? (options.isBufferChosen ? nil : budget.map { Swift.min($0.bufferGB, 1) })
    let iterator = try GenericDataChunkIterator(
      source, bufferGB: bufferGB, bufferShape: options.bufferShape?.shape(),
      chunkMB: options.chunkMb, chunkShape: options.chunkShape?.shape(),
      growingTo: maximumShape(source.shape))
    try budget?.check(iterator.plan)
    var writeOptions = try writeOptions(source, budget)
    // What is refused leaves no store behind.
    _ = try writeOptions.description(for: iterator.plan).validated()
    let store = try openStore(address)
    let isNew = !store.contains(address.node)
    if isNew, !work.quiet {
      iterator.plan.warnings.forEach { Printer.complain("slab: warning: \($0)") }
    }
    var kept = KeptMetadata()
    if overwrite, !dropMetadata, !isNew, let old = try? store.dataset(address.node).description {
      kept = KeptMetadata(
        of: old, in: &writeOptions, shape: source.shape, dataType: source.dataType)
    }
    let start = ContinuousClock.now
    let last = try showingProgress(isQuiet: work.quiet) { cancellation, report in
      writeOptions.cancellation = cancellation
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
    tellNotes(of: store)
    if work.quiet { return }
    let summary = ImportSummary(
      address: address, info: info, progress: last, kept: kept,
      elapsed: ContinuousClock.now - start)
    try printer.line(summary.text(part: part, isNew: isNew || overwrite))
  }

  /// How far the array may grow.
  private func maximumShape(_ shape: Shape) throws(HyperslabError) -> [Int?]? {
    if let maxShape {
      let limits = try maxShape.axes()
      guard limits.count == shape.rank else {
        throw HyperslabError(
          .invalidShape, "--max-shape \(maxShape.text) for an array of shape \(shape)",
          expected: "\(shape.rank) axes", found: "\(limits.count)",
          remedy: "Give one limit an axis, for example "
            + (["?"] + shape.dropFirst().map(String.init)).joined(separator: ","))
      }
      return limits
    }
    // An input whose length was not known may have more to come.
    guard inputOptions.shape?.isOpen ?? false else { return nil }
    return [nil] + shape.dropFirst().map { $0 }
  }

  private var dimensionNames: [String?]? {
    // By bytes: what looks like one character to people may be any number of them.
    dims?.utf8.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
      .map { $0.isEmpty ? nil : String(Substring($0)) }
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
    try SlabStore.openOrCreate(at: address.store, durability: durability)
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
    result.maximumShape = try maximumShape(source.shape)
    result.resume = resume
    result.part = part
    result.threads = work.threads
    result.memoryByteCount = budget?.bufferByteCount
    return result
  }
}
