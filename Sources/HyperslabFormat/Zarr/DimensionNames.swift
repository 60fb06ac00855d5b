import HyperslabCore

/// The name of every axis of every data set, as Zarr readers are told it.
///
/// xarray opens a group only where every axis has a name, and axes of one name have one length: in the
/// group, and in those above it where it opens them as a tree. So an axis without a name gets one of
/// its own, and a name that stands for several lengths is told with the length behind it.
///
/// Source: xarray's Zarr backend, and the checks of its `Dataset` and `DataTree`.
struct DimensionNames {
  private var names: [NodePath: [String]] = [:]
  /// The lengths that names stand for in the group come to, those above included.
  private var lengths: [String: Int] = [:]
  /// How many names that are made of one, each an underscore longer than the one before, are such.
  private var passed: [String: Int] = [:]
  /// The groups that it is in, each with what was so above it.
  private var open: [Group] = []

  private struct Group {
    let path: NodePath
    var lengths: [(name: String, length: Int?)] = []
    var passed: [(name: String, count: Int?)] = []
  }

  /// The names of a data set's axes.
  subscript(path: NodePath) -> [String]? { names[path] }

  init(of index: StoreIndex) {
    var members: [NodePath: [(path: NodePath, record: DatasetRecord)]] = [:]
    for (path, record) in index.nodes.records {
      members[path.parent ?? .root, default: []].append((path, record))
    }
    for group in members.keys.sorted() {
      while let last = open.last, !group.isDescendant(of: last.path) {
        for (name, length) in last.lengths.reversed() { lengths[name] = length }
        for (name, count) in last.passed.reversed() { passed[name] = count }
        open.removeLast()
      }
      open.append(Group(path: group))
      name(members[group] ?? [])
    }
    (lengths, passed, open) = ([:], [:], [])
  }

  private mutating func name(_ datasets: [(path: NodePath, record: DatasetRecord)]) {
    var ranks: [String: Int] = [:]
    var found: [String: Set<Int>] = [:]
    for (path, record) in datasets {
      ranks[path.name] = record.grid.rank
      for (name, length) in axes(record) {
        if let name { found[name, default: Set(lengths[name].map { [$0] } ?? [])].insert(length) }
      }
    }
    // A variable that is called like an axis has to be that axis's coordinates.
    let clear = Set(
      found.keys.filter { name in
        !name.isEmpty && found[name]?.count == 1 && (ranks[name] ?? 1) == 1
      })
    // With all that is told of groups above.
    var taken = Set(found.keys).union(ranks.keys)
    var told: [String: String] = [:]
    for (path, record) in datasets {
      names[path] = axes(record).enumerated().map { axis, given in
        if let name = given.name, clear.contains(name) {
          tell(name, given.length)
          return name
        }
        let base = given.name.map { "\($0)_\(given.length)" }
        if let base, let known = told[base] { return known }
        let name = freeName(base ?? "\(path.name)_\(axis)", &taken)
        if let base { told[base] = name }
        tell(name, given.length)
        return name
      }
    }
  }

  /// A name, with as many underscores behind it as make it one of its own. Deep down there may be many:
  /// those that groups above have are not gone through again.
  private mutating func freeName(_ base: String, _ taken: inout Set<String>) -> String {
    let known = passed[base] ?? 0
    var count = known
    var name = base + String(repeating: "_", count: count)
    var isBelow = true
    while true {
      if lengths[name] == nil {
        if taken.insert(name).inserted { break }
        isBelow = false
      } else if isBelow {
        count += 1
      }
      name += "_"
    }
    // It is told, too.
    if isBelow { count += 1 }
    if count > known {
      open[open.count - 1].passed.append((base, passed[base]))
      passed[base] = count
    }
    return name
  }

  private mutating func tell(_ name: String, _ length: Int) {
    let before = lengths.updateValue(length, forKey: name)
    if before != length { open[open.count - 1].lengths.append((name, before)) }
  }

  private func axes(_ record: DatasetRecord) -> [(name: String?, length: Int)] {
    let given = record.description.dimensionNames
    return record.description.shape.enumerated().map { axis, length in
      (given.flatMap { $0.indices.contains(axis) ? $0[axis] : nil }, length)
    }
  }
}
