import HyperslabCore

/// The nodes of an index by their paths, a group right before what it holds.
///
/// A node that nobody changed keeps the text that it was read from, which the next index takes over: a
/// commit works out the text of what it changes.
struct NodeTable: Sendable, Sequence, ExpressibleByDictionaryLiteral {
  struct Entry: Sendable {
    let path: NodePath
    let node: StoreIndex.Node
    /// The text of the node in the index that it was read from.
    let text: JSONText?
  }

  /// In the order of paths.
  private(set) var entries: [Entry]

  init(dictionaryLiteral elements: (NodePath, StoreIndex.Node)...) {
    entries = []
    for (path, node) in elements { self[path] = node }
  }

  /// - Returns: nil where a path stands twice.
  init?(_ entries: [Entry]) {
    let isSorted = zip(entries, entries.dropFirst()).allSatisfy { $0.path < $1.path }
    self.entries = isSorted ? entries : entries.sorted { $0.path < $1.path }
    let twice = zip(self.entries, self.entries.dropFirst()).contains { $0.path == $1.path }
    if !isSorted && twice { return nil }
  }

  /// The paths, in order.
  var keys: [NodePath] { entries.map(\.path) }
  var count: Int { entries.count }

  func makeIterator() -> AnyIterator<(key: NodePath, value: StoreIndex.Node)> {
    var rest = entries.makeIterator()
    return AnyIterator { rest.next().map { ($0.path, $0.node) } }
  }

  /// The first position whose path is not below one.
  private func position(_ path: NodePath) -> Int {
    var (low, high) = (0, entries.count)
    while low < high {
      let middle = (low + high) / 2
      if entries[middle].path < path { low = middle + 1 } else { high = middle }
    }
    return low
  }

  private func find(_ path: NodePath) -> Int? {
    let position = position(path)
    return position < entries.count && entries[position].path == path ? position : nil
  }

  /// The first node below one.
  func firstDescendant(of path: NodePath) -> NodePath? {
    let next = position(path) + (self[path] == nil ? 0 : 1)
    guard next < entries.count, entries[next].path.isDescendant(of: path) else { return nil }
    return entries[next].path
  }

  /// Those of the groups above some paths that there are, whatever the paths are.
  func groups(above paths: some Sequence<NodePath>) -> Set<NodePath> {
    var groups: Set<NodePath> = []
    for path in paths where path != .root {
      var group = NodePath.root
      groups.insert(group)
      // Of a name that is nowhere, nothing below is.
      for name in path.components.dropLast() {
        guard let child = group.child(named: name),
          groups.contains(child) || self[child] != nil
        else { break }
        groups.insert(child)
        group = child
      }
    }
    return groups
  }

  /// A path as the index spells it, if it has it.
  func spelling(of path: NodePath) -> NodePath? { find(path).map { entries[$0].path } }

  subscript(path: NodePath) -> StoreIndex.Node? {
    get { find(path).map { entries[$0].node } }
    set {
      let position = position(path)
      let isThere = position < entries.count && entries[position].path == path
      guard let newValue else {
        if isThere { entries.remove(at: position) }
        return
      }
      if isThere {
        entries[position] = Entry(path: entries[position].path, node: newValue, text: nil)
      } else {
        entries.insert(Entry(path: path, node: newValue, text: nil), at: position)
      }
    }
  }

  /// Notes the text of the node at a position, as the index has it from now on.
  mutating func keep(_ text: JSONText, at position: Int) {
    let entry = entries[position]
    entries[position] = Entry(path: entry.path, node: entry.node, text: text)
  }

  /// All data sets, in order.
  var records: some Sequence<(path: NodePath, record: DatasetRecord)> {
    entries.lazy.compactMap { entry in
      if case .dataset(let record) = entry.node { (entry.path, record) } else { nil }
    }
  }
}
