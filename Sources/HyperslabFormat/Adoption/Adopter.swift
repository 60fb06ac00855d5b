import HyperslabCodecs
import HyperslabCore

/// Takes in what another program wrote into a store: attributes, longer arrays, chunks, groups and
/// arrays. All of it becomes one commit. What is not understood stays where it is, and is named.
struct Adopter {
  let store: SlabStore
  let changes: ChangeSet
  private var session: WriterSession { changes.session }
  var report = AdoptionReport()
  /// Whether what was taken in is part of the store for good.
  private(set) var isCommitted = false
  private var adopted: Set<NodePath> = []
  /// How many nodes there are with those that were taken in.
  private var nodeCount = 0
  /// Nodes that an earlier commit removed or replaced, and whose directories still stand there: they are the
  /// store's own.
  private var waiting: [NodePath: HyperslabError] = [:]
  private let allowance = ForeignChunks.Allowance()

  private var files: any FileSystem { store.files }

  init(store: SlabStore) throws(HyperslabError) {
    self.store = store
    changes = try store.writing()
  }

  mutating func run() throws(HyperslabError) {
    // What they are just writing would be taken for another program's.
    try files.refuseLivingWriters(but: session.writer)
    let snapshot = store.snapshot
    let index = snapshot.index
    report.commitBefore = index.commit
    nodeCount = index.nodes.count
    waiting = session.stuck.withLock { $0 }.filter {
      index.nodes[$0.key] == nil || index.dataset($0.key)?.incoming != nil
    }
    for (path, error) in waiting.sorted(by: { $0.key < $1.key }) {
      leave(
        Self.name(path),
        "it was removed or replaced, and what was there cannot be moved (\(error.what)): make its "
          + "directories writable")
    }
    let states = FoundDocuments(files: files, snapshot: snapshot)
      .states(of: Set(index.nodes.keys))
    for path in index.nodes.keys where waiting[path] == nil {
      switch states[path] {
      case .foreign: try takeChanges(path, index)
      case .unreadable(let error):
        leave(Self.name(path), "its metadata cannot be read: \(error.what)")
      default: break
      }
    }
    for path in index.nodes.keys {
      if case .group? = index.nodes[path] { try takeNew(in: path, index) }
    }
    for path in index.nodes.keys where index.dataset(path) != nil {
      let isLeft = report.left.contains { $0.path == "\(path)" }
      if !isLeft { try takeChunks(of: path) }
    }
    try checkNewest(index)
    forgetLeft()
    session.adopting.withLock { $0 = adopted }
    // The root's document says what the others do.
    if !adopted.isEmpty, case .foreign? = states[.root] {
      session.adopting.withLock { _ = $0.insert(.root) }
    }
    try store.commit()
    isCommitted = true
    session.adopting.withLock { $0 = [] }
    try describe(states)
    try store.close()
    report.commitAfter = store.commitNumber
    try nameLost()
    try nameRest()
  }

  /// What is gone or not sound may be of a commit that has moved on.
  private func checkNewest(_ index: StoreIndex) throws(HyperslabError) {
    let now = try Snapshot.read(files, cache: store.cache).index
    guard now.commit == index.commit, now.uuid == index.uuid else {
      throw HyperslabError(
        .conflict, "other writers commit while the store is looked through",
        at: files.rootDescription, remedy: "Adopt when they are done")
    }
  }

  /// What a node that is left says was not taken in: where it has to make way, it is kept.
  private func forgetLeft() {
    let paths = report.left.filter { $0.chunk == nil }.map(\.path)
    session.taken.withLock { taken in
      for path in paths {
        guard let node = path == "/" ? .root : try? NodePath(path) else { continue }
        taken.remove(StoreLayout.zarr(node))
      }
    }
  }

  /// Names what stood where something of the store's own goes, unless it has been taken in.
  private mutating func nameLost() throws(HyperslabError) {
    let known = Set(report.taken.compactMap { $0.attributes?.kept })
    let taken = session.taken.withLock { $0.digests }
    for name in store.setAside where !known.contains(name) {
      let place = StorePath(name)
      if try files.status(place)?.kind == .file, let digest = try FileDigest.of(place, in: files),
        taken.contains(digest)
      {
        try files.remove(place)
      } else {
        leave(
          name, "what another program wrote where something of the store goes, and is kept here")
      }
    }
  }

  /// Names what else is not the store's, so that nothing is passed over that ``SlabStore/verify`` tells of.
  private mutating func nameRest() throws(HyperslabError) {
    // Beside writers who commit all the time, nobody can tell.
    for _ in 0..<5 {
      let look = try Look(files, quick: true, cache: store.cache)
      var walk = StoreWalk(look, node: .root)
      walk.run()
      if try Snapshot.read(files, cache: store.cache).index.commit == look.index.commit {
        return name(walk)
      }
    }
  }

  private mutating func name(_ walk: StoreWalk) {
    let named = Set(report.left.map { StorePath($0.path) })
    for finding in walk.found.flatMap(\.findings) {
      guard case .problem(let problem) = finding, problem.kind == .foreign else { continue }
      let place = StorePath(problem.path)
      let isNamed = ([place] + place.ancestors).contains { !$0.isRoot && named.contains($0) }
      if isNamed { continue }
      let isNode = place.name == "zarr.json" || walk.look.hasDocument(place)
      leave(
        problem.path,
        isNode
          ? "a node where a store has none: in a data set, or in a directory that is no group. Move it "
            + "elsewhere" : problem.detail)
    }
  }

  private static func name(_ path: NodePath) -> String { path == .root ? "/" : "\(path)" }

  private static let oddity =
    "neither a file nor a directory. Put what a link leads to in its place (git annex unlock), or move it "
    + "elsewhere"

  /// Writes the documents of nodes anew of which nothing had to be committed.
  private func describe(
    _ states: [NodePath: FoundDocuments.State]
  ) throws(HyperslabError) {
    let nodes = adopted.filter { if case .foreign? = states[$0] { true } else { false } }
    if nodes.isEmpty { return }
    let lock = try StoreLock(files: files, patience: session.patience).acquire(
      writer: session.writer)
    defer { lock.release() }
    let snapshot = try Snapshot.read(files, cache: store.cache)
    let index = snapshot.index
    var derived = DerivedFiles(
      files: files, durability: .full, known: FoundDocuments(files: files, snapshot: snapshot))
    derived.taken = session.taken.withLock { $0 }
    try derived.write(nodes.filter { index.nodes[$0] != nil }, of: index)
  }

  private mutating func take(_ path: String, _ what: String, chunk: ChunkIndex? = nil) {
    report.taken.append(.init(path: path, chunk: chunk, detail: what))
  }

  private mutating func leave(_ path: String, _ why: String, chunk: ChunkIndex? = nil) {
    // A reason may have as much text in it as the metadata that it is about.
    let end = why.utf8.count > 400 ? "…" : ""
    let short = String(decoding: why.utf8.prefix(400), as: UTF8.self)
    report.left.append(.init(path: path, chunk: chunk, detail: short + end))
  }

  /// A node's document; nil where it is left, since it cannot be read.
  private mutating func document(_ path: NodePath) throws(HyperslabError) -> JSONObject? {
    let bytes: [UInt8]
    do {
      bytes = try files.contents(StoreLayout.zarr(path), limit: StoreIndex.maximumFileByteCount)
    } catch {
      if error.isDamage { return nil }
      throw error
    }
    session.taken.withLock { $0.insert(StoreLayout.zarr(path), holding: bytes) }
    do throws(HyperslabError) {
      return try JSONParser.parse(bytes, depthLimit: StoreIndex.depthLimit).object ?? [:]
    } catch {
      leave(
        Self.name(path),
        "its metadata cannot be read (\(error.what)): have it written without that, and adopt again"
      )
      return nil
    }
  }

  // MARK: - Nodes that there are

  private mutating func takeChanges(_ path: NodePath, _ index: StoreIndex) throws(HyperslabError) {
    guard let document = try document(path) else { return }
    let name = Self.name(path)
    if let reason = Self.reasonToLeave(document) { return leave(name, reason) }
    switch index.nodes[path] {
    case .group(let attributes, _):
      guard document["node_type"]?.string == "group" else {
        return leave(name, "an array stands where the store has a group")
      }
      if let reason = Self.unknownMember(ofGroup: document) { return leave(name, reason) }
      guard try takeAttributes(document, told: attributes, of: attributes, path, name) else {
        return
      }
    case .dataset(let record):
      guard document["node_type"]?.string == "array" else {
        return leave(name, "a group stands where the store has a data set")
      }
      let array: ForeignArray
      do throws(ForeignArray.Refusal) { array = try ForeignArray(document) } catch {
        return leave(name, "it has \(error.reason)")
      }
      if let reason = Self.difference(array, record) { return leave(name, reason) }
      if let told = DimensionNames(of: index)[path],
        let found = array.description.dimensionNames, found != told.map(Optional.some)
      {
        let names = told.map { "\"\($0)\"" }.joined(separator: ", ")
        return leave(
          name, "other names of its axes. Put back \(names), or have slab repair put the file aside"
        )
      }
      let told = ZarrAttributes.of(record.description)
      guard
        try takeAttributes(
          document, told: told, of: record.description.attributes, path, name)
      else { return }
      try takeShape(array.description.shape, path, record, name)
    case nil: return
    }
    adopted.insert(path)
  }

  /// What is not as it must be in any document, and would be lost.
  private static func reasonToLeave(_ document: JSONObject) -> String? {
    if document["zarr_format"]?.integer != 3 { return "no Zarr metadata of format 3" }
    for name in ["attributes", "consolidated_metadata"] {
      guard let value = document[name], value.object == nil, value != .null else { continue }
      return "the member \"\(name)\" of its metadata, which is no object"
    }
    return nil
  }

  /// What a group's document says that would be lost.
  private static func unknownMember(ofGroup document: JSONObject) -> String? {
    let known: Set = ["zarr_format", "node_type", "attributes", "consolidated_metadata"]
    let unknown = document.keys.first { !known.contains($0) }
    return unknown.map { "the member \"\($0)\" of its metadata" }
  }

  /// What an array must not differ in from the data set that it was.
  private static func difference(_ array: ForeignArray, _ record: DatasetRecord) -> String? {
    let (new, old) = (array.description, record.description)
    if record.usesDelta {
      return "its chunks are differences, which only this store's own tools write"
    }
    if new.shape.rank != old.shape.rank || new.chunkShape != old.chunkShape {
      return "another chunk shape"
    }
    if new.dataType != old.dataType { return "another data type" }
    if new.fillValue != old.fillValue { return "another fill value" }
    if !array.chain.hasChecksum || array.chain.blosc == nil { return "other codecs" }
    if zip(new.shape, old.shape).contains(where: { $0 < $1 }) { return "it was made shorter" }
    return nil
  }

  /// Another program writes all attributes at once, as it read them some time ago: what was set since is
  /// not among them. So what is lost by that is named, and kept.
  ///
  /// - Parameter own: What the node has; `told` is what Zarr readers see of it.
  /// - Returns: false where they are left, with all that the document says.
  private mutating func takeAttributes(
    _ document: JSONObject, told: JSONObject, of own: JSONObject, _ path: NodePath, _ name: String
  ) throws(HyperslabError) -> Bool {
    let found = document["attributes"]?.object ?? [:]
    if found == told { return true }
    let changes = found.changes(from: told)
    let names = Set(own.keys.map { JSONName($0) })
    var taken = AdoptionReport.AttributeChanges()
    for (name, value) in changes.sorted(by: { $0.key.text.precedesBytewise($1.key.text) }) {
      let key = name.text
      switch (value, names.contains(name)) {
      case (_?, false): taken.set.append(key)
      case (_?, true): taken.changed.append(key)
      case (nil, true): taken.removed.append(key)
      // A unit, which is told among them, is none.
      case (nil, false): break
      }
    }
    do { try store.setAttributes(changes, of: path) } catch {
      guard [.limit, .invalidValue].contains(error.code) else { throw error }
      leave(name, error.what)
      return false
    }
    if !taken.changed.isEmpty || !taken.removed.isEmpty {
      let text = JSONValue.object(own).bytes(pretty: true) + [UInt8(ascii: "\n")]
      let lost = LostFiles(files: files, commit: report.commitBefore)
      let place = (path.components + ["attributes.json"]).joined(separator: ".")
      taken.kept = try lost.keep(text, named: place).description
    }
    report.taken.append(
      .init(path: name, chunk: nil, detail: "its attributes: \(taken)", attributes: taken))
    return true
  }

  private mutating func takeShape(
    _ shape: Shape, _ path: NodePath, _ record: DatasetRecord, _ name: String
  ) throws(HyperslabError) {
    if shape == record.description.shape { return }
    var grown = record
    grown.description.shape = shape
    grown.description.raiseMaximum()
    grown.grid = try grown.description.validated()
    let slot = changes.slot(of: path, id: record.id)
    let grid = grown.grid
    let unneeded = try changes.withState {
      (state) throws(HyperslabError) -> [Changes.StagedChunk] in
      try state.resize(slot: slot, path: path, opened: record, to: grid)
    }
    changes.remove(unneeded)
    take(name, "its shape, \(shape) after \(record.description.shape)")
    try takeChunks(
      of: path, SlabDataset(store: store, path: path, record: grown, isNew: false), before: record)
  }

  // MARK: - New nodes

  private mutating func takeNew(
    in group: NodePath, _ index: StoreIndex
  ) throws(HyperslabError) {
    let directory = StoreLayout.node(group)
    guard try files.status(directory)?.kind == .directory else { return }
    for entry in try files.list(directory).sorted(by: { $0.name < $1.name })
    where entry.kind == .directory {
      let place = directory / entry.name
      if place == StoreLayout.reserved { continue }
      let path = try? NodePath("\(place)")
      if let path, waiting[path] != nil { continue }
      if let path, let own = index.nodes.spelling(of: path), place == StoreLayout.node(own) {
        continue
      }
      if try files.status(place / StoreLayout.index.name) != nil {
        leave("\(place)", "a store of its own. Move it elsewhere")
        continue
      }
      guard try files.status(place / "zarr.json") != nil else {
        let isOld = try files.list(place).contains { [".zarray", ".zgroup"].contains($0.name) }
        if isOld { leave("\(place)", "Zarr format 2") }
        continue
      }
      guard let path else {
        leave("\(place)", "a name that no node of a store can have")
        continue
      }
      try takeNode(path, index)
    }
  }

  private mutating func takeNode(_ path: NodePath, _ index: StoreIndex) throws(HyperslabError) {
    guard nodeCount < StoreLimits.nodeCount else {
      return leave(
        "\(path)", "one node more than the \(StoreLimits.nodeCount) that a store can hold")
    }
    guard let document = try document(path) else { return }
    if let reason = Self.reasonToLeave(document) { return leave("\(path)", reason) }
    do throws(HyperslabError) {
      if document["node_type"]?.string == "group" {
        if let reason = Self.unknownMember(ofGroup: document) { return leave("\(path)", reason) }
        try store.createGroup(path, attributes: document["attributes"]?.object ?? [:])
        adopted.insert(path)
        nodeCount += 1
        take("\(path)", "the group")
        return try takeNew(in: path, index)
      }
      let array: ForeignArray
      do throws(ForeignArray.Refusal) { array = try ForeignArray(document) } catch {
        return leave("\(path)", "it has \(error.reason)")
      }
      // All of its chunks, or nothing of it.
      let chunks = ForeignChunks(
        files: files, path: path, description: array.description,
        grid: try array.description.validated(), chain: array.chain, allowance: allowance)
      let found = try chunks.inventory()
      if let odd = found.odd.first { return leave("\(path)", "\(odd) is \(Self.oddity)") }
      for chunk in found.chunks where try chunks.contents(of: chunk) == nil {
        return leave("\(path)", "its chunk \(chunk) is not what its codecs make")
      }
      let dataset = try store.createDataset(path, array.description)
      adopted.insert(path)
      nodeCount += 1
      for chunk in found.chunks {
        guard let contents = try chunks.contents(of: chunk) else { continue }
        try write(contents, chunk, to: dataset)
      }
      take("\(path)", "the array, \(found.chunks.count) chunks")
    } catch {
      guard
        [.invalidName, .limit, .alreadyExists, .invalidShape, .invalidValue].contains(error.code)
      else { throw error }
      leave("\(path)", error.what)
    }
  }

  // MARK: - Chunks

  private mutating func takeChunks(of path: NodePath) throws(HyperslabError) {
    guard waiting[path] == nil, let record = store.snapshot.index.dataset(path),
      changes.shape(slot: changes.slot(of: path, id: record.id)) == nil
    else { return }
    try takeChunks(of: path, try store.dataset(path), before: record)
  }

  /// Takes chunk files that are not those of the index.
  private mutating func takeChunks(
    of path: NodePath, _ dataset: SlabDataset, before record: DatasetRecord
  ) throws(HyperslabError) {
    if record.usesDelta { return }
    let table = store.snapshot.table(record)
    let chunks = ForeignChunks(
      files: files, path: path, description: dataset.description, grid: dataset.grid,
      chain: ForeignArray.Chain(blosc: record.filter ?? Filter.none, hasChecksum: true),
      allowance: allowance)
    let found = try chunks.inventory()
    for odd in found.odd { leave("\(odd)", Self.oddity) }
    if found.odd.isEmpty { try leaveMissing(found.chunks, of: path, record, table) }
    for chunk in found.chunks {
      if try isOwn(chunk, path, record), try !isPutBack(chunk, record, table) { continue }
      let place = "\(StoreLayout.chunk(path, chunk))"
      guard let contents = try chunks.contents(of: chunk) else {
        leave(place, "not what the codecs make", chunk: chunk)
        continue
      }
      if chunks.reachesBeyond(contents, chunk) {
        leave(
          place,
          "it has values beyond the array's shape, \(dataset.grid.arrayShape), which taking it would lose: "
            + "put back the zarr.json that says more, which slab repair may have put into "
            + "\(StoreLayout.lost)",
          chunk: chunk)
        continue
      }
      try write(contents, chunk, to: dataset)
      take("\(path)", "a chunk", chunk: chunk)
    }
  }

  /// Names stored chunks whose files are gone. A program that deleted them meant something, but so does a
  /// lost file.
  private mutating func leaveMissing(
    _ found: [ChunkIndex], of path: NodePath, _ record: DatasetRecord, _ table: ChunkTable
  ) throws(HyperslabError) {
    guard record.storedChunks > 0, record.pending == nil, record.incoming == nil else { return }
    let found = Set(found)
    var missing: [ChunkIndex] = []
    try table.forEachRow { chunk, row in
      if row.state == .stored, !found.contains(chunk) { missing.append(chunk) }
    }
    guard let first = missing.first else { return }
    leave(
      "\(path)",
      "the file of a stored chunk is gone, \(missing.count) in all: Zarr tools remove what they delete, and "
        + "chunks that hold nothing but the fill value; slab repair takes them for never written",
      chunk: first)
  }

  /// Whether a chunk's file is the one that its row lists, or another of this store's own.
  private func isOwn(
    _ chunk: ChunkIndex, _ path: NodePath, _ record: DatasetRecord
  ) throws(HyperslabError) -> Bool {
    guard let filter = record.filter else { return false }
    let format = try record.frameFormat(filter: filter)
    return try Verifier.soundHeader(StoreLayout.chunk(path, chunk), files, format) != nil
  }

  /// Whether a chunk of this store's own can only have been put back where it was given up.
  private func isPutBack(
    _ chunk: ChunkIndex, _ record: DatasetRecord, _ table: ChunkTable
  ) throws(HyperslabError) -> Bool {
    guard record.pending == nil, record.grid.contains(chunk) else { return false }
    return try table.row(chunk).state == .neverWritten
  }

  private func write(
    _ contents: ForeignChunks.Contents, _ chunk: ChunkIndex, to dataset: SlabDataset
  ) throws(HyperslabError) {
    let place = StoreLayout.chunk(dataset.path, chunk)
    session.taken.withLock { $0.insert(place, holding: contents.file) }
    let shape = dataset.grid.chunkShape
    let size = dataset.description.dataType.byteCount
    guard let whole = StridedLayout.rowMajor(shape, elementByteCount: size) else { return }
    let layout = whole.part(Selection(all: dataset.grid.validShape(of: chunk)))
    let result = unsafe contents.elements.withUnsafeBytes {
      memory -> Result<Void, HyperslabError> in
      do throws(HyperslabError) {
        return unsafe .success(try dataset.writeChunk(chunk, from: memory.bytes, layout: layout))
      } catch { return .failure(error) }
    }
    try result.get()
  }
}

extension DatasetDescription {
  /// Lets each axis be as long as it is.
  mutating func raiseMaximum() {
    maximumShape = zip(maximumShape, shape).map { limit, length in
      limit.map { $0 < length ? nil : $0 } ?? nil
    }
  }
}
