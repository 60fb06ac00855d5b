import HyperslabCodecs
public import HyperslabCore

extension SlabStore {
  /// Every committed node, the root group first, each group before what it holds.
  public func nodes() -> [NodeInfo] {
    let index = snapshot.index
    if role == .transaction { changes?.noteSeen(index.nodes.keys, in: index) }
    return index.nodes.map { info(of: $0.key, $0.value) }
  }

  /// One committed node.
  ///
  /// - Throws: `not_found`.
  public func node(_ path: NodePath) throws(HyperslabError) -> NodeInfo {
    let index = snapshot.index
    if role == .transaction { changes?.noteLookedUp() }
    guard let info = info(of: path, in: index) else { throw notFound(path) }
    if role == .transaction { changes?.noteSeen([path], in: index) }
    return info
  }

  /// Whether there is such a node, committed or created through this handle.
  public func contains(_ path: NodePath) -> Bool {
    lookUp(path).isThere
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
    let (new, isThere, isNewGroup, index) = lookUp(path)
    guard isThere else { throw notFound(path) }
    guard !isNewGroup, var record = new?.record ?? index.dataset(path) else { throw aGroup(path) }
    if role == .transaction { changes?.noteSeen([path], in: index) }
    if let changes,
      let shape = changes.shape(slot: changes.slot(of: path, id: new == nil ? record.id : nil))
    {
      record.description.shape = shape
      record.grid = try record.description.validated()
    }
    return try SlabDataset(store: self, path: path, record: record, isNew: new != nil)
  }

  /// Opens a data set as the last commit has it, whatever was done through this handle and is not committed.
  /// Where it was removed or replaced so, the handle only reads.
  ///
  /// - Throws: as ``dataset(_:)-(NodePath)``.
  public func committedDataset(_ path: NodePath) throws(HyperslabError) -> SlabDataset {
    // What an append gives back, nobody has looked for; but what it says can be seen.
    if role == .transaction, let changes, changes.noteAppended(path) {
      return try SlabStore(opened, changes, role: .appending).dataset(path)
    }
    guard role == .direct,
      changes?.state.withLock({ $0.uncommittedChange(of: path) != nil }) ?? false,
      let record = snapshot.index.dataset(path)
    else { return try dataset(path) }
    return try SlabDataset(store: self, path: path, record: record, isNew: false)
  }

  /// What was created at a path and not committed, a data set or a group, whether there is a node, and the index
  /// that says so.
  private func lookUp(
    _ path: NodePath
  ) -> (new: Changes.NewDataset?, isThere: Bool, isNewGroup: Bool, index: StoreIndex) {
    guard let changes else {
      let index = snapshot.index
      return (nil, index.nodes[path] != nil, false, index)
    }
    if role == .transaction { changes.noteLookedUp() }
    // Changes leave the state only after the commit with them can be seen.
    return changes.state.withLock { state in
      let index = state.snapshot(opened).index
      return (
        state.created(path), state.holds(path, in: index), state.createdGroup(path), index
      )
    }
  }

  /// Sets an attribute of a node; nil removes it.
  ///
  /// Of several writers that set the same attribute the last to commit wins; a transaction that has looked at the
  /// node, and sets one which another has changed since, is a conflict.
  /// - Throws: `not_found`, `read_only`, `limit`, `invalid_value` for what JSON cannot hold.
  public func setAttribute(
    _ key: String, _ value: JSONValue?, of path: NodePath
  ) throws(HyperslabError) {
    try setAttributes([JSONName(key): value], of: path)
  }

  /// Sets attributes of a node at once; nil removes one.
  ///
  /// - Throws: as ``setAttribute(_:_:of:)``.
  func setAttributes(
    _ values: [JSONName: JSONValue?], of path: NodePath
  ) throws(HyperslabError) {
    let changes = try writing()
    try changes.withState { (state) throws(HyperslabError) -> Void in
      let index = state.snapshot(opened).index
      guard state.holds(path, in: index) else { throw notFound(path) }
      if var attributes = state.changes.datasets[path]?.record.description.attributes {
        attributes.set(values)
        try checkAttributes(attributes, path)
        state.changes.datasets[path]?.record.description.attributes = attributes
      } else if var attributes = state.changes.groups[path] {
        attributes.set(values)
        try checkAttributes(attributes, path)
        state.changes.groups[path] = attributes
      } else {
        var changed = state.changes.attributes[path] ?? [:]
        changed.merge(values) { $1 }
        var attributes = info(of: path, in: index)?.attributes ?? [:]
        attributes.set(changed)
        try checkAttributes(attributes, path)
        state.changes.attributes[path] = changed
        state.changes.attributeOwners[path] =
          state.changes.attributeOwners[path] ?? index.owner(of: path)
      }
    }
  }

  private func create(
    _ path: NodePath, _ description: DatasetDescription, replacing: Bool
  ) throws(HyperslabError) -> SlabDataset {
    let changes = try writing()
    try NodeNames.checkDataset(path, at: self.path.string)
    var record = try newRecord(path, description)
    let unneeded = try changes.withState {
      (state) throws(HyperslabError) -> [Changes.StagedChunk] in
      let index = state.snapshot(opened).index
      let existing = index.dataset(path)
      if replacing, let own = state.changes.datasets[path] {
        state.changes.datasets[path] = .init(record: record, replaces: own.replaces)
      } else if replacing, let existing, state.changes.removed[path] == nil {
        record.id = existing.id
        state.changes.datasets[path] = .init(
          record: record, replaces: state.removal(of: path, in: index))
        state.changes.attributes[path] = nil
      } else {
        if replacing, existing == nil, isGroup(path, in: state) { throw aGroup(path) }
        try checkFree(path, in: &state)
        state.changes.datasets[path] = .init(record: record)
      }
      defer { state.slots[path] = changes.session.newNumber() }
      createParents(of: path, in: &state)
      return state.forgetSlot(path, in: state.snapshot(opened).index)
    }
    changes.remove(unneeded)
    return try SlabDataset(store: self, path: path, record: record, isNew: true)
  }

  private func newRecord(
    _ path: NodePath, _ description: DatasetDescription
  ) throws(HyperslabError) -> DatasetRecord {
    do throws(HyperslabError) {
      let grid = try description.validated()
      try checkAttributes(description.attributes, path)
      let compression = description.compression
      let usual = BlockCoding.usualBlockByteCount(
        compression.settledFilter, chunkShape: grid.chunkShape,
        elementByteCount: description.dataType.byteCount)
      let record = DatasetRecord(
        id: -1, description: description, grid: grid, filter: compression.settledFilter,
        blockByteCount: compression.blockByteCount ?? usual, commit: 0)
      _ = try record.frameFormat(filter: .none)
      try StoreIndex.checkReadable(record)
      return record
    } catch { throw error.located(at: "\(self.path)/\(path)") }
  }

  private func checkFree(
    _ path: NodePath, in state: inout ChangeSet.State
  ) throws(HyperslabError) {
    let index = state.snapshot(opened).index
    var collected = state.names
    collected.collect(from: index, and: state)
    try collected.names.insert(path, at: "\(self.path)/\(path)") { path in
      guard state.holds(path, in: index) else { return nil }
      return isGroup(path, in: state) ? .group : .dataset
    }
    state.names = collected
  }

  private func isGroup(_ path: NodePath, in state: borrowing ChangeSet.State) -> Bool {
    if state.changes.groups[path] != nil { return true }
    guard case .group = state.snapshot(opened).index.nodes[path] else { return false }
    return state.changes.removed[path] == nil
  }

  /// The path as the index spells it: names that Unicode takes for equal may differ in their bytes,
  /// and file names follow the bytes.
  func spelledAsStored(_ path: NodePath) -> NodePath {
    snapshot.index.nodes.spelling(of: path) ?? path
  }

  private func createParents(of path: NodePath, in state: inout ChangeSet.State) {
    let index = state.snapshot(opened).index
    var above = path.parent
    while let ancestor = above, !state.holds(ancestor, in: index) {
      state.changes.groups[ancestor] = [:]
      above = ancestor.parent
    }
  }

  private func checkAttributes(
    _ attributes: JSONObject, _ path: NodePath
  ) throws(HyperslabError) {
    do { try StoreLimits.checkAttributes(attributes) } catch {
      throw error.located(at: "\(self.path)/\(path)")
    }
  }

  private func info(of path: NodePath, in index: StoreIndex) -> NodeInfo? {
    index.nodes[path].map { info(of: path, $0) }
  }

  private func info(of path: NodePath, _ node: StoreIndex.Node) -> NodeInfo {
    switch node {
    case .group(let attributes, _): .group(path: path, attributes: attributes)
    case .dataset(let record): .dataset(DatasetInfo(path: path, record: record))
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
