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
  /// The lengths that names stand for in groups, those above included.
  private var lengths: [NodePath: [String: Int]] = [:]

  /// The names of a data set's axes.
  subscript(path: NodePath) -> [String]? { names[path] }

  init(of index: StoreIndex) {
    var members: [NodePath: [(path: NodePath, record: DatasetRecord)]] = [:]
    for (path, record) in index.datasets {
      members[path.parent ?? .root, default: []].append((path, record))
    }
    for group in members.keys.sorted() { name(members[group] ?? [], in: group) }
  }

  private mutating func name(
    _ datasets: [(path: NodePath, record: DatasetRecord)], in group: NodePath
  ) {
    let above = group.ancestors.last { lengths[$0] != nil }.flatMap { lengths[$0] } ?? [:]
    var ranks: [String: Int] = [:]
    var found: [String: Set<Int>] = above.mapValues { [$0] }
    for (path, record) in datasets {
      ranks[path.components.last ?? ""] = record.grid.rank
      for (name, length) in axes(record) {
        if let name { found[name, default: []].insert(length) }
      }
    }
    // A variable that is called like an axis has to be that axis's coordinates.
    let isClear = { (name: String) in
      !name.isEmpty && (found[name]?.count ?? 0) == 1 && (ranks[name] ?? 1) == 1
    }
    var taken = Set(found.keys).union(ranks.keys)
    var own = above
    var told: [String: String] = [:]
    for (path, record) in datasets {
      names[path] = axes(record).enumerated().map { axis, given in
        if let name = given.name, isClear(name) {
          own[name] = given.length
          return name
        }
        let base = given.name.map { "\($0)_\(given.length)" }
        if let base, let known = told[base] { return known }
        var name = base ?? "\(path.components.last ?? "")_\(axis)"
        while !taken.insert(name).inserted { name += "_" }
        if let base { told[base] = name }
        own[name] = given.length
        return name
      }
    }
    lengths[group] = own
  }

  private func axes(_ record: DatasetRecord) -> [(name: String?, length: Int)] {
    let given = record.description.dimensionNames
    return record.description.shape.enumerated().map { axis, length in
      (given.flatMap { $0.indices.contains(axis) ? $0[axis] : nil }, length)
    }
  }
}
