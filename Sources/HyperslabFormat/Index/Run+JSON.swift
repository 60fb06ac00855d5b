import HyperslabCore

extension Run {
  /// The file's bytes (Spec, "Runs"): one column of JSON a field.
  ///
  /// - Parameter waiting: Chunks that nobody stored before and that take their names after the commit all the same.
  func encoded(
    store: String, dataset: Int, path: NodePath, commit: Int, waiting: [ChunkIndex] = []
  ) throws(HyperslabError) -> [UInt8] {
    let states = rows.map { row in
      switch row.state {
      case .stored: "s"
      case .fill: "f"
      case .neverWritten: "n"
      }
    }
    var members: JSONObject = [
      "slab_run": 1, "store": .string(store), "dataset": .string("d\(dataset)"),
      "path": .string("\(path)"), "commit": .integer(commit), "grid": numbering.json,
      "id": ranges.json, "state": .string(states.joined()),
      "bytes": .array(rows.map { .integer($0.byteCount) }),
      "crc": .array(rows.map { .integer(Int($0.crc)) }),
      "min": .array(rows.map(\.statistics.minimum.json)),
      "max": .array(rows.map(\.statistics.maximum.json)),
      "nan": .array(rows.map { .integer($0.statistics.nanCount) }),
    ]
    let numbers = waiting.compactMap { numbering.number(of: $0) }.filter { row($0) != nil }
    if !numbers.isEmpty { members["x-waiting"] = [Range<Int>](rising: numbers.sorted()).json }
    let bytes = SelfCheck.seal(members)
    guard bytes.count <= StoreIndex.maximumFileByteCount else {
      throw HyperslabError(.limit, "a run of \(bytes.count) bytes")
    }
    return bytes
  }

  /// Reads a file that matched the checksum in the index, and checks that it is what it was listed as.
  init(
    _ bytes: [UInt8], store: String, dataset: Int, reference: DatasetRecord.RunReference,
    dataType: DataType, place: String
  ) throws(HyperslabError) {
    let value: JSONText
    do { value = try JSONText(checking: bytes, depthLimit: 32) } catch {
      throw HyperslabError(.damagedTable, "not readable: \(error.what)", at: place)
    }
    var fields = try JSONFields(value, place: place, code: .damagedTable)
    guard SelfCheck.holds(bytes), try fields.count("slab_run") == 1 else {
      throw fields.error("crc32c", "the file's own checksum")
    }
    _ = try fields.checksum("crc32c")
    guard try fields.string("store") == store, try fields.string("dataset") == "d\(dataset)",
      try fields.count("commit") == reference.commit
    else {
      throw HyperslabError(.damagedTable, "a run of another store, data set or commit", at: place)
    }
    // For repair alone: which data set the rows are of is the index's to say.
    guard (try? NodePath(try fields.string("path"))) != nil else {
      throw fields.error("path", "a data set's")
    }
    let numbering = try fields.numbering("grid")
    let ranges = try fields.ranges("id")
    let total = ranges.reduce(0) { $0 + $1.count }
    guard numbering == reference.numbering, total == reference.rows,
      ranges.first?.lowerBound == reference.low,
      ranges.last.map({ $0.upperBound - 1 }) == reference.high
    else { throw fields.error("id", "the \(reference.rows) rows that the index lists") }
    let rows = try Self.readRows(&fields, count: total, dataType: dataType)
    _ = try fields.rest()
    self.init(numbering: numbering, ranges: ranges, rows: rows)
  }

  private static func readRows(
    _ fields: inout JSONFields, count: Int, dataType: DataType
  ) throws(HyperslabError) -> ChunkRows {
    guard let letters = try fields.required("state").string else {
      throw fields.error("state", "s, f or n")
    }
    let states = Array(letters.utf8)
    let sizes = try fields.integers("bytes", in: 0...Int(Int32.max))
    let checksums = try fields.integers("crc", in: 0...Int(UInt32.max))
    let minima = try fields.extremes("min", dataType)
    let maxima = try fields.extremes("max", dataType)
    let nans = try fields.integers("nan", in: 0...Int(Int32.max))
    let lengths = [
      states.count, sizes.count, checksums.count, minima.count, maxima.count, nans.count,
    ]
    guard lengths.allSatisfy({ $0 == count }) else {
      throw fields.error("state", "columns of \(count)")
    }
    var rows = ChunkRows()
    rows.reserveCapacity(count)
    for index in 0..<count {
      let state: ChunkState
      switch states[index] {
      case UInt8(ascii: "s"): state = .stored
      case UInt8(ascii: "f"): state = .fill
      case UInt8(ascii: "n"): state = .neverWritten
      default: throw fields.error("state", "s, f or n")
      }
      let statistics = ElementStatistics(
        minimum: minima[index], maximum: maxima[index], nanCount: nans[index])
      rows.append(
        ChunkRow(
          state: state, byteCount: sizes[index], crc: UInt32(checksums[index]),
          statistics: statistics))
    }
    return rows
  }
}

extension JSONFields {
  /// A column of smallest or largest values.
  fileprivate mutating func extremes(
    _ name: String, _ dataType: DataType
  ) throws(HyperslabError) -> [ElementStatistics.Value?] {
    var values: [ElementStatistics.Value?] = []
    try array(name).forEachElement { (value) throws(HyperslabError) in
      values.append(try .init(json: value, dataType, error(name, "a value")))
    }
    return values
  }
}
