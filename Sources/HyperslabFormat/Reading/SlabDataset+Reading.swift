import HyperslabCodecs
public import HyperslabCore

extension SlabDataset {
  /// What is known of a chunk, uncommitted writes of this session included.
  public func state(of chunk: ChunkIndex) throws(HyperslabError) -> ChunkState {
    try checkChunk(chunk)
    return try consistently { (view) throws(HyperslabError) in
      try locate(chunk, in: view).row.state
    }
  }

  /// Calls `body` with every chunk that was written, in C order, and its state: as many as the chunk table
  /// has rows, however many the grid has.
  ///
  /// - Throws: `table` where that is damaged; what `body` throws.
  public func forEachWrittenChunk(
    _ body: (ChunkIndex, ChunkState) throws(HyperslabError) -> Void
  ) throws(HyperslabError) {
    var states: [(chunk: ChunkIndex, state: ChunkState)] = []
    try consistently { (view) throws(HyperslabError) in
      states = []
      guard let record = committed(in: view) else { return }
      try view.snapshot.table(record).forEachRow { chunk, row in
        if row.state != .neverWritten { states.append((chunk, row.state)) }
      }
    }
    // What this session did since comes on top.
    if let slot, let changes = store.changes {
      let chunks = Set(states.map(\.chunk)).union(changes.writtenChunks(slot: slot))
      states = []
      for chunk in chunks.sorted(by: {
        $0.coordinates.lexicographicallyPrecedes($1.coordinates)
      }) where grid.contains(chunk) {
        let state = try state(of: chunk)
        if state != .neverWritten { states.append((chunk, state)) }
      }
    }
    for (chunk, state) in states where grid.contains(chunk) { try body(chunk, state) }
  }

  /// Reads part of one chunk; a chunk that is not stored gives the fill value.
  ///
  /// - Throws: `missing`, `torn`, `checksum`, `swapped`, `foreign`, `table` naming the file.
  public func readChunk(
    _ chunk: ChunkIndex, region: StridedSelection, into bytes: inout MutableRawSpan,
    layout: StridedLayout
  ) throws(HyperslabError) {
    try checkChunkRead(chunk, region: region, byteCount: bytes.byteCount, layout: layout)
    if region.isEmpty { return }
    try unsafe bytes.withUnsafeMutableBytes { (memory) throws(HyperslabError) in
      guard let base = memory.baseAddress else { return }
      try consistently { (view) throws(HyperslabError) in
        try unsafe read(locate(chunk, in: view), copy(of: region, layout), into: base)
      }
    }
  }

  /// Reads any region, chunks in parallel, all from one commit: on a mismatch with a newer commit
  /// the whole read starts again from that.
  public func read(
    _ region: StridedSelection, into bytes: inout MutableRawSpan, layout: StridedLayout,
    missing: MissingChunks
  ) throws(HyperslabError) {
    try checkRead(region, byteCount: bytes.byteCount, layout: layout)
    if region.isEmpty { return }
    let chunks = grid.chunks(touching: region.boundingBox)
    try unsafe bytes.withUnsafeMutableBytes { (memory) throws(HyperslabError) in
      guard let output = unsafe DisjointMemory(memory) else { return }
      try consistently { (view) throws(HyperslabError) in
        if chunks.count <= Self.mostChunksTogether {
          try readTogether(chunks[...], of: region, layout, missing, in: view, into: output)
        } else if try hasShortRows(chunks, of: region, layout) {
          try readInBatches(chunks, of: region, layout, missing, in: view, into: output)
        } else {
          try readInRuns(chunks, of: region, layout, missing, in: view, into: output)
        }
      }
    }
  }

  /// Looks for the file of every stored chunk, by its length.
  public func checkStored(in region: Selection) throws(HyperslabError) {
    try consistently { (view) throws(HyperslabError) in
      for chunk in grid.chunks(touching: region) {
        let located = try locate(chunk, in: view)
        guard located.row.state == .stored else { continue }
        var found: FileStatus?
        for place in located.paths where found?.byteCount != located.row.byteCount {
          found = try store.files.status(place) ?? found
        }
        // What is behind a link is looked at by who follows it.
        if found?.kind == .other || found?.byteCount == located.row.byteCount { continue }
        throw HyperslabError(
          found == nil ? .missing : .torn,
          found == nil
            ? "the file of a chunk that was written is gone"
            : "another file stands where a chunk was written",
          at: place, chunk: chunk, expected: "\(located.row.byteCount) bytes",
          found: found.map { "\($0.byteCount) bytes" } ?? "nothing",
          remedy: found == nil
            ? "slab repair (SlabStore.repair) gives up what is gone; a write that resumes then writes it again"
            : "slab adopt (SlabStore.adopt) takes in what another program wrote; slab repair "
              + "(SlabStore.repair) gives up what is damaged")
      }
    }
  }

  /// How a region of a chunk is copied out to memory.
  func copy(of region: StridedSelection, _ layout: StridedLayout) -> ChunkCopy {
    ChunkCopy(
      chunkShape: grid.chunkShape, region: region, layout: layout,
      elementByteCount: description.dataType.byteCount)
  }

  /// Runs a read against one commit, and again against a newer one if files changed underneath.
  private func consistently<R>(
    _ body: (StoreView) throws(HyperslabError) -> R
  ) throws(HyperslabError) -> R {
    if store.isInTransaction, let slot { store.changes?.noteSeen(slot: slot) }
    var attempts = 0
    while attempts < 5 {
      let view = newView
      do throws(HyperslabError) {
        try checkStillThere(view)
        return try body(view)
      } catch {
        guard Self.mayBeOutdated.contains(error.code) else { throw error }
        // A commit moves what was staged; then the view is another.
        if newView.isSame(as: view) {
          // Whoever made the commit may have shown it by now.
          if try !moveOn(from: view.snapshot), newView.isSame(as: view) { throw error }
          attempts += 1
        }
      }
    }
    throw HyperslabError(
      .busy, "writers committed faster than the read could finish", at: place,
      remedy: "Try again, or read less at a time")
  }

  private static let mayBeOutdated: Set<HyperslabError.Code> = [
    .missing, .torn, .checksum, .swapped, .foreign, .damagedTable, .busy,
  ]

  /// Whether there is a newer commit to read from; a pinned reader must not.
  private func moveOn(from snapshot: Snapshot) throws(HyperslabError) -> Bool {
    guard store.isPinned else { return try store.refresh() }
    let newest = try Snapshot.read(store.files, cache: store.cache).index
    if newest.commit == snapshot.index.commit, newest.uuid == snapshot.index.uuid { return false }
    throw HyperslabError(
      .snapshotChanged, "a later commit overwrote what was to be read", at: place,
      expected: "commit \(snapshot.index.commit)", found: "commit \(newest.commit)",
      remedy: "Open the store again")
  }

  /// Growing does no harm to a handle; all it speaks of is still there.
  private func checkStillThere(_ view: StoreView) throws(HyperslabError) {
    var shape = grid.arrayShape
    if let id = id(in: view) {
      guard let record = view.snapshot.index.dataset(path), record.id == id else {
        throw HyperslabError(
          .snapshotChanged, "the data set was replaced or removed since it was opened", at: place,
          remedy: "Open it again")
      }
      shape = record.description.shape
    }
    if let slot, let own = store.changes?.shape(slot: slot) { shape = own }
    guard zip(shape, grid.arrayShape).allSatisfy({ $0 >= $1 }) else {
      throw HyperslabError(
        .snapshotChanged, "the data set shrank since it was opened", at: place,
        expected: "\(grid.arrayShape)", found: "\(shape)", remedy: "Open it again")
    }
  }

  private func locate(
    _ chunk: ChunkIndex, in view: StoreView
  ) throws(HyperslabError) -> LocatedChunk {
    if let slot, let changes = store.changes,
      let staged = try changes.staged(slot: slot, chunk: chunk, epoch: view.epoch)
    {
      // A commit on another thread may be moving it to its final name.
      let paths = staged.paths + [StoreLayout.chunk(path, chunk)]
      return LocatedChunk(index: chunk, row: staged.row, paths: paths)
    }
    guard let record = committed(in: view) else {
      return LocatedChunk(index: chunk, row: .neverWritten)
    }
    let row = try view.snapshot.table(record).row(chunk)
    var located = LocatedChunk(index: chunk, row: row)
    guard row.state == .stored else { return located }
    located.paths = record.places(of: chunk, at: path)
    return located
  }

  /// Finds a chunk for a read that may refuse what nobody wrote.
  func locate(
    _ chunk: ChunkIndex, in view: StoreView, _ missing: MissingChunks
  ) throws(HyperslabError) -> LocatedChunk {
    let located = try locate(chunk, in: view)
    if located.row.state == .neverWritten, missing == .refuse { throw neverWritten(chunk) }
    return located
  }

  /// Reads what a region needs of one chunk from wherever its file is by now.
  func read(
    _ chunk: LocatedChunk, _ copy: ChunkCopy, into base: UnsafeMutableRawPointer
  ) throws(HyperslabError) {
    guard chunk.row.state == .stored else {
      return unsafe copy.fill(with: description.fillValue, into: base)
    }
    try withReader(chunk.index) { (reader) throws(HyperslabError) in
      var failure: HyperslabError?
      for path in chunk.paths {
        do throws(HyperslabError) {
          return try inPlace(path, chunk.index) { () throws(HyperslabError) in
            let file = try reader.open(path, in: store.files, row: chunk.row)
            try unsafe reader.read(file, copy: copy, into: base)
          }
        } catch {
          // A staged file may have moved to its final name; the last place decides.
          failure = error
        }
      }
      if let failure { throw failure }
    }
  }

  private static let damage: Set<HyperslabError.Code> = [.torn, .checksum, .swapped, .missing]

  /// Errors of `body` name a chunk's file.
  func inPlace<R>(
    _ file: StorePath, _ chunk: ChunkIndex, _ body: () throws(HyperslabError) -> R
  ) throws(HyperslabError) -> R {
    do { return try body() } catch {
      let error = error.located(at: "\(store.path)/\(file)", chunk: chunk)
      guard Self.damage.contains(error.code) else { throw error }
      throw error.remedied(
        "SlabStore.verify (slab verify) tells what is damaged, repair what can be saved")
    }
  }

  /// Lends a reader of this data set's chunks.
  func withReader<R>(
    _ chunk: ChunkIndex, _ body: (ChunkReader) throws(HyperslabError) -> R
  ) throws(HyperslabError) -> R {
    guard let format = try format() else {
      throw HyperslabError(.damagedIndex, "stored chunks but no filter", at: place, chunk: chunk)
    }
    return try readers.withItem(
      make: { () throws(HyperslabError) in try ChunkReader(format: format) }, body)
  }
}
