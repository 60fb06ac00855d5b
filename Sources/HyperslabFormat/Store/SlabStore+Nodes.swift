import HyperslabCodecs
public import HyperslabCore

extension SlabStore {
  /// Every committed node, the root group first, each group before what it holds.
  public func nodes() -> [NodeInfo] {
    let index = snapshot.index
    return index.nodes.keys.sorted().compactMap { info(of: $0, in: index) }
  }

  /// One committed node.
  ///
  /// - Throws: `not_found`.
  public func node(_ path: NodePath) throws(HyperslabError) -> NodeInfo {
    if let info = info(of: path, in: snapshot.index) { return info }
    throw notFound(path)
  }

  /// Whether there is such a node, committed or created by this session.
  public func contains(_ path: NodePath) -> Bool {
    let isCommitted = snapshot.index.nodes[path] != nil
    return session?.state.withLock {
      $0.changes.groups[path] != nil || $0.changes.datasets[path] != nil
        || isCommitted && $0.changes.removed[path] == nil
    } ?? isCommitted
  }

  /// Creates a group and those above it that are missing.
  ///
  /// - Throws: `already_exists`, `read_only`.
  public func createGroup(
    _ path: NodePath, attributes: JSONObject = [:]
  ) throws(HyperslabError) {
    try checkAttributes(attributes, path)
    try writing().withState { (state) throws(HyperslabError) -> Void in
      try checkFree(path, in: &state)
      createParents(of: path, in: &state)
      state.changes.groups[path] = attributes
    }
  }

  /// Creates a data set, all chunks never written, and the groups above it that are missing.
  ///
  /// - Throws: `already_exists`, `read_only`, `chunk_too_large`, `limit`, and whatever
  ///   ``DatasetDescription/validated()`` refuses.
  public func createDataset(
    _ path: NodePath, _ description: DatasetDescription
  ) throws(HyperslabError) -> SlabDataset {
    try create(path, description, replacing: false)
  }

  /// Creates a data set in the place of another, whose values stay visible until the next commit.
  ///
  /// Write all of the new one before committing.
  /// - Throws: as ``createDataset(_:_:)``; `wrong_kind` where a group stands.
  public func replaceDataset(
    _ path: NodePath, _ description: DatasetDescription
  ) throws(HyperslabError) -> SlabDataset {
    try create(path, description, replacing: true)
  }

  /// Opens a data set, committed or created by this session.
  ///
  /// - Throws: `not_found`, or `wrong_kind` for a group.
  public func dataset(_ path: NodePath) throws(HyperslabError) -> SlabDataset {
    let path = spelledAsStored(path)
    let new = session?.state.withLock { $0.changes.datasets[path] } ?? nil
    guard contains(path) else { throw notFound(path) }
    guard var record = new?.record ?? snapshot.index.dataset(path) else { throw aGroup(path) }
    if let session, let slot = session.state.withLock({ $0.slots[path] }),
      let shape = session.shape(slot: slot)
    {
      record.description.shape = shape
      record.grid = try record.description.validated()
    }
    return try SlabDataset(store: self, path: path, record: record, isNew: new != nil)
  }

  /// Sets an attribute of a node; nil removes it.
  ///
  /// Of several writers that set the same attribute the last to commit wins.
  /// - Throws: `not_found`, `read_only`, `limit`, `invalid_value` for what JSON cannot hold.
  public func setAttribute(
    _ key: String, _ value: JSONValue?, of path: NodePath
  ) throws(HyperslabError) {
    let session = try writing()
    guard contains(path) else { throw notFound(path) }
    let committed = (try? node(path))?.attributes ?? [:]
    try session.withState { (state) throws(HyperslabError) -> Void in
      if var attributes = state.changes.datasets[path]?.record.description.attributes {
        attributes[key] = value
        try checkAttributes(attributes, path)
        state.changes.datasets[path]?.record.description.attributes = attributes
      } else if var attributes = state.changes.groups[path] {
        attributes[key] = value
        try checkAttributes(attributes, path)
        state.changes.groups[path] = attributes
      } else {
        var changed = state.changes.attributes[path] ?? [:]
        changed.updateValue(value, forKey: key)
        var attributes = committed
        for name in changed.keys.sorted() { attributes[name] = changed[name] ?? nil }
        try checkAttributes(attributes, path)
        state.changes.attributes[path] = changed
      }
    }
  }

  private func create(
    _ path: NodePath, _ description: DatasetDescription, replacing: Bool
  ) throws(HyperslabError) -> SlabDataset {
    let session = try writing()
    guard path != .root else {
      throw HyperslabError(.invalidName, "a data set needs a name", at: self.path.string)
    }
    var record = try newRecord(path, description)
    try session.withState { (state) throws(HyperslabError) -> Void in
      let existing = state.base.dataset(path)
      if replacing, let existing, state.changes.datasets[path] == nil,
        state.changes.removed[path] == nil
      {
        record.id = existing.id
        state.changes.datasets[path] = .init(
          record: record, replaces: existing.id, replacedCommit: existing.commit)
        state.changes.attributes[path] = nil
      } else {
        if replacing, existing == nil, isGroup(path, in: state) { throw aGroup(path) }
        try checkFree(path, in: &state)
        state.changes.datasets[path] = .init(record: record)
      }
      _ = state.newSlot(path)
      createParents(of: path, in: &state)
    }
    return try SlabDataset(store: self, path: path, record: record, isNew: true)
  }

  private func newRecord(
    _ path: NodePath, _ description: DatasetDescription
  ) throws(HyperslabError) -> DatasetRecord {
    do throws(HyperslabError) {
      let grid = try description.validated()
      try StoreIndex.checkLimits(grid, remedy: "Choose larger chunks")
      try checkAttributes(description.attributes, path)
      let compression = description.compression
      let usual = BlockCoding.usualBlockByteCount(
        compression.settledFilter, chunkShape: grid.chunkShape,
        elementByteCount: description.dataType.byteCount)
      let record = DatasetRecord(
        id: -1, description: description, grid: grid, filter: compression.settledFilter,
        blockByteCount: compression.blockByteCount ?? usual, commit: 0)
      _ = try record.frameFormat(filter: .none)
      return record
    } catch { throw error.located(at: "\(self.path)/\(path)") }
  }

  private func checkFree(
    _ path: NodePath, in state: inout WriterSession.State
  ) throws(HyperslabError) {
    let place = "\(self.path)/\(path)"
    if state.holds(path) {
      throw HyperslabError(
        .alreadyExists, "a node of that name exists", at: place,
        remedy: "Choose another name, or ask to overwrite")
    }
    for ancestor in path.ancestors
    where state.holds(ancestor) && !isGroup(ancestor, in: state) {
      throw HyperslabError(.alreadyExists, "\"\(ancestor)\" is a data set", at: place)
    }
    // Names that some file systems take for the same.
    let names = state.names()
    let new = (path.ancestors + [path]).filter { names[$0.description.lowercased()] != $0 }
    if let twin = new.lazy.compactMap({ names[$0.description.lowercased()] }).first {
      throw HyperslabError(
        .invalidName, "a name that differs from \"\(twin)\" only in letter case", at: place)
    }
    guard names.count + new.count <= StoreIndex.maximumNodeCount else {
      throw HyperslabError(
        .limit, "one more node than a store can hold", at: place,
        expected: "at most \(StoreIndex.maximumNodeCount)",
        remedy: "Spread the data over several stores")
    }
    state.addNames(new)
  }

  private func isGroup(_ path: NodePath, in state: borrowing WriterSession.State) -> Bool {
    if case .group = state.base.nodes[path], state.changes.removed[path] == nil { return true }
    return state.changes.groups[path] != nil
  }

  /// The path as the index spells it: names that Unicode takes for equal may differ in their bytes,
  /// and file names follow the bytes.
  func spelledAsStored(_ path: NodePath) -> NodePath {
    let nodes = snapshot.index.nodes
    return nodes.index(forKey: path).map { nodes[$0].key } ?? path
  }

  private func createParents(of path: NodePath, in state: inout WriterSession.State) {
    for ancestor in path.ancestors where !state.holds(ancestor) {
      state.changes.groups[ancestor] = [:]
    }
  }

  private func checkAttributes(
    _ attributes: JSONObject, _ path: NodePath
  ) throws(HyperslabError) {
    do { try attributes.checkWritable(depthLimit: StoreIndex.attributeDepthLimit) } catch {
      throw error.located(at: "\(self.path)/\(path)")
    }
    let byteCount = JSONValue.object(attributes).text().utf8.count
    guard byteCount <= StoreIndex.maximumAttributesByteCount else {
      throw HyperslabError(
        .limit, "attributes of \(byteCount) bytes", at: "\(self.path)/\(path)",
        expected: "at most \(StoreIndex.maximumAttributesByteCount)",
        remedy: "Keep large values in a data set")
    }
  }

  private func info(of path: NodePath, in index: StoreIndex) -> NodeInfo? {
    switch index.nodes[path] {
    case .group(let attributes, _): .group(path: path, attributes: attributes)
    case .dataset(let record): .dataset(DatasetInfo(path: path, record: record))
    case nil: nil
    }
  }

  private func aGroup(_ path: NodePath) -> HyperslabError {
    HyperslabError(
      .wrongKind, "a group, not a data set",
      at: path == .root ? self.path.string : "\(self.path)/\(path)",
      remedy: "Name a data set in it; slab ls shows them")
  }

  func notFound(_ path: NodePath) -> HyperslabError {
    HyperslabError(
      .notFound, "no such node", at: "\(self.path)/\(path)", remedy: "slab ls shows what there is")
  }
}
