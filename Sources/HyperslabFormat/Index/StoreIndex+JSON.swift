import HyperslabCore

extension StoreIndex {
  private static let knownReadFeatures: Set<String> = ["delta", "repeats"]
  private static let knownWriteFeatures: Set<String> = ["runs"]

  /// Whether this version may write to the store.
  var isWritable: Bool { Set(writeFeatures).isSubset(of: Self.knownWriteFeatures) }

  /// The file's bytes.
  ///
  /// - Throws: `limit` for what nobody would read back, a data set that changed among it.
  func encoded() throws(HyperslabError) -> [UInt8] {
    var index = self
    return try index.encode()
  }

  /// The same; nodes that changed keep their text from now on.
  mutating func encode() throws(HyperslabError) -> [UInt8] {
    guard nextID <= Self.maximumNextID else {
      throw HyperslabError(
        .limit, "no number is left for one more data set",
        expected: "at most \(Self.maximumNextID) in all, those that were removed among them",
        remedy:
          "Copy what you need into a new store; slab export writes arrays that slab import reads")
    }
    var text: [UInt8] = [UInt8(ascii: "{")]
    func add(_ name: String, _ value: JSONValue) {
      beginMember(name, indent: 1)
      value.write(to: &text, style: .pretty, indent: 1)
    }
    func beginMember(_ name: String, indent: Int) {
      if text.last != UInt8(ascii: "{") { text.append(UInt8(ascii: ",")) }
      JSONValue.newLine(&text, indent)
      JSONValue.writeString(name, to: &text)
      text += ": ".utf8
    }
    add("slab", 1)
    add("read_features", .array(readFeatures.map { .string($0) }))
    add("write_features", .array(writeFeatures.map { .string($0) }))
    add("uuid", .string(uuid))
    add("commit", .integer(commit))
    add("time", .string(time))
    add("writer", .string(writer))
    add("state", .string(state))
    add("next_id", .integer(nextID))
    beginMember("nodes", indent: 1)
    text.append(UInt8(ascii: "{"))
    for (position, entry) in nodes.entries.enumerated() {
      beginMember("\(entry.path)", indent: 2)
      let source: JSONText
      if let known = entry.text {
        source = known
      } else {
        source = try Self.readBack(entry)
        nodes.keep(source, at: position)
      }
      text += source.bytes
    }
    JSONValue.newLine(&text, 1)
    text.append(UInt8(ascii: "}"))
    if !removed.isEmpty {
      add(
        "removed",
        .array(
          removed.map { removal in
            [
              "id": removal.id.map { .string("d\($0)") } ?? .null,
              "path": .string("\(removal.path)"),
            ]
          }))
    }
    for (name, value) in extensions { add(name, value) }
    text += "\n}".utf8
    let bytes = SelfCheck.seal(text)
    guard bytes.count <= Self.maximumFileByteCount, nodes.count <= Self.maximumNodeCount else {
      throw HyperslabError(
        .limit, "an index of \(nodes.count) nodes and \(bytes.count) bytes",
        expected: "at most \(Self.maximumNodeCount) nodes and \(Self.maximumFileByteCount) bytes",
        remedy: "Spread the data over several stores")
    }
    guard removed.count <= Self.maximumRemovalCount else {
      throw HyperslabError(
        .limit, "\(removed.count) removed nodes, some of which other programs keep in their places",
        expected: "at most \(Self.maximumRemovalCount)",
        remedy: "slab verify names what is in the way; move it elsewhere")
    }
    return bytes
  }

  /// The text of a node, which was read as whoever opens the store will.
  private static func readBack(_ entry: NodeTable.Entry) throws(HyperslabError) -> JSONText {
    var bytes: [UInt8] = []
    json(entry.node).write(to: &bytes, style: .pretty, indent: 2)
    do throws(HyperslabError) {
      let text = try JSONText(checking: bytes, depthLimit: depthLimit)
      if case .dataset = entry.node { _ = try DatasetRecord(json: text, place: "slab.json") }
      return text
    } catch {
      throw HyperslabError(
        .limit, "what would be written could not be read back; nothing was changed",
        at: "\(entry.path)",
        remedy:
          "SlabStore.repair (slab repair) counts totals anew; where it is none of them that is "
          + "too high, copy what you need into a new store", cause: error)
    }
  }

  private static func json(_ node: Node) -> JSONObject {
    switch node {
    case .group(let attributes, let extensions):
      var json: JSONObject = ["kind": "group", "attributes": .object(attributes)]
      for (name, value) in extensions { json[name] = value }
      return json
    case .dataset(let record): return record.json
    }
  }

  /// Reads the file: the version first, then the self-check, then everything else.
  ///
  /// - Parameter known: An index of the same store, of which nodes are taken over whose text is the same.
  init(
    _ bytes: [UInt8], place: String, known: StoreIndex? = nil
  ) throws(HyperslabError) {
    let value: JSONText
    do { value = try JSONText(checking: bytes, depthLimit: Self.depthLimit) } catch {
      throw HyperslabError(.damagedIndex, "not readable: \(error.what)", at: place)
    }
    var fields = try JSONFields(value, place: place, code: .damagedIndex)
    let intact = SelfCheck.holds(bytes)
    let version = fields.optional("slab")
    guard version?.integer == 1 else {
      throw HyperslabError(
        .unsupportedVersion, "the format version" + (intact ? "" : " (and the checksum is wrong)"),
        at: place, expected: "1",
        found: version.map { String(decoding: $0.bytes.prefix(80), as: UTF8.self) } ?? "none",
        remedy: "Use a version of Hyperslab that knows it")
    }
    guard intact else {
      if LineEnds.areChanged(bytes) {
        throw HyperslabError(
          .damagedIndex, "its line ends were changed to CR LF, as git does with core.autocrlf",
          at: place,
          remedy: "SlabStore.repair restores them; with `git config core.autocrlf false` before a "
            + "checkout git leaves them")
      }
      throw HyperslabError(
        .damagedIndex, "the index does not match its own checksum", at: place,
        remedy: "SlabStore.repair restores it where the store keeps enough for that")
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
    nextUnused = try fields.count("next_id", upTo: Self.maximumNextID)
    nodes = [:]
    guard StoreLayout.isIdentifier(uuid) else {
      throw fields.error("uuid", "32 hexadecimal digits")
    }
    guard ["open", "complete"].contains(state) else {
      throw fields.error("state", "open or complete")
    }
    _ = try fields.checksum("crc32c")
    try readNodes(try fields.object("nodes"), known?.nodes.entries ?? [], place)
    if let value = fields.optional("removed") { try readRemoved(value, place) }
    extensions = try fields.rest()
    try checkTree(place)
    if let needed = readFeatures.first(where: { !features.contains($0) }) {
      throw HyperslabError(
        .damagedIndex, "a data set uses the feature \"\(needed)\"", at: place,
        expected: "listed in \"read_features\"")
    }
  }

  private mutating func readNodes(
    _ tree: JSONText, _ known: [NodeTable.Entry], _ place: String
  ) throws(HyperslabError) {
    let members = tree.memberPlaces
    guard members.count <= Self.maximumNodeCount else {
      throw HyperslabError(.damagedIndex, "more than \(Self.maximumNodeCount) nodes", at: place)
    }
    var entries: [NodeTable.Entry] = []
    entries.reserveCapacity(members.count)
    // Both are mostly in the same order.
    var next = 0
    for member in members {
      let value = tree[member.value]
      if let same = known[next...].prefix(8).firstIndex(where: {
        tree.holds($0.path.description, at: member.name)
      }) {
        next = same + 1
        if let text = known[same].text, text.bytes == value.bytes {
          entries.append(.init(path: known[same].path, node: known[same].node, text: value))
          continue
        }
      }
      guard member.name.count <= 6 * JSONFields.maximumTextByteCount,
        let name = tree[member.name].string
      else { throw HyperslabError(.damagedIndex, "a node's name that is too long", at: place) }
      let path: NodePath
      do { path = try NodePath(name) } catch {
        throw HyperslabError(.damagedIndex, "\(error)", at: place)
      }
      guard path.description.hasSameBytes(as: name) else {
        throw HyperslabError(.damagedIndex, "the node name \"\(name)\"", at: place)
      }
      let here = "\(place), node \"\(name)\""
      let node: Node
      let kind = value.member("kind")
      if kind?.is("dataset") == true {
        node = .dataset(try DatasetRecord(json: value, place: here))
      } else if kind?.is("group") == true {
        var fields = try JSONFields(value, place: here, code: .damagedIndex)
        _ = try fields.string("kind")
        let attributes = JSONObject(try fields.object("attributes"))
        node = .group(attributes: attributes, extensions: try fields.rest())
      } else {
        throw HyperslabError(.damagedIndex, "a node of unknown kind", at: here)
      }
      entries.append(.init(path: path, node: node, text: value))
    }
    guard let table = NodeTable(entries) else {
      throw HyperslabError(.damagedIndex, "two spellings of one node's name", at: place)
    }
    nodes = table
  }

  private mutating func readRemoved(_ value: JSONText, _ place: String) throws(HyperslabError) {
    guard value.isArray else {
      throw HyperslabError(.damagedIndex, "\"removed\" is no array", at: place)
    }
    let used = Set(nodes.records.map(\.record.id))
    try value.forEachElement { (entry) throws(HyperslabError) in
      guard removed.count < Self.maximumRemovalCount else {
        throw HyperslabError(
          .damagedIndex, "more than \(Self.maximumRemovalCount) removed nodes", at: place)
      }
      var fields = try JSONFields(entry, place: place, code: .damagedIndex)
      var id: Int?
      if let name = fields.optional("id") {
        id = name.place.count < 32 ? name.string.flatMap { DatasetRecord.id($0) } : nil
        guard let id, !used.contains(id) else {
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
    guard let first = nodes.entries.first, first.path == .root else {
      throw HyperslabError(.damagedIndex, "no root group", at: place)
    }
    // Each group comes before what it holds, so the one that was come to last is the parent.
    var groups: [NodePath] = []
    for entry in nodes.entries {
      while let last = groups.last, !entry.path.isDescendant(of: last) { groups.removeLast() }
      guard entry.path == .root || groups.count == entry.path.depth else {
        throw HyperslabError(.damagedIndex, "\"\(entry.path)\" stands in no group", at: place)
      }
      if case .group = entry.node { groups.append(entry.path) }
    }
    guard !groups.isEmpty else { throw HyperslabError(.damagedIndex, "no root group", at: place) }
    var ids: Set<Int> = []
    for (_, record) in nodes.records {
      guard ids.insert(record.id).inserted else {
        throw HyperslabError(.damagedIndex, "two data sets of one id", at: place)
      }
      guard record.id < nextUnused else {
        throw HyperslabError(
          .damagedIndex, "a data set's id that is not below next_id", at: place)
      }
    }
  }
}
