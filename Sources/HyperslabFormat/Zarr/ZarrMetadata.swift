import HyperslabCore

/// The derived `zarr.json` files, which let any Zarr v3 reader open the store (Spec, "Zarr").
///
/// Source: the Zarr v3 core specification; the codec chain is `bytes → blosc → crc32c`.
enum ZarrMetadata {
  /// Every node's `zarr.json`; the root's carries all others as consolidated metadata.
  static func files(of index: StoreIndex) -> [NodePath: [UInt8]] {
    var documents: [NodePath: JSONObject] = [:]
    for (path, node) in index.nodes {
      switch node {
      case .group(let attributes, _): documents[path] = group(attributes)
      case .dataset(let record): documents[path] = array(record)
      }
    }
    var consolidated = JSONObject()
    for path in documents.keys.sorted() where path != .root {
      consolidated["\(path)"] = documents[path].map { .object($0) }
    }
    documents[.root]?["consolidated_metadata"] = [
      "kind": "inline", "must_understand": false, "metadata": .object(consolidated),
    ]
    return documents.mapValues { Array((JSONValue.object($0).text(pretty: true) + "\n").utf8) }
  }

  private static func group(_ attributes: JSONObject) -> JSONObject {
    ["zarr_format": 3, "node_type": "group", "attributes": .object(attributes)]
  }

  private static func array(_ record: DatasetRecord) -> JSONObject {
    let description = record.description
    var attributes = description.attributes
    if let unit = description.unit, attributes["units"] == nil {
      attributes["units"] = .string(unit)
    }
    var json: JSONObject = [
      "zarr_format": 3, "node_type": "array",
      "shape": .array(description.shape.map { .integer($0) }),
      "data_type": .string(description.dataType.rawValue),
      "chunk_grid": [
        "name": "regular",
        "configuration": ["chunk_shape": .array(description.chunkShape.map { .integer($0) })],
      ],
      "chunk_key_encoding": ["name": "default", "configuration": ["separator": "/"]],
      "fill_value": description.fillValue.json,
      "codecs": [
        ["name": "bytes", "configuration": ["endian": "little"]],
        ["name": "blosc", "configuration": .object(blosc(record))],
        ["name": "crc32c"],
      ],
      "attributes": .object(attributes),
    ]
    if let names = description.dimensionNames {
      json["dimension_names"] = .array(names.map { $0.map { .string($0) } ?? .null })
    }
    return json
  }

  private static func blosc(_ record: DatasetRecord) -> JSONObject {
    let shuffle =
      switch record.filter ?? .none {
      case .none: "noshuffle"
      case .shuffle: "shuffle"
      case .bitshuffle: "bitshuffle"
      }
    return [
      "cname": "lz4", "clevel": 5, "shuffle": .string(shuffle),
      "typesize": .integer(record.description.dataType.byteCount), "blocksize": 0,
    ]
  }
}
