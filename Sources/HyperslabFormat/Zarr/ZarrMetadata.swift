import HyperslabCore

/// The derived `zarr.json` files, which let any Zarr v3 reader open the store (Spec, "Zarr").
///
/// Source: the Zarr v3 core specification; the codec chain is `bytes → blosc → crc32c`, but for data
/// sets with the filter delta, which name a codec that no stock reader knows.
enum ZarrMetadata {
  /// Takes the place of `blosc` where the frames hold differences along an axis.
  static let deltaCodec = "hyperslab.delta-blosc"
  /// The member of the root's consolidated metadata that holds what its `metadata` leaves out.
  static let leftOut = "hyperslab"

  /// How what the index leaves open is told.
  enum Form: CaseIterable {
    /// Every axis has a name, and `_FillValue` the form in which xarray reads it.
    case full
    /// As it was told at first: names that nobody gave are left out.
    case plain
  }

  /// Every node's `zarr.json`; the root's carries all others as consolidated metadata.
  ///
  /// zarr-python gives up a whole group for one array with an unknown codec, unless consolidated
  /// metadata speak of the others only. So data sets with delta are left out there, and a group that
  /// holds one has such metadata of its own, unless a group above it has, so that no document is in
  /// more than three files.
  static func files(of index: StoreIndex) -> [NodePath: [UInt8]] {
    files(of: index, only: Set(index.nodes.keys))
  }

  /// The `zarr.json` of some nodes.
  static func files(
    of index: StoreIndex, only wanted: Set<NodePath>, form: Form = .full
  ) -> [NodePath: [UInt8]] {
    if wanted.isEmpty { return [:] }
    let names = form == .full ? DimensionNames(of: index) : nil
    let holders = holders(of: index)
    let needsAll = wanted.contains { holders.contains($0) }
    var documents: [NodePath: JSONObject] = [:]
    var refused: Set<NodePath> = []
    for (path, node) in index.nodes where needsAll || wanted.contains(path) {
      documents[path] = document(node, names?[path])
      if case .dataset(let record) = node, record.usesDelta { refused.insert(path) }
    }
    let paths = index.nodes.keys.filter { documents[$0] != nil }
    var result = documents.filter { wanted.contains($0.key) }
    for (position, group) in paths.enumerated()
    where wanted.contains(group) && holders.contains(group) {
      let below = paths[(position + 1)...].prefix { $0.isDescendant(of: group) }
      result[group]?["consolidated_metadata"] = .object(
        consolidated(documents, below, of: group, without: refused))
    }
    return result.mapValues { file($0, index) }
  }

  /// A group's `zarr.json` without what it says of other nodes: as it is while those change places.
  static func plainFile(of group: StoreIndex.Node, in index: StoreIndex) -> [UInt8] {
    file(document(group, nil), index)
  }

  /// A data set's `zarr.json`.
  static func file(of record: DatasetRecord, axes: [String]?, in index: StoreIndex) -> [UInt8] {
    file(array(record, axes), index)
  }

  /// The groups whose documents speak of the nodes below them: the root, and the outermost ones that
  /// hold a data set with delta.
  static func holders(of index: StoreIndex) -> Set<NodePath> {
    let groups = Set(
      index.nodes.records.compactMap { path, record in record.usesDelta ? path.parent : nil })
    var outermost: [NodePath] = []
    // What a group holds comes right behind it.
    for group in groups.subtracting([.root]).sorted()
    where outermost.last.map({ group.isDescendant(of: $0) }) != true {
      outermost.append(group)
    }
    return Set(outermost + [.root])
  }

  private static func document(_ node: StoreIndex.Node, _ axes: [String]?) -> JSONObject {
    switch node {
    case .group(let attributes, _): group(attributes)
    case .dataset(let record): array(record, axes)
    }
  }

  private static func file(_ document: JSONObject, _ index: StoreIndex) -> [UInt8] {
    DocumentSeal.seal(
      JSONValue.object(document).bytes(pretty: true) + [UInt8(ascii: "\n")], store: index.uuid)
  }

  private static func consolidated(
    _ documents: [NodePath: JSONObject], _ below: some Sequence<NodePath>, of group: NodePath,
    without refused: Set<NodePath>
  ) -> JSONObject {
    var metadata = JSONObject()
    var leftOut = JSONObject()
    let depth = group.depth
    for path in below {
      let name = path.dropFirst(depth)
      let document = documents[path].map { JSONValue.object($0) }
      if refused.contains(path) { leftOut[name] = document } else { metadata[name] = document }
    }
    var json: JSONObject = [
      "kind": "inline", "must_understand": false, "metadata": .object(metadata),
    ]
    if group == .root, !leftOut.isEmpty { json[Self.leftOut] = .object(leftOut) }
    return json
  }

  private static func group(_ attributes: JSONObject) -> JSONObject {
    ["zarr_format": 3, "node_type": "group", "attributes": .object(attributes)]
  }

  /// - Parameter axes: The names of all axes; nil to tell no more than was given.
  private static func array(_ record: DatasetRecord, _ axes: [String]?) -> JSONObject {
    let description = record.description
    var attributes = description.attributes
    if axes == nil {
      ZarrAttributes.addUnit(description, to: &attributes)
    } else {
      attributes = ZarrAttributes.of(description)
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
        blosc(record),
        ["name": "crc32c"],
      ],
      "attributes": .object(attributes),
    ]
    if let axes {
      json["dimension_names"] = .array(axes.map { .string($0) })
    } else if let names = description.dimensionNames {
      json["dimension_names"] = .array(names.map { $0.map { .string($0) } ?? .null })
    }
    return json
  }

  private static func blosc(_ record: DatasetRecord) -> JSONValue {
    let shuffle =
      switch record.filter ?? .none {
      case .none: "noshuffle"
      case .shuffle: "shuffle"
      case .bitshuffle: "bitshuffle"
      }
    let settings: JSONObject = [
      "cname": "lz4", "clevel": 5, "shuffle": .string(shuffle),
      "typesize": .integer(record.description.dataType.byteCount), "blocksize": 0,
    ]
    guard let axis = record.description.compression.delta else {
      return ["name": "blosc", "configuration": .object(settings)]
    }
    var configuration: JSONObject = [
      "axis": .integer(axis), "block": .integer(record.blockByteCount),
    ]
    for (name, value) in settings { configuration[name] = value }
    return ["name": .string(deltaCodec), "configuration": .object(configuration)]
  }
}
