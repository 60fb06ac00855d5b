import HyperslabCodecs
import HyperslabCore

/// What the derived `zarr.json` files say of the nodes. They carry no checksum; but each node but the
/// root is told twice, in its own file and in the root's, and only what both say alike is believed.
struct ZarrTree {
  private(set) var nodes: [NodePath: JSONObject] = [:]
  /// Nodes that the root's file lists, whether their own file agrees or not.
  private(set) var listed: Set<NodePath> = []
  /// Whether the root's file is there and agrees with every other.
  private(set) var isWhole = false

  private(set) var rootBytes: [UInt8]?

  /// - Parameter runs: Where data sets stand, as far as runs tell; for when the root's file is lost.
  init(files: any FileSystem, runs: Set<NodePath>) throws(HyperslabError) {
    rootBytes = try Self.bytes(.root, files)
    let root = try Self.document(.root, files)
    guard let root, let consolidated = root["consolidated_metadata"]?.object,
      let copies = consolidated["metadata"]?.object
    else {
      for node in runs.union(NodePath.ancestors(ofAll: runs)) {
        if let own = try Self.document(node, files) { nodes[node] = Self.alone(own) }
      }
      return
    }
    isWhole = true
    let leftOut = consolidated[ZarrMetadata.leftOut]?.object ?? [:]
    for (name, value) in Array(copies) + Array(leftOut) {
      guard let path = try? NodePath(name), let copy = value.object else {
        isWhole = false
        continue
      }
      listed.insert(path)
      let own = try Self.document(path, files).map(Self.alone)
      // One that is not readable at all says nothing against the other.
      if own == nil || own == copy { nodes[path] = copy }
      if own != copy { isWhole = false }
    }
    nodes[.root] = Self.alone(root)
  }

  /// What a document says of its own node.
  private static func alone(_ document: JSONObject) -> JSONObject {
    var own = document
    own["consolidated_metadata"] = nil
    return own
  }

  private static func bytes(
    _ path: NodePath, _ files: any FileSystem
  ) throws(HyperslabError) -> [UInt8]? {
    do {
      return try files.contents(StoreLayout.zarr(path), limit: StoreIndex.maximumFileByteCount)
    } catch {
      guard error.isDamage else { throw error }
      return nil
    }
  }

  private static func document(
    _ path: NodePath, _ files: any FileSystem
  ) throws(HyperslabError) -> JSONObject? {
    guard let bytes = try bytes(path, files) else { return nil }
    return (try? JSONParser.parse(bytes, depthLimit: StoreIndex.depthLimit))?.object
  }

  /// A group's attributes; nil for what is no group.
  func attributes(ofGroup path: NodePath) -> JSONObject? {
    guard let node = nodes[path], node["node_type"]?.string == "group" else { return nil }
    return node["attributes"]?.object
  }

  /// A data set's attributes, without the unit where that is told apart.
  func attributes(of path: NodePath, unit description: DatasetDescription) -> JSONObject {
    var attributes = nodes[path]?["attributes"]?.object ?? [:]
    if let unit = description.unit, description.attributes["units"] == nil,
      attributes["units"] == .string(unit)
    {
      attributes["units"] = nil
    }
    return attributes
  }

  /// A data set's record, as far as Zarr tells: without id and table, and mostly without block size.
  func record(_ path: NodePath) -> DatasetRecord? {
    guard let node = nodes[path], node["node_type"]?.string == "array",
      let shape = Self.lengths(node["shape"]),
      let chunkShape = Self.lengths(
        node["chunk_grid"]?.object?["configuration"]?.object?["chunk_shape"]),
      let dataType = node["data_type"]?.string.flatMap({ DataType(rawValue: $0) }),
      let value = node["fill_value"],
      let fill = try? FillValue(json: value, dataType: dataType),
      let compression = Self.compression(node["codecs"]?.array ?? [])
    else { return nil }
    var attributes = node["attributes"]?.object ?? [:]
    // Where the unit is told, that is where it most likely came from.
    let unit = attributes["units"]?.string
    if unit != nil { attributes["units"] = nil }
    let description = DatasetDescription(
      shape: Shape(shape), chunkShape: Shape(chunkShape), dataType: dataType,
      maximumShape: shape.map { _ in nil }, fillValue: fill,
      dimensionNames: Self.givenNames(node["dimension_names"]?.array, path), unit: unit,
      attributes: attributes, compression: compression)
    guard let grid = try? description.validated(),
      grid.chunkCount <= StoreIndex.maximumChunkCount
    else { return nil }
    return DatasetRecord(
      id: 0, description: description, grid: grid, filter: compression.filter,
      blockByteCount: compression.blockByteCount ?? FrameFormat.defaultBlockByteCount, commit: 0)
  }

  /// The names of axes without those that were made up for axes that have none.
  private static func givenNames(_ names: [JSONValue]?, _ path: NodePath) -> [String?]? {
    guard let names else { return nil }
    let given = names.enumerated().map { axis, name in
      name.string == "\(path.name)_\(axis)" ? nil : name.string
    }
    return given.allSatisfy { $0 == nil } ? nil : given
  }

  /// The filters that a chain of codecs tells of; nil for a chain that is none of ours.
  private static func compression(_ codecs: [JSONValue]) -> Compression? {
    for codec in codecs.compactMap(\.object) {
      guard let name = codec["name"]?.string, name == "blosc" || name == ZarrMetadata.deltaCodec,
        let configuration = codec["configuration"]?.object
      else { continue }
      var result = Compression()
      switch configuration["shuffle"]?.string {
      case "noshuffle": result.filter = Filter.none
      case "shuffle": result.filter = .shuffle
      case "bitshuffle": result.filter = .bitshuffle
      default: return nil
      }
      if name == "blosc" { return result }
      guard let axis = configuration["axis"]?.integer, let block = configuration["block"]?.integer,
        FrameFormat.blockByteCounts.contains(block)
      else { return nil }
      result.delta = axis
      result.blockByteCount = block
      return result
    }
    return nil
  }

  private static func lengths(_ value: JSONValue?) -> [Int]? {
    guard let array = value?.array else { return nil }
    let lengths = array.compactMap(\.integer)
    guard lengths.count == array.count,
      lengths.allSatisfy({ (0...StoreIndex.maximumAxisLength).contains($0) })
    else { return nil }
    return lengths
  }
}
