import HyperslabCodecs
import HyperslabCore

/// Finds an index where `slab.json` is lost. Changes nothing.
///
/// The newest sound index that was kept is the base. What the lost one had besides is told by the
/// runs of later commits, each of which names its data set, and by the derived `zarr.json` files. A
/// run of a commit that was cut short before its index was published counts, too: its chunks are all
/// there, placed or staged, so that this finishes the commit. With no kept index left, all is told
/// by runs and `zarr.json` files.
struct IndexSalvage {
  let files: any FileSystem
  let cache: RunCache
  let failure: HyperslabError

  func run() throws(HyperslabError) -> Repairer.FoundIndex {
    guard try files.status(StoreLayout.reserved)?.kind == .directory else { throw failure }
    let (kept, numbers) = try keptIndexes()
    let runs = try FoundRun.all(in: files)
    let tree = try ZarrTree(files: files, runs: Set(runs.map(\.path)))
    // Numbers for data sets that no run numbers, apart from all that are taken.
    let unused = (runs.map(\.dataset).max() ?? -1) + 1
    var found: Repairer.FoundIndex
    if let base = kept.first?.index {
      guard base.isWritable else { throw failure }
      found = Repairer.FoundIndex(
        index: base, nextCommit: 0, isRebuilt: true,
        origin: "taken from __slab/root-\(base.commit)")
      found.index.nextUnused = Swift.max(base.nextUnused, unused)
      // Derived from an index that is kept, it knows nothing newer.
      let isNewer =
        tree.isWhole
        && !kept.contains { known in
          let forms = known.forms.forms(of: [.root])[.root]
          return tree.rootBytes.map { forms?.all.contains(DerivedForms.hash($0)) == true } ?? false
        }
      if isNewer { try follow(tree, &found.index) }
      let later = runs.filter { $0.store == base.uuid && $0.reference.commit > base.commit }
      if !later.isEmpty { found.origin += " and the tables of later commits" }
      try lay(later, tree, over: &found)
    } else {
      // The last commit's run names the store; others may have strayed in.
      guard let uuid = runs.last?.store else { throw failure }
      let root = tree.attributes(ofGroup: .root) ?? [:]
      found = Repairer.FoundIndex(
        index: StoreIndex(
          uuid: uuid, commit: 0, time: "", writer: "", state: "complete",
          nodes: [.root: .group(attributes: root, extensions: [:])]),
        nextCommit: 0, isRebuilt: true,
        origin:
          "rebuilt from chunk tables and zarr.json files, which do not tell how far data sets may grow"
      )
      found.index.nextUnused = unused
      try follow(tree, &found.index)
      try lay(runs.filter { $0.store == uuid }, tree, over: &found)
    }
    let seen = numbers + runs.map(\.reference.commit) + [found.index.commit]
    found.nextCommit = (seen.max() ?? 0) + 2
    return found
  }

  /// The sound ones of the kept indexes, newest first, and the numbers of all.
  private func keptIndexes() throws(HyperslabError) -> ([KnownIndex], [Int]) {
    var sound: [KnownIndex] = []
    var numbers: [Int] = []
    for entry in try files.list(StoreLayout.reserved) where entry.name.hasPrefix("root-") {
      if let number = Int(entry.name.dropFirst(5)), (0..<1 << 50).contains(number) {
        numbers.append(number)
      }
      let path = StoreLayout.reserved / entry.name
      let bytes: [UInt8]
      do { bytes = try files.contents(path, limit: StoreIndex.maximumFileByteCount) } catch {
        guard error.isDamage else { throw error }
        continue
      }
      let known =
        (try? KeptIndex.check(bytes, path, cache))
        ?? Correction.ofIndex(bytes).flatMap { try? KeptIndex.check($0.bytes, path, cache) }
      if let known { sound.append(known) }
    }
    return (sound.sorted { $0.index.commit > $1.index.commit }, numbers)
  }

  /// Takes nodes, shapes and attributes from the derived files.
  private func follow(_ tree: ZarrTree, _ index: inout StoreIndex) throws(HyperslabError) {
    // What a group holds comes right behind it.
    var next: NodePath?
    for path in index.nodes.keys.reversed() {
      let isEmpty = next?.isDescendant(of: path) != true
      if path != .root, !tree.listed.contains(path), isEmpty, try isGone(path) {
        index.nodes[path] = nil
      } else {
        next = path
      }
    }
    for path in tree.nodes.keys.sorted() {
      if let attributes = tree.attributes(ofGroup: path) {
        if case .dataset = index.nodes[path] { continue }
        var extensions = JSONObject()
        if case .group(_, let known) = index.nodes[path] { extensions = known }
        index.nodes[path] = .group(attributes: attributes, extensions: extensions)
        continue
      }
      guard let told = tree.record(path) else { continue }
      if var record = index.dataset(path) {
        guard record.description.chunkShape == told.description.chunkShape,
          record.description.dataType == told.description.dataType,
          record.description.compression.delta == told.description.compression.delta,
          zip(told.description.shape, record.description.maximumShape).allSatisfy({ pair in
            pair.1.map { pair.0 <= $0 } ?? true
          })
        else { continue }
        record.description.shape = told.description.shape
        record.grid = told.grid
        record.filter = record.filter ?? (record.storedChunks > 0 ? told.filter : nil)
        record.description.attributes = tree.attributes(of: path, unit: record.description)
        index.nodes[path] = .dataset(record)
      } else {
        // A data set that no run speaks of was never written to.
        var record = told
        record.id = index.nextID
        if !record.usesDelta { record.filter = nil }
        index.nextUnused = record.id + 1
        addGroups(above: path, tree, &index)
        index.nodes[path] = .dataset(record)
      }
    }
  }

  private func isGone(_ path: NodePath) throws(HyperslabError) -> Bool {
    do throws(HyperslabError) {
      if try files.status(StoreLayout.zarr(path)) != nil { return false }
      return try files.status(StoreLayout.chunks(path)) == nil
    } catch {
      guard error.isDamage else { throw error }
      return false
    }
  }

  private func addGroups(above path: NodePath, _ tree: ZarrTree, _ index: inout StoreIndex) {
    for ancestor in path.ancestors where index.nodes[ancestor] == nil {
      index.nodes[ancestor] = .group(
        attributes: tree.attributes(ofGroup: ancestor) ?? [:], extensions: [:])
    }
  }

  /// Hands the runs to the data sets that they name, which are made where there are none.
  private func lay(
    _ runs: [FoundRun], _ tree: ZarrTree, over found: inout Repairer.FoundIndex
  ) throws(HyperslabError) {
    let base = found.index.datasets.map { (path: $0.path, id: $0.record.id) }
    for (id, mine) in Dictionary(grouping: runs, by: \.dataset).sorted(by: { $0.key < $1.key }) {
      guard let newest = mine.last else { continue }
      let path: NodePath
      if let known = base.first(where: { $0.id == id && isCommitted($0.path, found.index) })?.path {
        path = known
      } else {
        path = newest.path
        guard var record = tree.record(path) else { continue }
        record.id = id
        try takeBlocks(path, &record)
        addGroups(above: path, tree, &found.index)
        found.index.nodes[path] = .dataset(record)
      }
      guard var record = found.index.dataset(path) else { continue }
      let fitting = mine.filter {
        $0.reference.numbering.gridShape.rank == record.grid.rank
      }
      if record.filter == nil, let filter = tree.record(path)?.filter {
        record.filter = filter
        try takeBlocks(path, &record)
      }
      found.index.nodes[path] = .dataset(record)
      found.later[path] = fitting.map(\.reference)
      found.index.commit = Swift.max(found.index.commit, newest.reference.commit)
    }
  }

  /// Whether a data set's number is the store's own, and not one that was made up here.
  private func isCommitted(_ path: NodePath, _ index: StoreIndex) -> Bool {
    index.dataset(path).map { $0.commit > 0 } ?? false
  }

  /// Takes from chunk files what `zarr.json` does not tell of their blocks.
  private func takeBlocks(_ path: NodePath, _ record: inout DatasetRecord) throws(HyperslabError) {
    record.blockByteCount = try blockByteCount(path, record)
    // Files without repeats are as sound with it.
    record.repeatsFill = true
  }

  /// The block size that chunk files have; only files with several blocks tell it.
  private func blockByteCount(
    _ path: NodePath, _ record: DatasetRecord
  ) throws(HyperslabError) -> Int {
    guard let examiner = try ChunkExaminer(files: files, path: path, record: record) else {
      return record.blockByteCount
    }
    for chunk in try examiner.inventory() {
      let header: [UInt8]
      do throws(HyperslabError) {
        let memory = ElementBuffer(byteCount: 16)
        let bytes = unsafe UnsafeMutableRawBufferPointer(start: memory.pointer, count: 16)
        let file = try files.open(StoreLayout.chunk(path, chunk))
        guard try unsafe file.read(at: 0, into: bytes) == 16 else { continue }
        header = unsafe Array(bytes)
      } catch {
        guard error.isDamage else { throw error }
        continue
      }
      let size = (0..<4).reduce(0) { $0 | Int(header[8 + $1]) << (8 * $1) }
      guard header[0] == 2, header[3] == UInt8(record.description.dataType.byteCount) else {
        continue
      }
      let whole = Checked.product(record.grid.chunkShape.axes + [Int(header[3])]) ?? 0
      let unit = 8 * Int(header[3])
      let atLeast = size < whole ? size : (size + unit - 1) / unit * unit
      let block =
        size < whole ? size : Swift.max(atLeast, record.blockByteCount)
      if FrameFormat.blockByteCounts.contains(block) { return block }
    }
    return record.blockByteCount
  }
}
