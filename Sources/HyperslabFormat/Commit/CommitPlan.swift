import HyperslabCodecs
import HyperslabCore

/// What a commit will do to the disk, worked out against the newest index while the lock is held.
struct CommitPlan {
  var fresh: [FreshChunks] = []
  /// Where new data sets' chunks go; nothing may be there.
  var orphans: [StorePath] = []
  /// Staged files of chunks that another writer has stored just so.
  var unneeded: [StorePath] = []
  /// New data sets that stand where a node is removed, each a directory that takes that place at once.
  var incoming: [NodePath] = []
  /// Nodes that came, went, or are described otherwise.
  var described: Set<NodePath> = []
  /// New files of chunk tables.
  var runs: [(path: StorePath, bytes: [UInt8])] = []
  /// The index to publish.
  var index: StoreIndex
  /// Nodes that are made of what another program wrote in their places.
  let adopting: Set<NodePath>
  /// What another program wrote and is taken in.
  let taken: TakenFiles
  let seenSlots: Set<Int>
  let newest: Snapshot
  let writer: String

  /// Applies changes to the newest index, refusing what another writer got to first.
  ///
  /// - Parameters:
  ///   - base: The index that the changes were made against.
  ///   - writer: The writer's identifier, from which staged names follow.
  ///   - adopting: Nodes that are made of what another program wrote in their places.
  ///   - stuck: Nodes of which the newest index lists work that could not be done; it lists it on.
  /// - Throws: `conflict` naming the node or chunk; for a node that is stuck, why.
  init(
    _ changes: Changes, newest: Snapshot, base: StoreIndex, writer: String,
    stuck: Settle.Stuck = [:], adopting: Set<NodePath> = [], taken: TakenFiles = TakenFiles()
  ) throws(HyperslabError) {
    self.newest = newest
    self.taken = taken
    self.adopting = adopting
    seenSlots = changes.seenSlots
    described = adopting.filter { newest.index.nodes[$0] != nil }
    try Self.check(changes, stuck)
    self.writer = writer
    index = newest.index
    guard index.commit < StoreIndex.maximumCommit else {
      throw HyperslabError(
        .limit, "commit \(index.commit) is the last that can be", at: "slab.json",
        remedy: "Copy the data into a new store")
    }
    index.commit += 1
    index.nextUnused = index.nextID
    index.removed = index.removed.filter { stuck[$0.path] != nil }
    for (path, record) in newest.index.nodes.records
    where stuck[path] == nil && (record.pending != nil || record.incoming != nil) {
      update(path) { record in
        record.pending = nil
        record.incoming = nil
      }
    }
    // What a group holds before the group.
    for path in changes.removed.keys.sorted().reversed() {
      if let removal = changes.removed[path] { try remove(path, removal) }
    }
    for path in changes.groups.keys.sorted() {
      try addGroup(path, changes.groups[path] ?? [:])
    }
    for path in changes.datasets.keys.sorted() {
      if let new = changes.datasets[path] { try addDataset(path, new) }
    }
    for (path, values) in changes.attributes {
      if let owner = changes.attributeOwners[path], owner != newest.index.owner(of: path) {
        throw Self.conflict("the node was replaced or removed", path)
      }
      if let seen = changes.seenAttributes[path] { try checkAttributes(path, values, seen) }
      try setAttributes(path, values)
    }
    for slot in changes.slots.keys.sorted() {
      if let dataset = changes.slots[slot] {
        try addRows(dataset, slot: slot, base: base, isNew: changes.datasets[dataset.path] != nil)
      }
    }
  }

  /// What was committed of a node must have reached its place before more can.
  private static func check(_ changes: Changes, _ stuck: Settle.Stuck) throws(HyperslabError) {
    if stuck.isEmpty { return }
    let touched =
      Set(changes.datasets.keys).union(changes.removed.keys).union(changes.groups.keys)
      .union(changes.slots.values.lazy.filter { !$0.isEmpty }.map(\.path))
    for path in touched.sorted() {
      let above = path.ancestors.first { stuck[$0] != nil && touched.contains($0) }
      guard let reason = stuck[path] ?? above.flatMap({ stuck[$0] }) else { continue }
      throw HyperslabError(
        reason.code, "files of an earlier commit, which stands, cannot take their places",
        at: "\(path)",
        remedy: "Make its directories writable, and it is done with the next commit", cause: reason)
    }
  }

  private mutating func update(_ path: NodePath, _ change: (inout DatasetRecord) -> Void) {
    guard var record = index.dataset(path) else { return }
    change(&record)
    index.nodes[path] = .dataset(record)
  }

  static func conflict(_ what: String, _ path: NodePath) -> HyperslabError {
    HyperslabError(
      .conflict, what, at: "\(path)",
      remedy:
        "Another writer was first; call reload() or open the store again, and decide what to keep")
  }

  /// Another writer may have removed them since.
  private mutating func addGroups(above path: NodePath) throws(HyperslabError) {
    var above = path.parent
    while let ancestor = above {
      switch index.nodes[ancestor] {
      // Where a group is, those above it are.
      case .group: return
      case .dataset: throw Self.conflict("a data set stands in the way", ancestor)
      case nil:
        described.insert(ancestor)
        index.nodes[ancestor] = .group(attributes: [:], extensions: [:])
      }
      above = ancestor.parent
    }
  }

  private mutating func addGroup(_ path: NodePath, _ attributes: JSONObject) throws(HyperslabError)
  {
    try addGroups(above: path)
    switch index.nodes[path] {
    case nil:
      index.nodes[path] = .group(attributes: attributes, extensions: [:])
      described.insert(path)
    case .group(var existing, let extensions):
      for key in attributes.keys.sorted() {
        guard existing[key] == nil || existing[key] == attributes[key] else {
          throw Self.conflict("the group exists already with another attribute \"\(key)\"", path)
        }
        existing[key] = attributes[key]
      }
      if attributes.isEmpty { break }
      index.nodes[path] = .group(attributes: existing, extensions: extensions)
      described.insert(path)
    case .dataset: throw Self.conflict("a data set stands where the group was to be", path)
    }
  }

  private mutating func remove(
    _ path: NodePath, _ removal: Changes.Removal
  ) throws(HyperslabError) {
    // What another writer added to it since would be gone unseen.
    if let now = index.attributes(of: path, id: removal.id), now != removal.attributes {
      throw Self.conflict("another writer changed attributes of the node to remove", path)
    }
    switch index.nodes[path] {
    case .dataset(let record) where record.id == removal.id:
      guard record.commit == removal.commit else {
        throw Self.conflict("another writer changed the data set to remove", path)
      }
    case .group where removal.id == nil:
      if let child = index.nodes.firstDescendant(of: path) {
        throw Self.conflict("another writer created a node in the group to remove", child)
      }
    default: throw Self.conflict("the node to remove is not the one there was", path)
    }
    index.nodes[path] = nil
    described.insert(path)
    index.removed.append(.init(id: removal.id, path: path))
  }

  private mutating func addDataset(
    _ path: NodePath, _ new: Changes.NewDataset
  ) throws(HyperslabError) {
    if let replaced = new.replaces { try remove(path, replaced) }
    let takesPlace = adopting.contains(path) || index.removed.contains { $0.path == path }
    if takesPlace { incoming.append(path) } else { orphans.append(StoreLayout.chunks(path)) }
    guard index.nodes[path] == nil else { throw Self.conflict("the data set exists already", path) }
    try addGroups(above: path)
    var record = new.record
    record.id = index.nextUnused
    record.commit = index.commit
    record.incoming = takesPlace ? writer : nil
    described.insert(path)
    index.nextUnused = record.id + 1
    index.nodes[path] = .dataset(record)
  }

  private func checkAttributes(
    _ path: NodePath, _ values: [JSONName: JSONValue?], _ seen: JSONObject
  ) throws(HyperslabError) {
    let id = newest.index.dataset(path)?.id
    guard let now = newest.index.attributes(of: path, id: id) else { return }
    for name in values.keys where now[name.text] != seen[name.text] {
      throw Self.conflict("another writer set the attribute \"\(name.text)\"", path)
    }
  }

  private mutating func setAttributes(
    _ path: NodePath, _ values: [JSONName: JSONValue?]
  ) throws(HyperslabError) {
    described.insert(path)
    switch index.nodes[path] {
    case .group(var attributes, let extensions):
      attributes.set(values)
      index.nodes[path] = .group(attributes: attributes, extensions: extensions)
    case .dataset:
      update(path) { $0.description.attributes.set(values) }
    case nil: throw Self.conflict("the node is gone", path)
    }
  }
}
