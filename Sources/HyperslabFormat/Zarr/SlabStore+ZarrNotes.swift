public import HyperslabCore

extension SlabStore {
  /// Why something of the last commit, which stands, could not be brought to its place, so that Zarr readers
  /// still see what was before; by node, mostly none. The next commit, and whoever opens the store next for
  /// writing, tries again.
  public var unsettled: [NodePath: HyperslabError] { session?.stuck.withLock { $0 } ?? [:] }

  /// What was moved to `__slab/lost` since this store was opened for writing, as paths in the store: what
  /// another program wrote where something of the store goes. Mostly nothing.
  public var setAside: [String] {
    guard let session else { return [] }
    return files.lostNames().subtracting(session.lostBefore).sorted().map {
      "\(StoreLayout.lost / $0)"
    }
  }

  /// What Zarr readers see otherwise than a reader of the store, or not at all, of a committed data set; a
  /// line each, mostly none.
  public func zarrNotes(of path: NodePath) -> [String] {
    let index = snapshot.index
    guard let record = index.dataset(path) else { return [] }
    var notes: [String] = []
    if record.usesDelta {
      notes.append(
        "other tools refuse this data set, and leave it out when they list its group (delta)")
    }
    let names = DimensionNames(of: index)[path] ?? []
    if let given = record.description.dimensionNames,
      zip(given, names).contains(where: { $0 != nil && $0 != $1 })
    {
      notes.append(
        "axes are called \(names.joined(separator: ", ")): a name has one length in a group")
    }
    if let fill = record.description.attributes[ZarrAttributes.fillValue] {
      switch ZarrAttributes.told(fill, of: record.description.dataType) {
      case nil:
        notes.append(
          "_FillValue is left out: it is no \(record.description.dataType), and xarray would refuse the group"
        )
      case fill?: break
      case let told?: notes.append("_FillValue is told as \(told.text()), which xarray reads")
      }
    }
    if let unit = record.description.unit, record.description.attributes["units"] == nil {
      let told = ZarrAttributes.told(unit: unit)
      if !told.hasSameBytes(as: unit) {
        notes.append("units is told as \"\(told)\", as xarray names units of time")
      }
    }
    if record.missingChunks > 0 {
      notes.append("chunks that nobody wrote read as the fill value")
    }
    return notes
  }
}

extension DatasetRecord {
  fileprivate var missingChunks: Int { grid.chunkCount - storedChunks - fillChunks }
}
