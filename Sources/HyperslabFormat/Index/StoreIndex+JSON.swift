import HyperslabCore

extension StoreIndex {
  private static let knownReadFeatures: Set<String> = ["delta", "repeats"]
  private static let knownWriteFeatures: Set<String> = ["runs"]

  /// Whether this version may write to the store.
  var isWritable: Bool { Set(writeFeatures).isSubset(of: Self.knownWriteFeatures) }

  /// The file's bytes.
  ///
  /// - Throws: `limit` for what nobody would read back.
  func encoded() throws(HyperslabError) -> [UInt8] {
    var tree = JSONObject()
    for path in nodes.keys.sorted() {
      switch nodes[path] {
      case .group(let attributes, let extensions):
        var json: JSONObject = ["kind": "group", "attributes": .object(attributes)]
        for (name, value) in extensions { json[name] = value }
        tree["\(path)"] = .object(json)
      case .dataset(let record): tree["\(path)"] = .object(record.json)
      case nil: break
      }
    }
    var json: JSONObject = [
      "slab": 1, "read_features": .array(readFeatures.map { .string($0) }),
      "write_features": .array(writeFeatures.map { .string($0) }),
      "uuid": .string(uuid), "commit": .integer(commit), "time": .string(time),
      "writer": .string(writer), "state": .string(state), "next_id": .integer(nextID),
      "nodes": .object(tree),
    ]
    if !removed.isEmpty {
      json["removed"] = .array(
        removed.map { removal in
          ["id": removal.id.map { .string("d\($0)") } ?? .null, "path": .string("\(removal.path)")]
        })
    }
    for (name, value) in extensions { json[name] = value }
    let bytes = SelfCheck.seal(json)
    guard bytes.count <= Self.maximumFileByteCount, nodes.count <= Self.maximumNodeCount else {
      throw HyperslabError(
        .limit, "an index of \(nodes.count) nodes and \(bytes.count) bytes",
        expected: "at most \(Self.maximumNodeCount) nodes and \(Self.maximumFileByteCount) bytes",
        remedy: "Spread the data over several stores")
    }
    return bytes
  }

  /// Reads the file: the version first, then the self-check, then everything else.
  init(_ bytes: [UInt8], place: String) throws(HyperslabError) {
    let value: JSONValue
    do { value = try JSONParser.parse(bytes, depthLimit: Self.depthLimit) } catch {
      throw HyperslabError(.damagedIndex, "not readable: \(error.what)", at: place)
    }
    var fields = try JSONFields(value, place: place, code: .damagedIndex)
    let intact = SelfCheck.holds(bytes)
    let version = fields.optional("slab")
    guard version == .integer(1) else {
      throw HyperslabError(
        .unsupportedVersion, "the format version" + (intact ? "" : " (and the checksum is wrong)"),
        at: place, expected: "1", found: version?.text() ?? "none",
        remedy: "Use a version of Hyperslab that knows it")
    }
    guard intact else {
      throw HyperslabError(
        .damagedIndex, "the index does not match its own checksum", at: place,
        remedy: "Restore slab.json, or one of __slab/root-<commit>")
    }
    let features = try fields.strings("read_features")
    if let unknown = features.first(where: { !Self.knownReadFeatures.contains($0) }) {
      throw HyperslabError(
        .unsupportedFeature, "the store needs the feature \"\(unknown)\"", at: place,
        remedy: "Use a version of Hyperslab that knows it")
    }
    writeFeatures = try fields.strings("write_features")
    uuid = try fields.string("uuid")
    commit = try fields.count("commit", upTo: Self.maximumCommit)
    time = try fields.string("time")
    writer = try fields.string("writer")
    state = try fields.string("state")
    nextUnused = try fields.count("next_id")
    nodes = [:]
    guard StoreLayout.isIdentifier(uuid) else {
      throw fields.error("uuid", "32 hexadecimal digits")
    }
    guard ["open", "complete"].contains(state) else {
      throw fields.error("state", "open or complete")
    }
    _ = try fields.checksum("crc32c")
    try readNodes(try fields.object("nodes"), place)
    if let value = fields.optional("removed") { try readRemoved(value, place) }
    extensions = try fields.rest()
    try checkTree(place)
    if let needed = readFeatures.first(where: { !features.contains($0) }) {
      throw HyperslabError(
        .damagedIndex, "a data set uses the feature \"\(needed)\"", at: place,
        expected: "listed in \"read_features\"")
    }
  }

  private mutating func readNodes(_ tree: JSONObject, _ place: String) throws(HyperslabError) {
    guard tree.count <= Self.maximumNodeCount else {
      throw HyperslabError(.damagedIndex, "more than \(Self.maximumNodeCount) nodes", at: place)
    }
    for (name, value) in tree {
      let path: NodePath
      do { path = try NodePath(name) } catch {
        throw HyperslabError(.damagedIndex, "\(error)", at: place)
      }
      guard "\(path)" == name else {
        throw HyperslabError(.damagedIndex, "the node name \"\(name)\"", at: place)
      }
      let here = "\(place), node \"\(name)\""
      switch value.object?["kind"]?.string {
      case "dataset": nodes[path] = .dataset(try DatasetRecord(json: value, place: here))
      case "group":
        var fields = try JSONFields(value, place: here, code: .damagedIndex)
        _ = try fields.string("kind")
        let attributes = try fields.object("attributes")
        nodes[path] = .group(attributes: attributes, extensions: try fields.rest())
      default: throw HyperslabError(.damagedIndex, "a node of unknown kind", at: here)
      }
    }
  }

  private mutating func readRemoved(_ value: JSONValue, _ place: String) throws(HyperslabError) {
    guard let entries = value.array else {
      throw HyperslabError(.damagedIndex, "\"removed\" is no array", at: place)
    }
    for entry in entries {
      var fields = try JSONFields(entry, place: place, code: .damagedIndex)
      var id: Int?
      if let name = fields.optional("id") {
        id = name.string.flatMap { DatasetRecord.id($0) }
        guard let id, datasets.allSatisfy({ $0.record.id != id }) else {
          throw fields.error("id", "d and the number of no data set, or null for a group")
        }
      }
      guard let path = try? NodePath(try fields.string("path")), path != .root else {
        throw fields.error("path", "a data set's")
      }
      _ = try fields.rest()
      removed.append(Removal(id: id, path: path))
    }
  }

  private func checkTree(_ place: String) throws(HyperslabError) {
    guard case .group = nodes[.root] else {
      throw HyperslabError(.damagedIndex, "no root group", at: place)
    }
    for path in nodes.keys {
      if let parent = path.parent, dataset(parent) != nil || nodes[parent] == nil {
        throw HyperslabError(.damagedIndex, "\"\(path)\" stands in no group", at: place)
      }
    }
    let ids = datasets.map(\.record.id)
    guard Set(ids).count == ids.count else {
      throw HyperslabError(.damagedIndex, "two data sets of one id", at: place)
    }
    guard ids.allSatisfy({ $0 < nextUnused }) else {
      throw HyperslabError(.damagedIndex, "a data set's id that is not below next_id", at: place)
    }
  }
}
