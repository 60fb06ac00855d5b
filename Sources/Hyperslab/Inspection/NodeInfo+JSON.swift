public import HyperslabCore
public import HyperslabFormat

extension NodeInfo {
  /// Everything known of the node, as `slab info --json` prints it.
  public var json: JSONValue {
    switch self {
    case .group(let path, let attributes):
      ["path": .string("\(path)"), "kind": "group", "attributes": .object(attributes)]
    case .dataset(let info): info.json
    }
  }
}

extension DatasetInfo {
  /// Everything known of the data set, as `slab info --json` prints it.
  public var json: JSONValue {
    let description = description
    var members: JSONObject = ["path": .string("\(path)"), "kind": "dataset"]
    members["shape"] = description.shape.json
    members["max_shape"] = .array(description.maximumShape.map { $0.map { .integer($0) } ?? .null })
    members["dtype"] = .string(description.dataType.rawValue)
    members["chunk_shape"] = description.chunkShape.json
    members["fill_value"] = description.fillValue.json
    members["filter"] = filter.map { .string($0.rawValue) } ?? .null
    members["delta"] = delta.map { .integer($0) } ?? .null
    members["codec"] = "lz4"
    members["level"] = .integer(level)
    members["block_bytes"] = .integer(blockByteCount)
    members["dims"] =
      description.dimensionNames.map { .array($0.map { $0.map { .string($0) } ?? .null }) } ?? .null
    members["unit"] = description.unit.map { .string($0) } ?? .null
    members["attributes"] = .object(description.attributes)
    members["chunks"] = [
      "stored": .integer(storedChunks), "fill": .integer(fillChunks),
      "missing": .integer(missingChunks), "total": .integer(totalChunks),
    ]
    members["stored_bytes"] = .integer(storedByteCount)
    members["logical_bytes"] = .integer(logicalByteCount)
    members["ratio"] = ratio.flatMap { $0.isFinite ? .double($0) : nil } ?? .null
    members["statistics"] = statistics.json
    members["commit"] = .integer(commit)
    members["state"] = .string(state)
    return .object(members)
  }
}

extension Shape {
  /// The axis lengths as a JSON array.
  package var json: JSONValue { .array(map { .integer($0) }) }
}

extension ElementStatistics {
  /// `min`, `max` (null where there is none) and `nan_count`.
  public var json: JSONValue {
    [
      "min": minimum?.json ?? .null, "max": maximum?.json ?? .null, "nan_count": .integer(nanCount),
    ]
  }
}

extension ElementStatistics.Value {
  /// The number; an infinite one in Zarr's spelling.
  public var json: JSONValue {
    switch self {
    case .signed(let value): .integer(Int(value))
    case .unsigned(let value): Int(exactly: value).map { .integer($0) } ?? .unsigned(value)
    case .real(let value) where value.isFinite: .double(value)
    case .real(let value): value.isNaN ? "NaN" : value < 0 ? "-Infinity" : "Infinity"
    }
  }

  /// The number with the fewest digits that tell it apart in a type.
  public func text(_ dataType: DataType) -> String {
    switch (self, dataType) {
    case (.unsigned(let value), .bool): value == 0 ? "False" : "True"
    case (.signed(let value), _): String(value)
    case (.unsigned(let value), _): String(value)
    case (.real(let value), .float64): "\(value)"
    case (.real(let value), _): "\(Float(value))"
    }
  }
}
