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
    guard let root, let copies = root["consolidated_metadata"]?.object?["metadata"]?.object else {
      for path in runs {
        for node in path.ancestors + [path] {
          if let own = try Self.document(node, files) { nodes[node] = own }
        }
      }
      return
    }
    isWhole = true
    for (name, value) in copies {
      guard let path = try? NodePath(name), let copy = value.object else {
        isWhole = false
        continue
      }
      listed.insert(path)
      let own = try Self.document(path, files)
      // One that is not readable at all says nothing against the other.
      if own == nil || own == copy { nodes[path] = copy }
      if own != copy { isWhole = false }
    }
    var own = root
    own["consolidated_metadata"] = nil
    nodes[.root] = own
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

  /// A data set's record, as far as Zarr tells: without id, table and block size.
  func record(_ path: NodePath) -> DatasetRecord? {
    guard let node = nodes[path], node["node_type"]?.string == "array",
      let shape = Self.lengths(node["shape"]),
      let chunkShape = Self.lengths(
        node["chunk_grid"]?.object?["configuration"]?.object?["chunk_shape"]),
      let dataType = node["data_type"]?.string.flatMap({ DataType(rawValue: $0) }),
      let value = node["fill_value"],
      let fill = try? FillValue(json: value, dataType: dataType),
      let codecs = node["codecs"]?.array,
      let blosc = codecs.first(where: { $0.object?["name"]?.string == "blosc" })?.object
    else { return nil }
    let shuffle = blosc["configuration"]?.object?["shuffle"]?.string
    let filter: Filter? =
      switch shuffle {
      case "noshuffle": Filter.none
      case "shuffle": .shuffle
      case "bitshuffle": .bitshuffle
      default: nil
      }
    var attributes = node["attributes"]?.object ?? [:]
    // Where the unit is told, that is where it most likely came from.
    let unit = attributes["units"]?.string
    if unit != nil { attributes["units"] = nil }
    let description = DatasetDescription(
      shape: Shape(shape), chunkShape: Shape(chunkShape), dataType: dataType,
      maximumShape: shape.map { _ in nil }, fillValue: fill,
      dimensionNames: node["dimension_names"]?.array?.map(\.string), unit: unit,
      attributes: attributes)
    guard let grid = try? description.validated(), filter != nil,
      grid.chunkCount <= StoreIndex.maximumChunkCount
    else { return nil }
    return DatasetRecord(
      id: 0, description: description, grid: grid, filter: filter,
      blockByteCount: FrameFormat.defaultBlockByteCount, commit: 0)
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
