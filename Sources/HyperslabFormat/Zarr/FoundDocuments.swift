import HyperslabCore

/// The `zarr.json` files as they are on the disk, held against what the index implies: what another
/// program wrote there is noticed, and never written over unless somebody says so.
struct FoundDocuments {
  /// What a node's file is. All but the first carry what it should be.
  enum State: Sendable {
    case same
    /// Not there, or without any bytes.
    case missing([UInt8])
    /// What this store's own programs wrote of an earlier commit, whichever, or in the middle of one.
    case outdated([UInt8])
    /// What they wrote of this very commit, without what it leaves open; that says nothing else.
    case plain([UInt8])
    /// No JSON.
    case junk([UInt8])
    case foreign([UInt8])
    case unreadable(HyperslabError)
  }

  let files: any FileSystem
  let index: StoreIndex
  let forms: DerivedForms
  let cache: RunCache
  /// Those of the commit that is being made, whose files follow.
  var successor: DerivedForms?
  /// What was found and may be replaced, by hashes.
  private var replaceable: [NodePath: Int] = [:]

  init(files: any FileSystem, snapshot: Snapshot) {
    self.files = files
    index = snapshot.index
    forms = snapshot.forms
    cache = snapshot.cache
  }

  /// Nodes whose file may not be what it was when the index was written: it is newer, or gone. What a
  /// clock that was set back hides is found when that node changes.
  ///
  /// All nodes where a commit was not finished, and where the index is from a time that is yet to come.
  func suspects() -> Set<NodePath> {
    let all = Set(index.nodes.keys)
    let claim = StoreLayout.claim(commit: index.commit)
    guard (try? files.status(claim)) == nil, let written = try? files.glance(StoreLayout.index),
      written.modified <= Timestamp.seconds()
    else { return all }
    return all.filter { path in
      guard let status = try? files.glance(StoreLayout.zarr(path)) else { return true }
      // One that was put back from a backup has its old time, but was put there later.
      let latest = Swift.max(status.modified, status.changed)
      return status.kind != .file || status.byteCount == 0 || latest >= written.modified
    }
  }

  /// - Parameter note: Told what each file holds.
  func states(
    of nodes: Set<NodePath>, noting note: (NodePath, [UInt8]) -> Void = { _, _ in }
  ) -> [NodePath: State] {
    let isWhole = nodes.count == index.nodes.count
    let wanted =
      isWhole ? forms.documents : ZarrMetadata.files(of: index, only: nodes)
    var open: [NodePath: (found: [UInt8], wanted: [UInt8])] = [:]
    var states: [NodePath: State] = [:]
    for (path, wanted) in wanted {
      do throws(HyperslabError) {
        let found = try files.contents(
          StoreLayout.zarr(path), limit: StoreIndex.maximumFileByteCount)
        note(path, found)
        if DocumentSeal.text(of: found) == DocumentSeal.text(of: wanted) {
          states[path] = .same
        } else if found.isEmpty {
          states[path] = .missing(wanted)
        } else if isSealed(found) {
          states[path] = .outdated(wanted)
        } else {
          open[path] = (found, wanted)
        }
      } catch {
        states[path] = error.code == .missing ? .missing(wanted) : .unreadable(error)
      }
    }
    if open.isEmpty { return states }
    // Only now is it worth the while to derive what older indexes imply.
    let nodes = Set(open.keys)
    let present = forms.forms(of: nodes)
    let own = ownForms(of: nodes)
    for (path, (found, wanted)) in open {
      let hash = DerivedForms.hash(found)
      if isWaiting(path) {
        states[path] = .outdated(wanted)
      } else if present[path]?.plain == hash {
        states[path] = .plain(wanted)
      } else if own[path]?.contains(hash) == true {
        states[path] = .outdated(wanted)
      } else if Self.isDocument(found) {
        states[path] = .foreign(wanted)
      } else {
        states[path] = .junk(wanted)
      }
    }
    return states
  }

  /// Whether a file is one that this store's own programs wrote, at whatever time.
  private func isSealed(_ bytes: [UInt8]) -> Bool {
    DocumentSeal.holds(bytes, store: index.uuid)
  }

  /// Whether what stands in a data set's place has yet to change places with it, and is described as it was.
  private func isWaiting(_ path: NodePath) -> Bool {
    guard let record = index.dataset(path), let writer = record.incoming else { return false }
    let mark = StoreLayout.incoming(writer: writer, dataset: record.id) / StoreLayout.arrivalMark
    return ((try? files.status(mark)) ?? nil) != nil
  }

  /// Whether a file that stood in a node's place is one of this store's own.
  func isOwn(_ bytes: [UInt8], _ path: NodePath) -> Bool {
    if bytes.isEmpty || isSealed(bytes) { return true }
    let hash = DerivedForms.hash(bytes)
    if replaceable[path] == hash { return true }
    if forms.forms(of: [path])[path]?.all.contains(hash) == true { return true }
    if successor?.forms(of: [path])[path]?.all.contains(hash) == true { return true }
    return ownForms(of: [path])[path]?.contains(hash) == true || !Self.isDocument(bytes)
  }

  /// Whether any program may read an object in a file. Others read more than JSON has: `NaN`, numbers of any
  /// length, UTF-16, and what this reader finds too deep.
  static func isDocument(_ bytes: [UInt8]) -> Bool {
    var (depth, isText, isEscaped) = (0, false, false)
    var isOver = false
    for byte in bytes where byte != 0 && byte < 0x80 {
      if isText {
        if !isEscaped, byte == UInt8(ascii: "\"") { isText = false }
        isEscaped = !isEscaped && byte == UInt8(ascii: "\\")
        continue
      }
      switch byte {
      case 0x20, 0x09, 0x0A, 0x0D: continue
      case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
      case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
      case UInt8(ascii: "\""): isText = true
      default: break
      }
      // It begins with a brace, and nothing follows the last one.
      if isOver || depth < 0 || depth == 0 && byte != UInt8(ascii: "}") { return false }
      isOver = depth == 0
    }
    return isOver
  }

  /// All that this store's own programs may have written for nodes since the commit before last, by
  /// hashes; for files without a seal, as older programs wrote them.
  private func ownForms(of nodes: Set<NodePath>) -> [NodePath: Set<Int>] {
    let kept = KeptIndex.all(before: index, files, cache)
    var own: [NodePath: Set<Int>] = [:]
    for forms in [forms] + kept.map(\.forms) {
      let known = forms.forms(of: nodes)
      for path in nodes { own[path, default: []].formUnion(known[path]?.all ?? []) }
    }
    let narrowed = kept.first.map { self.narrowed(nodes, $0.index) } ?? [:]
    let axes = narrowed.isEmpty ? nil : DimensionNames(of: index)
    for (path, record) in narrowed {
      let bytes = ZarrMetadata.file(of: record, axes: axes?[path], in: index)
      own[path, default: []].insert(DerivedForms.hash(bytes))
    }
    return own
  }

  /// Data sets as they are told while they become shorter.
  private func narrowed(
    _ nodes: Set<NodePath>, _ before: StoreIndex
  ) -> [NodePath: DatasetRecord] {
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
  /// - Parameters:
  ///   - described: Those of them that are told otherwise than before.
  ///   - next: The index to come: of a data set that it has from before, the directory must be there.
  /// - Throws: `foreign` or `missing`, naming the node.
  mutating func checkReplaceable(
    _ nodes: Set<NodePath>, described: Set<NodePath>, keeping next: StoreIndex
  ) throws(HyperslabError) {
    var found: [NodePath: Int] = [:]
    let states = states(of: nodes.filter { index.nodes[$0] != nil }) {
      found[$0] = DerivedForms.hash($1)
    }
    replaceable = found
    for path in states.keys.sorted() {
      switch states[path] {
      case .foreign: throw Self.foreign(path, in: files)
      // A link, or something else that is no file.
      case .unreadable(let error) where error.code == .foreign: throw error
      case .missing where described.contains(path):
        guard let id = index.dataset(path)?.id, id == next.dataset(path)?.id else { continue }
        guard try DerivedFiles.isMovedAway(path, index, files) else { continue }
        throw HyperslabError(
          .missing, "the data set's directory is gone with the chunks that it held",
          at: StoreLayout.node(path).description(below: files.rootDescription),
          remedy:
            "Move it back, or have slab repair (SlabStore.repair) look for its chunks and give up the rest"
        )
      default: break
      }
    }
    for path in nodes.sorted() where index.nodes[path] == nil {
      let place = StoreLayout.zarr(path)
      if try files.status(place) == nil { continue }
      let found = try? files.contents(place, limit: StoreIndex.maximumFileByteCount)
      if let found, isSealed(found) { throw Self.unlisted(path, in: files) }
      throw Self.foreign(path, in: files)
    }
  }

  private static func unlisted(_ path: NodePath, in files: any FileSystem) -> HyperslabError {
    HyperslabError(
      .foreign, "this store's own, of a node that it has no more, and somebody put it back",
      at: StoreLayout.zarr(path).description(below: files.rootDescription),
      remedy: "slab repair (SlabStore.repair) puts it aside in __slab/lost with what lies there; "
        + "slab adopt (SlabStore.adopt) takes all of it in")
  }

  static func foreign(_ path: NodePath, in files: any FileSystem) -> HyperslabError {
    HyperslabError(
      .foreign, "another program wrote this file; it is not overwritten",
      at: StoreLayout.zarr(path).description(below: files.rootDescription),
      remedy: "slab adopt (SlabStore.adopt) takes in what it says, or says why it cannot; slab "
        + "repair (SlabStore.repair) puts it aside in __slab/lost")
  }
}
