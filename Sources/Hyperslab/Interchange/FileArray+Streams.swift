import HyperslabCore

/// Reading boxes in their C order, run by run.
extension FileArray: StreamSource {
  /// Whether boxes of a shape lie in the file in C order, in runs of at least so many bytes.
  func isRead(inRunsOf byteCount: Int, boxesOf shape: Shape) -> Bool {
    (!isFortranOrder || shape.rank < 2) && runs(of: shape).length * elementByteCount >= byteCount
  }

  func read(
    _ elements: Range<Int>, of box: Selection, into memory: UnsafeMutableRawPointer
  ) throws(HyperslabError) {
    try unsafe readRuns(elements, of: box, into: memory)
    if type.byteOrder == .big {
      unsafe swapBytes(
        UnsafeMutableRawBufferPointer(start: memory, count: elements.count * elementByteCount),
        width: type.dataType.componentByteCount)
    }
  }

  func checkUnchanged() throws(HyperslabError) { try file.checkUnchanged() }

  /// The elements of a box that follow each other in the file without a gap, and how many axes tell these
  /// runs apart. All in the order of the file.
  func runs(of box: Shape) -> (length: Int, axes: Int) {
    var length = 1
    for axis in box.indices.reversed() {
      length *= box[axis]
      if box[axis] != fileLayout.shape[axis] { return (length, axis) }
    }
    return (length, 0)
  }

  /// From here on a call a run costs less than reading what lies between.
  static let leastRunByteCount = 2048
  static let mostGapByteCount = 1 << 14
  /// What is read at once with the gaps in it.
  private static let spannedByteCount = 1 << 16

  /// Reads some of a box's elements as the file has them, box and elements in the order of the file.
  func readRuns(
    _ elements: Range<Int>, of box: Selection, into memory: UnsafeMutableRawPointer
  ) throws(HyperslabError) {
    let source = fileLayout.part(box)
    let runs = runs(of: source.shape)
    let run = runs.length * elementByteCount
    // Runs along the last of the axes that tell them apart lie so far from each other.
    let step = runs.axes > 0 ? source.byteStrides[runs.axes - 1] : run
    let together =
      run < Self.leastRunByteCount && step - run <= Self.mostGapByteCount
      ? Swift.max(1, (Self.spannedByteCount - run) / step + 1) : 1
    var target = unsafe memory
    var rest = elements
    while !rest.isEmpty {
      let (first, start) = rest.lowerBound.quotientAndRemainder(dividingBy: runs.length)
      var number = first
      var offset = source.byteOffset + start * elementByteCount
      var following = 1
      for axis in (0..<runs.axes).reversed() {
        let position = number % source.shape[axis]
        if axis == runs.axes - 1 { following = source.shape[axis] - position }
        offset += position * source.byteStrides[axis]
        number /= source.shape[axis]
      }
      let whole = Swift.min(following, together, rest.count / runs.length)
      let count =
        start == 0 && whole > 1 ? whole * runs.length : Swift.min(runs.length - start, rest.count)
      let part = unsafe UnsafeMutableRawBufferPointer(
        start: target, count: count * elementByteCount)
      if count > runs.length {
        try unsafe readSpan(at: offset, runs: whole, of: run, step: step, into: part)
      } else {
        try unsafe file.read(at: offset, into: part)
      }
      unsafe target += part.count
      rest.removeFirst(count)
    }
  }

  /// Reads runs with what lies between, and keeps the runs.
  private func readSpan(
    at offset: Int, runs count: Int, of run: Int, step: Int,
    into target: UnsafeMutableRawBufferPointer
  ) throws(HyperslabError) {
    let layout = StridedLayout(shape: [count, run], byteStrides: [step, 1])
    let copy = ChunkCopy(
      chunkShape: layout.shape, region: StridedSelection(Selection(all: layout.shape)),
      layout: layout, elementByteCount: 1)
    // Temporary memory of Swift's ends the process where there is none.
    let span = try ElementBuffer(allocating: (count - 1) * step + run)
    try unsafe file.read(
      at: offset, into: UnsafeMutableRawBufferPointer(start: span.pointer, count: span.byteCount))
    if let to = target.baseAddress {
      unsafe copy.gather(0..<count * run, from: UnsafeRawPointer(span.pointer), into: to)
    }
  }
}
