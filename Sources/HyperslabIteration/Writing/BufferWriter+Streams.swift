import HyperslabCore

/// Chunks that are encoded while they are read.
extension BufferWriter {
  /// The box that is read first, chunks of one group; nil where a buffer holds only a part of some chunk,
  /// or where the data set has to be given memory.
  func streamedBox(of buffers: some Collection<Selection>, at origin: [Int]?) -> Selection? {
    func placed(_ buffer: Selection) -> Selection { origin.map(buffer.moved(by:)) ?? buffer }
    guard let first = buffers.first.map(placed), let groups = groups(of: first), groups.count > 0,
      buffers.allSatisfy({ holdsWholeChunks(placed($0)) })
    else { return nil }
    return box(of: Array(groups[0]))
  }

  private func holdsWholeChunks(_ selection: Selection) -> Bool {
    let grid = dataset.grid
    return selection.bounds.indices.allSatisfy { axis in
      let (range, length) = (selection.bounds[axis], grid.chunkShape[axis])
      return range.lowerBound % length == 0
        && (range.upperBound % length == 0 || range.upperBound == grid.arrayShape[axis])
    }
  }

  private func groups(of selection: Selection) -> ChunkGroups? {
    let grid = dataset.grid
    guard let streamed = dataset as? any StreamedDataset,
      let row = Checked.multiply(grid.chunkShape.last ?? 1, dataset.description.dataType.byteCount)
    else { return nil }
    return ChunkGroups(
      grid.chunks(touching: selection), rowByteCount: row, threads: threads,
      mostStreamed: streamed.mostStreamedTogether)
  }

  /// Shows the data set what is to come.
  func prepare(_ stream: ElementStream) throws(HyperslabError) {
    try (dataset as? any StreamedDataset)?.prepare(sample: stream)
  }

  /// Writes every chunk that the selection holds, all of them whole.
  ///
  /// - Parameters:
  ///   - selection: What of the array the stream holds.
  ///   - onlyMissing: Whether chunks that were written before are left alone.
  /// - Throws: `source_changed`, also where that is noticed only when a chunk has been read.
  func write(
    _ selection: Selection, from stream: ElementStream, onlyMissing: Bool
  ) throws(HyperslabError) {
    guard let target = dataset as? any StreamedDataset, let groups = groups(of: selection) else {
      throw HyperslabError(.unsupported, "a data set that has to be given memory")
    }
    try parallelLoop(
      count: groups.count, threads: threads, makeWorker: {},
      body: { (_, number) throws(HyperslabError) in
        try checkCancelled(cancellation, at: dataset.path)
        let chunks = onlyMissing ? try missing(in: groups[number]) : Array(groups[number])
        for neighbours in try runs(of: chunks) {
          let box = box(of: neighbours)
          try target.writeChunks(neighbours, from: stream.part(box, in: selection))
          try stream.source.checkUnchanged()
          meter.add(written: byteCount(of: box))
        }
      })
  }

  private func box(of chunks: [ChunkIndex]) -> Selection {
    guard let first = chunks.first, let last = chunks.last else { return Selection([]) }
    return dataset.grid.box(from: first, to: last)
  }

  /// Chunks in groups without gaps along the last axis.
  private func runs(
    of chunks: [ChunkIndex]
  ) throws(HyperslabError) -> [[ChunkIndex]] {
    var runs: [[ChunkIndex]] = []
    var next: Int?
    for chunk in chunks {
      let number = try dataset.grid.number(of: chunk)
      if number == next { runs[runs.count - 1].append(chunk) } else { runs.append([chunk]) }
      next = number + 1
    }
    return runs
  }
}
