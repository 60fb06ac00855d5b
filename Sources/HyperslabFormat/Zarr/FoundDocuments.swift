import HyperslabCore

/// The `zarr.json` files as they are on the disk, held against what the index implies: what another
/// program wrote there is noticed, and never written over unless somebody says so.
struct FoundDocuments {
  /// What a node's file is. All but the first carry what it should be.
  enum State: Sendable {
    case same
    /// Not there, or without any bytes.
    case missing([UInt8])
    /// What this store's own programs wrote of an earlier commit, or in the middle of one.
    case outdated([UInt8])
    /// No JSON.
    case junk([UInt8])
    case foreign([UInt8])
    case unreadable(HyperslabError)
  }

  let files: any FileSystem
  let index: StoreIndex

  /// Nodes whose file may not be what it was when the index was written: it is newer, or gone. What a
  /// clock that was set back hides is found when that node changes.
  ///
  /// All nodes where a commit was not finished.
  func suspects() -> Set<NodePath> {
    let all = Set(index.nodes.keys)
    let claim = StoreLayout.claim(commit: index.commit)
    guard (try? files.status(claim)) == nil, let written = try? files.glance(StoreLayout.index)
    else { return all }
    return all.filter { path in
      guard let status = try? files.glance(StoreLayout.zarr(path)) else { return true }
      return status.kind != .file || status.byteCount == 0 || status.modified >= written.modified
    }
  }

  func states(of nodes: Set<NodePath>) -> [NodePath: State] {
    let wanted = ZarrMetadata.files(of: index, only: nodes)
    var open: [NodePath: (found: [UInt8], wanted: [UInt8])] = [:]
    var states: [NodePath: State] = [:]
    for (path, wanted) in wanted {
      do throws(HyperslabError) {
        let found = try files.contents(
          StoreLayout.zarr(path), limit: StoreIndex.maximumFileByteCount)
        if found == wanted {
          states[path] = .same
        } else if found.isEmpty {
          states[path] = .missing(wanted)
        } else {
          open[path] = (found, wanted)
        }
      } catch {
        states[path] = error.code == .missing ? .missing(wanted) : .unreadable(error)
      }
    }
    if open.isEmpty { return states }
    // Only now is it worth the while to derive what older indexes imply.
    let own = ownForms(of: Set(open.keys))
    for (path, (found, wanted)) in open {
      if own[path]?.contains(found) == true {
        states[path] = .outdated(wanted)
      } else if Self.isDocument(found) {
        states[path] = .foreign(wanted)
      } else {
        states[path] = .junk(wanted)
      }
    }
    return states
  }

  private static func isDocument(_ bytes: [UInt8]) -> Bool {
    (try? JSONParser.parse(bytes, depthLimit: StoreIndex.depthLimit))?.object != nil
  }

  /// All that this store's own programs may have written for nodes since the commit before last.
  private func ownForms(of nodes: Set<NodePath>) -> [NodePath: Set<[UInt8]>] {
    var forms: [NodePath: Set<[UInt8]>] = [:]
    for index in [index] + keptIndexes {
      for form in ZarrMetadata.Form.allCases {
        for (path, bytes) in ZarrMetadata.files(of: index, only: nodes, form: form) {
          forms[path, default: []].insert(bytes)
        }
      }
      for path in nodes {
        if case .group? = index.nodes[path], let node = index.nodes[path] {
          forms[path, default: []].insert(ZarrMetadata.plainFile(of: node))
        }
      }
    }
    for (path, record) in narrowed(nodes) {
      let bytes = ZarrMetadata.file(of: record, axes: DimensionNames(of: index)[path])
      forms[path, default: []].insert(bytes)
    }
    return forms
  }

  /// Data sets as they are told while they become shorter.
  private func narrowed(_ nodes: Set<NodePath>) -> [NodePath: DatasetRecord] {
    guard let before = keptIndexes.first else { return [:] }
    var result: [NodePath: DatasetRecord] = [:]
    for path in nodes {
      guard var record = index.dataset(path), let old = before.dataset(path), old.id == record.id
      else { continue }
      record.description.shape = Shape(
        zip(old.description.shape, record.description.shape).map { Swift.min($0, $1) })
      result[path] = record
    }
    return result
  }

  private var keptIndexes: [StoreIndex] {
    index.keptCommits.reversed().compactMap { commit in
      let path = StoreLayout.oldIndex(commit: commit)
      let bytes = try? files.contents(path, limit: StoreIndex.maximumFileByteCount)
      return bytes.flatMap { try? StoreIndex($0, place: "\(path)") }
    }
  }

  // MARK: - Refusing

  /// - Throws: `foreign`, naming the first node whose file another program changed.
  func refuseForeign(_ nodes: Set<NodePath>) throws(HyperslabError) {
    let states = states(of: nodes)
    for path in states.keys.sorted() {
      if case .foreign? = states[path] { throw Self.foreign(path, in: files) }
    }
  }

  /// Checks, before a commit, that the files of nodes that it changes are this store's own, and that
  /// there are none where it makes new nodes.
  ///
  /// - Throws: `foreign`, naming the node.
  func checkReplaceable(_ nodes: Set<NodePath>) throws(HyperslabError) {
    try refuseForeign(nodes.filter { index.nodes[$0] != nil })
    for path in nodes.sorted() where index.nodes[path] == nil {
      if try files.status(StoreLayout.zarr(path)) != nil { throw Self.foreign(path, in: files) }
    }
  }

  static func foreign(_ path: NodePath, in files: any FileSystem) -> HyperslabError {
    HyperslabError(
      .foreign, "another program wrote this file; it is not overwritten",
      at: StoreLayout.zarr(path).description(below: files.rootDescription),
      remedy: "slab adopt (SlabStore.adopt) takes in what it says; slab repair (SlabStore.repair) "
        + "puts it aside in __slab/lost")
  }
}
