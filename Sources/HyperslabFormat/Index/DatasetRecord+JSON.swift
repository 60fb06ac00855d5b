import HyperslabCodecs
import HyperslabCore

extension DatasetRecord {
  /// The record as a node of `slab.json` (Spec, "Data sets").
  var json: JSONObject {
    var json: JSONObject = [
      "kind": "dataset", "id": .string("d\(id)"),
      "shape": .array(description.shape.map { .integer($0) }),
      "max_shape": .array(description.maximumShape.map { $0.map { .integer($0) } ?? .null }),
      "chunk_shape": .array(description.chunkShape.map { .integer($0) }),
      "dtype": .string(description.dataType.rawValue),
      "fill_value": description.fillValue.json,
      "codec": .object(codecJSON),
      "dims": description.dimensionNames.map { .array($0.map { $0.map { .string($0) } ?? .null }) }
        ?? .null,
      "unit": description.unit.map { .string($0) } ?? .null,
      "attributes": .object(description.attributes), "commit": .integer(commit),
      "chunks": ["stored": .integer(storedChunks), "fill": .integer(fillChunks)],
      "stored_bytes": .integer(storedByteCount), "min": statistics.minimum.json,
      "max": statistics.maximum.json, "nan": .integer(statistics.nanCount),
      "runs": .array(runs.map { .object($0.json) }),
    ]
    if let source = description.sourceFingerprint {
      json["source"] = ["fingerprint": .string(source)]
    }
    if let pending { json["pending"] = .object(pending.json) }
    if let incoming { json["incoming"] = .string(incoming) }
    for (name, value) in extensions { json[name] = value }
    return json
  }

  private var codecJSON: JSONObject {
    var json: JSONObject = [
      "name": "blosc1-lz4", "filter": .string(filter?.rawValue ?? "auto"),
      "block": .integer(blockByteCount), "level": .integer(description.compression.level),
    ]
    if let axis = description.compression.delta { json["delta"] = .integer(axis) }
    if repeatsFill { json["repeats"] = true }
    return json
  }

  init(json: JSONText, place: String) throws(HyperslabError) {
    var fields = try JSONFields(json, place: place, code: .damagedIndex)
    _ = try fields.string("kind")
    let name = try fields.string("id")
    guard let id = Self.id(name) else { throw fields.error("id", "d and a number") }
    self.id = id
    description = try Self.readDescription(&fields)
    do { grid = try description.validated() } catch {
      throw HyperslabError(.damagedIndex, "\(error)", at: place)
    }
    guard grid.chunkCount <= StoreIndex.maximumChunkCount else {
      throw fields.error("chunk_shape", "at most \(StoreIndex.maximumChunkCount) chunks")
    }
    (description.compression, repeatsFill) = try Self.readCodec(&fields, description)
    filter = description.compression.filter
    blockByteCount = description.compression.blockByteCount ?? FrameFormat.defaultBlockByteCount
    commit = try fields.count("commit")
    var chunks = try JSONFields(
      try fields.object("chunks"), place: place, code: .damagedIndex)
    storedChunks = try chunks.count("stored")
    fillChunks = try chunks.count("fill")
    _ = try chunks.rest()
    guard storedChunks <= grid.chunkCount, fillChunks <= grid.chunkCount - storedChunks else {
      throw fields.error("chunks", "no more than the grid's \(grid.chunkCount)")
    }
    guard filter != nil || storedChunks == 0 else {
      throw fields.error("codec", "a filter, since chunks are stored")
    }
    storedByteCount = try fields.count("stored_bytes")
    let type = description.dataType
    statistics = ElementStatistics(
      minimum: try ElementStatistics.Value(
        json: fields.optional("min"), type, fields.error("min", "a value")),
      maximum: try ElementStatistics.Value(
        json: fields.optional("max"), type, fields.error("max", "a value")),
      nanCount: try fields.count("nan"))
    try fields.array("runs").forEachElement { (run) throws(HyperslabError) in
      runs.append(try RunReference(json: run, place: place))
    }
    guard runs.count <= StoreIndex.maximumRunCount,
      runs.allSatisfy({ $0.numbering.gridShape.rank == grid.rank })
    else { throw fields.error("runs", "at most 4096, of as many axes as the array") }
    // What counts rows would count those of a file that is listed twice as often.
    guard Set(runs.map(\.name)).count == runs.count else {
      throw fields.error("runs", "no file twice")
    }
    if let value = fields.optional("pending") {
      let value = try Pending(json: value, place: place)
      guard value.chunkCount <= runs.reduce(0, { $0 + $1.rows }),
        value.numbering.gridShape.rank == grid.rank
      else { throw fields.error("pending", "chunks that the newest runs list") }
      pending = value
    }
    if let value = fields.optional("incoming") {
      guard let writer = value.string, StoreLayout.isIdentifier(writer), pending == nil else {
        throw fields.error("incoming", "an identifier, and nothing pending beside it")
      }
      incoming = writer
    }
    extensions = try fields.rest()
    try checkFormat(place)
  }

  private static func readDescription(
    _ fields: inout JSONFields
  ) throws(HyperslabError) -> DatasetDescription {
    let lengths = 0...StoreIndex.maximumAxisLength
    let shape = Shape(try fields.integers("shape", in: lengths))
    let chunkShape = Shape(try fields.integers("chunk_shape", in: lengths))
    var maximum: [Int?] = []
    try fields.array("max_shape").forEachElement { (value) throws(HyperslabError) in
      let length = value.integer
      guard value.isNull || length.map({ lengths.contains($0) }) == true else {
        throw fields.error("max_shape", "lengths or null")
      }
      maximum.append(length)
    }
    let name = try fields.string("dtype")
    guard let dataType = DataType(rawValue: name) else {
      throw fields.error("dtype", "a known type")
    }
    let fillValue: FillValue
    do {
      fillValue = try FillValue(
        json: try fields.short("fill_value"), dataType: dataType)
    } catch {
      throw fields.error("fill_value", "a \(dataType)")
    }
    var names: [String?]?
    if let value = fields.optional("dims") {
      guard let array = value.value.array, array.allSatisfy({ $0 == .null || $0.string != nil })
      else { throw fields.error("dims", "names or null") }
      names = array.map(\.string)
    }
    let unit = fields.optional("unit")
    guard unit == nil || unit?.string != nil else { throw fields.error("unit", "a string or null") }
    let source = try readSource(&fields)
    return DatasetDescription(
      shape: shape, chunkShape: chunkShape, dataType: dataType, maximumShape: maximum,
      fillValue: fillValue, dimensionNames: names, unit: unit?.string,
      attributes: JSONObject(try fields.object("attributes")),
      sourceFingerprint: source)
  }

  private static func readCodec(
    _ fields: inout JSONFields, _ description: DatasetDescription
  ) throws(HyperslabError) -> (Compression, repeatsFill: Bool) {
    var codec = try JSONFields(
      try fields.object("codec"), place: fields.place, code: .damagedIndex)
    guard try codec.string("name") == "blosc1-lz4" else { throw codec.error("name", "blosc1-lz4") }
    let name = try codec.string("filter")
    var result = Compression(filter: Filter(rawValue: name))
    guard result.filter != nil || name == "auto" else {
      throw codec.error("filter", "none, shuffle, bitshuffle or auto")
    }
    result.blockByteCount = try codec.count("block", upTo: FrameFormat.blockByteCounts.upperBound)
    if result.filter == nil, result.blockByteCount == FrameFormat.defaultBlockByteCount {
      result.blockByteCount = nil
    }
    result.level = try codec.count("level", upTo: 12)
    guard result.level >= 1 else { throw codec.error("level", "1 to 12") }
    if let value = codec.optional("delta") {
      guard let axis = value.integer, description.shape.indices.contains(axis),
        [.signed, .unsigned].contains(description.dataType.kind), result.filter == .bitshuffle
      else { throw codec.error("delta", "an axis, of integers, with bitshuffle") }
      result.delta = axis
    }
    let repeats = codec.optional("repeats")
    guard repeats == nil || repeats?.isTrue == true && result.filter != nil else {
      throw codec.error("repeats", "true, with a filter")
    }
    _ = try codec.rest()
    return (result, repeats != nil)
  }

  private static func readSource(_ fields: inout JSONFields) throws(HyperslabError) -> String? {
    guard let value = fields.optional("source") else { return nil }
    var source = try JSONFields(value, place: fields.place, code: .damagedIndex)
    let text = try source.string("fingerprint")
    _ = try source.rest()
    let limit = DatasetDescription.maximumFingerprintByteCount
    guard text.utf8.count <= limit else {
      throw source.error("fingerprint", "at most \(limit) bytes")
    }
    return text
  }

  private func checkFormat(_ place: String) throws(HyperslabError) {
    do { _ = try frameFormat(filter: filter ?? .none) } catch {
      throw HyperslabError(.damagedIndex, "\(error)", at: place)
    }
  }

  /// The frames that the record implies, with a filter for its own.
  func frameFormat(filter: Filter) throws(HyperslabError) -> FrameFormat {
    try frameFormat(coding(filter: filter))
  }

  /// The frames that the record implies, with a coding for its own.
  func frameFormat(_ coding: BlockCoding) throws(HyperslabError) -> FrameFormat {
    let size = description.dataType.byteCount
    let byteCount = Checked.product(description.chunkShape.axes + [size]) ?? Int.max
    var stride: Int?
    if let axis = description.compression.delta, coding.filter == .bitshuffle {
      stride = Checked.product(description.chunkShape.axes.dropFirst(axis + 1)) ?? Int.max
    }
    return try FrameFormat(
      elementByteCount: size, filter: coding.filter, deltaStride: stride,
      chunkByteCount: byteCount, blockByteCount: coding.blockByteCount,
      repeatsFill: coding.repeatsFill)
  }
}

extension DatasetRecord {
  /// The number in a data set's id, `d` and a number without leading zeros.
  static func id(_ name: String) -> Int? {
    guard let id = Int(name.dropFirst()), name == "d\(id)", (0...1 << 53 - 2).contains(id) else {
      return nil
    }
    return id
  }
}

extension DatasetRecord.RunReference {
  var json: JSONObject {
    [
      "commit": .integer(commit), "crc": .string(CRC32C.hex(crc)), "size": .integer(byteCount),
      "grid": numbering.json, "lo": .integer(low), "hi": .integer(high), "rows": .integer(rows),
    ]
  }

  init(json: JSONText, place: String) throws(HyperslabError) {
    var fields = try JSONFields(json, place: place, code: .damagedIndex)
    commit = try fields.count("commit")
    crc = try fields.checksum("crc")
    byteCount = try fields.count("size", upTo: StoreIndex.maximumFileByteCount)
    numbering = try fields.numbering("grid")
    low = try fields.count("lo", upTo: StoreIndex.maximumChunkCount)
    high = try fields.count("hi", upTo: StoreIndex.maximumChunkCount)
    rows = try fields.count("rows", upTo: byteCount / 6)
    _ = try fields.rest()
    guard rows >= 1, low <= high, rows <= high - low + 1, high < numbering.count else {
      throw fields.error("rows", "at most one a chunk from lo to hi, all of the grid")
    }
  }
}

extension DatasetRecord.Pending {
  var json: JSONObject {
    [
      "writer": .string(writer), "slot": .integer(slot), "batch": .integer(batch),
      "grid": numbering.json, "rows": rows.json, "drop": drop.json,
    ]
  }

  /// How many chunks are listed; each list rises, so that neither can hold one twice.
  var chunkCount: Int { (rows + drop).reduce(0) { $0 + $1.count } }

  init(json: JSONText, place: String) throws(HyperslabError) {
    var fields = try JSONFields(json, place: place, code: .damagedIndex)
    writer = try fields.string("writer")
    guard StoreLayout.isIdentifier(writer) else { throw fields.error("writer", "an identifier") }
    slot = try fields.count("slot")
    batch = try fields.count("batch")
    numbering = try fields.numbering("grid")
    rows = try fields.ranges("rows")
    drop = try fields.ranges("drop")
    _ = try fields.rest()
    guard (rows + drop).allSatisfy({ $0.upperBound <= numbering.count }) else {
      throw fields.error("rows", "numbers of the grid")
    }
  }
}
