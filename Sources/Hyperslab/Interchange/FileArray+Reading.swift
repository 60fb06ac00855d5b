import HyperslabCore

/// Getting boxes out of a file. Boxes have their axes in the order of the file, the slowest first, unless
/// they are called selections.
extension FileArray {
  /// What one call reads; more is divided, so that several threads copy.
  private static let pieceByteCount = 4 << 20
  /// Memory that a thread reads into where elements have to be picked out or transposed.
  private static let stagedByteCount = 2 << 20
  /// Copying needs no more, and each may have memory of its own.
  private static var threads: Int { Swift.min(Machine.processorCount, 4) }

  /// Reads what lies in one piece in the file.
  func readWhole(
    at offset: Int, into target: UnsafeMutableRawBufferPointer
  ) throws(HyperslabError) {
    guard let base = target.baseAddress else { return }
    let (output, count) = unsafe (DisjointMemory(base: base), target.count)
    try parallelLoop(
      count: count.dividedRoundingUp(by: Self.pieceByteCount), threads: Self.threads,
      makeWorker: {}
    ) { (_, number) throws(HyperslabError) in
      let start = number * Self.pieceByteCount
      let part = unsafe UnsafeMutableRawBufferPointer(
        start: output.base + start, count: Swift.min(Self.pieceByteCount, count - start))
      try unsafe file.read(at: offset + start, into: part)
    }
  }

  /// Reads a box into memory of its size, in the order of the file.
  func readPacked(
    _ box: Selection, into target: UnsafeMutableRawBufferPointer
  ) throws(HyperslabError) {
    guard let base = target.baseAddress, !box.isEmpty else { return }
    let source = fileLayout.part(box)
    let run = runs(of: box.shape).length * elementByteCount
    if run == target.count { return try unsafe readWhole(at: source.byteOffset, into: target) }
    let gap = source.byteRange(elementByteCount: elementByteCount).map { span in
      (span.count - target.count) / Swift.max(1, target.count / run - 1)
    }
    let output = unsafe DisjointMemory(base: base)
    if run >= Self.leastRunByteCount || gap ?? .max > Self.mostGapByteCount {
      let count = target.count / elementByteCount
      let together = Self.pieceByteCount / elementByteCount
      return try parallelLoop(
        count: count.dividedRoundingUp(by: together), threads: Self.threads, makeWorker: {}
      ) { (_, number) throws(HyperslabError) in
        let start = number * together
        try unsafe readRuns(
          start..<Swift.min(start + together, count), of: box,
          into: output.base + start * elementByteCount)
      }
    }
    let parts = pieces(of: Selection(all: box.shape)) { part in
      span(of: part, in: source) <= Self.stagedByteCount
    }
    try parallelLoop(count: parts.count, threads: Self.threads, makeWorker: { Staging() }) {
      (staging, number) throws(HyperslabError) in
      try unsafe pickOut(parts[number], of: source, staging, into: output.base)
    }
  }

  /// Reads a selection into memory of its size in C order, from a file of the other order.
  func readTransposed(
    _ selection: Selection, into target: UnsafeMutableRawBufferPointer
  ) throws(HyperslabError) {
    guard let base = target.baseAddress else { return }
    let whole = inFileOrder(selection)
    let parts = pieces(of: Selection(all: whole.shape)) { part in
      part.shape.reduce(elementByteCount, *) <= Self.stagedByteCount
    }
    let output = unsafe DisjointMemory(base: base)
    try parallelLoop(count: parts.count, threads: Self.threads, makeWorker: { Staging() }) {
      (staging, number) throws(HyperslabError) in
      let part = parts[number]
      let box = Selection(
        zip(part.bounds, whole.origin).map { $0.lowerBound + $1..<$0.upperBound + $1 })
      let memory = try unsafe staging.memory(part.shape.reduce(elementByteCount, *))
      try unsafe readPacked(box, into: memory)
      let region = inFileOrder(part)
      guard let from = UnsafeRawPointer(memory.baseAddress),
        let layout = StridedLayout.columnMajor(region.shape, elementByteCount: elementByteCount)
      else { return }
      let copy = ChunkCopy(
        chunkShape: selection.shape, region: StridedSelection(region), layout: layout,
        elementByteCount: elementByteCount)
      unsafe copy.gather(0..<copy.elementCount, from: from, into: output.base)
    }
  }

  /// Memory of one thread, used again for each of its pieces.
  private final class Staging {
    private var buffer = ElementBuffer(byteCount: 0)

    func memory(_ byteCount: Int) throws(HyperslabError) -> UnsafeMutableRawBufferPointer {
      if buffer.byteCount < byteCount { buffer = try ElementBuffer(allocating: byteCount) }
      return unsafe UnsafeMutableRawBufferPointer(start: buffer.pointer, count: byteCount)
    }
  }

  private func span(of part: Selection, in source: StridedLayout) -> Int {
    source.part(part).byteRange(elementByteCount: elementByteCount)?.count ?? .max
  }

  /// Halves a box along its slowest axis until its parts are small enough.
  private func pieces(of box: Selection, until isSmall: (Selection) -> Bool) -> [Selection] {
    guard !isSmall(box), let slowest = box.bounds.firstIndex(where: { $0.count > 1 }) else {
      return [box]
    }
    let range = box.bounds[slowest]
    let middle = range.lowerBound + range.count / 2
    return [range.lowerBound..<middle, middle..<range.upperBound].flatMap { half in
      var bounds = box.bounds
      bounds[slowest] = half
      return pieces(of: Selection(bounds), until: isSmall)
    }
  }

  /// Reads all that a part of a box spans, and picks its elements out.
  private func pickOut(
    _ part: Selection, of source: StridedLayout, _ staging: Staging,
    into base: UnsafeMutableRawPointer
  ) throws(HyperslabError) {
    let from = source.part(part)
    guard let span = from.byteRange(elementByteCount: elementByteCount) else { return }
    let memory = try unsafe staging.memory(span.count)
    try unsafe file.read(at: span.lowerBound, into: memory)
    guard let start = UnsafeRawPointer(memory.baseAddress) else { return }
    let copy = ChunkCopy(
      chunkShape: source.shape, region: StridedSelection(part),
      layout: StridedLayout(shape: from.shape, byteStrides: from.byteStrides),
      elementByteCount: elementByteCount)
    unsafe copy.gather(0..<copy.elementCount, from: start, into: base)
  }
}
