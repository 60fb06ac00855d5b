import HyperslabCodecs
import HyperslabCore
import Synchronization

extension SlabDataset {
  /// Up to so many chunks are open at once and their blocks shared among threads. Where there are more,
  /// a thread has a chunk to itself, unless their rows are short.
  static let mostChunksTogether = 64
  /// Fewer than this are opened one after the other: waking a thread takes longer.
  private static let leastOpenedInParallel = 4

  /// As many of chunks read one after the other, so that threads end together.
  private static let leastRunsPerThread = 8

  /// Smaller chunks leave what they write in the cache for the next.
  private static let leastChunkByteCountSideBySide = 1 << 20

  /// Whether many large chunks have short rows of the result each.
  func hasShortRows(
    _ chunks: ChunkRange, of region: StridedSelection, _ layout: StridedLayout
  ) throws(HyperslabError) -> Bool {
    guard let format = try format(), format.chunkByteCount >= Self.leastChunkByteCountSideBySide,
      let chunk = chunks.first
    else { return false }
    let part = ChunkPart(chunk, of: region, in: grid)
    return copy(of: part.region, layout.part(part.target)).hasShortRows
  }

  /// How many chunks are read together: whole rows of those beside each other along the last axis,
  /// where there are not too many of them.
  private func batchCount(of chunks: ChunkRange) -> Int {
    let beside = chunks.bounds.last?.count ?? 1
    return beside <= Self.mostChunksTogether
      ? Self.mostChunksTogether / beside * beside : Self.mostChunksTogether
  }

  /// Reads a region's part of many chunks, as many at a time as are open together.
  func readInBatches(
    _ chunks: ChunkRange, of region: StridedSelection, _ layout: StridedLayout,
    _ missing: MissingChunks, in view: StoreView, into output: DisjointMemory
  ) throws(HyperslabError) {
    let step = batchCount(of: chunks)
    var start = 0
    while start < chunks.count {
      let batch = chunks[start..<start + Swift.min(step, chunks.count - start)]
      try readTogether(batch, of: region, layout, missing, in: view, into: output)
      start += batch.count
    }
  }

  /// How many chunks beside each other along the last axis a thread reads one after the other. They share
  /// lines of the cache, which two threads would take from each other again and again.
  private func runCount(of chunks: ChunkRange, threads: Int) -> Int {
    let most = chunks.count / (Self.leastRunsPerThread * threads)
    return Swift.max(1, Swift.min(most, Self.mostChunksTogether, chunks.bounds.last?.count ?? 1))
  }

  /// Reads a region's part of many chunks, one after the other on each thread; those with short rows are
  /// decoded first, some beside each other, and placed together.
  func readInRuns(
    _ chunks: ChunkRange, of region: StridedSelection, _ layout: StridedLayout,
    _ missing: MissingChunks, in view: StoreView, into output: DisjointMemory
  ) throws(HyperslabError) {
    let threads = Machine.processorCount
    let shelved = try format().map { BlockShelf.blockCount($0) / $0.blockCount } ?? 0
    let most = runCount(of: chunks, threads: threads)
    let isShelved = most > 1 && shelved > 1
    let step = isShelved ? Swift.min(most, shelved) : most
    try parallelLoop(
      count: chunks.count.dividedRoundingUp(by: step), threads: threads, makeWorker: {}
    ) { (_, run) throws(HyperslabError) in
      let run = chunks[run * step..<Swift.min((run + 1) * step, chunks.count)]
      if isShelved {
        try readShelved(run, of: region, layout, missing, in: view, into: output)
      } else {
        for chunk in run {
          guard let (chunk, copy) = try locatedPart(chunk, of: region, layout, missing, in: view)
          else { continue }
          try unsafe read(chunk, copy, into: output.base)
        }
      }
    }
  }

  /// Reads a region's part of some chunks, of which a shelf takes all blocks.
  private func readShelved(
    _ chunks: Slice<ChunkRange>, of region: StridedSelection, _ layout: StridedLayout,
    _ missing: MissingChunks, in view: StoreView, into output: DisjointMemory
  ) throws(HyperslabError) {
    guard let first = chunks.first else { return }
    try withReader(first) { (reader) throws(HyperslabError) in
      defer { reader.clearShelf() }
      for chunk in chunks {
        guard let (chunk, copy) = try locatedPart(chunk, of: region, layout, missing, in: view)
        else { continue }
        guard copy.hasShortRows, copy.planeByteCount >= CacheLine.byteCount,
          let path = chunk.onlyPath
        else {
          try unsafe read(chunk, copy, into: output.base)
          continue
        }
        try inPlace(path, chunk.index) { () throws(HyperslabError) in
          let file = try reader.open(path, in: store.files, row: chunk.row)
          try reader.shelve(file, copy: copy)
        }
      }
      reader.placeShelved(into: output)
    }
  }

  /// Where a chunk is, and what to copy of it; nil where the region touches none of its elements.
  private func locatedPart(
    _ chunk: ChunkIndex, of region: StridedSelection, _ layout: StridedLayout,
    _ missing: MissingChunks, in view: StoreView
  ) throws(HyperslabError) -> (LocatedChunk, ChunkCopy)? {
    let part = ChunkPart(chunk, of: region, in: grid)
    if part.region.isEmpty { return nil }
    return (
      try locate(chunk, in: view, missing), copy(of: part.region, layout.part(part.target))
    )
  }

  /// Reads a region's part of some chunks, all of them open at once.
  func readTogether(
    _ chunks: Slice<ChunkRange>, of region: StridedSelection, _ layout: StridedLayout,
    _ missing: MissingChunks, in view: StoreView, into output: DisjointMemory
  ) throws(HyperslabError) {
    let threads = Machine.processorCount
    let plan = Mutex(ReadPlan(format: try format(), maximumThreads: threads))
    try parallelLoop(
      count: chunks.count, threads: chunks.count < Self.leastOpenedInParallel ? 1 : threads,
      makeWorker: {}
    ) { (_, position) throws(HyperslabError) in
      let chunk = chunks[chunks.startIndex + position]
      guard let (located, copy) = try locatedPart(chunk, of: region, layout, missing, in: view)
      else { return }
      guard let path = located.onlyPath else {
        return plan.withLock { $0.add(located, copy) }
      }
      let file = try withReader(chunk) { (reader) throws(HyperslabError) in
        try inPlace(path, chunk) { () throws(HyperslabError) in
          try reader.open(path, in: store.files, row: located.row)
        }
      }
      plan.withLock { $0.add(file, copy, chunk) }
    }
    let work = plan.withLock { $0 }
    let runs = work.runs(into: output)
    try parallelLoop(count: runs.count, threads: work.threads, makeWorker: {}) {
      (_, run) throws(HyperslabError) in
      for share in runs[run] { try read(share, of: work, into: output) }
    }
  }

  private func read(
    _ share: ReadPlan.Share, of plan: ReadPlan, into output: DisjointMemory
  ) throws(HyperslabError) {
    switch share {
    case .chunk(let chunk, let copy): try unsafe read(chunk, copy, into: output.base)
    case .blocks(let piece):
      let part = plan.parts[piece.part]
      try withReader(part.index) { (reader) throws(HyperslabError) in
        try inPlace(part.file.path, part.index) { () throws(HyperslabError) in
          try unsafe reader.read(piece.blocks, of: part.file, copy: part.copy, into: output.base)
          if plan.ends(piece) { try part.file.checkTrailer() }
        }
      }
    case .sideBySide(let pieces):
      guard let first = pieces.first else { return }
      try withReader(plan.parts[first.part].index) { (reader) throws(HyperslabError) in
        defer { reader.clearShelf() }
        for piece in pieces {
          let part = plan.parts[piece.part]
          try inPlace(part.file.path, part.index) { () throws(HyperslabError) in
            try reader.shelve(piece.blocks.lowerBound, of: part.file, copy: part.copy)
            if plan.ends(piece) { try part.file.checkTrailer() }
          }
        }
        reader.placeShelved(into: output)
      }
    }
  }
}
