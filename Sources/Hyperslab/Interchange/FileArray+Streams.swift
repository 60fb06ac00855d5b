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
    try readRuns(elements, of: box, into: memory)
    if type.byteOrder == .big {
      swapBytes(
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

  /// Reads some of a box's elements as the file has them, box and elements in the order of the file.
  func readRuns(
    _ elements: Range<Int>, of box: Selection, into memory: UnsafeMutableRawPointer
  ) throws(HyperslabError) {
    let source = fileLayout.slice(box)
    let runs = runs(of: source.shape)
    var target = memory
    var rest = elements
    while !rest.isEmpty {
      var (number, start) = rest.lowerBound.quotientAndRemainder(dividingBy: runs.length)
      let count = Swift.min(runs.length - start, rest.count)
      var offset = source.byteOffset + start * elementByteCount
      for axis in (0..<runs.axes).reversed() {
        offset += number % source.shape[axis] * source.byteStrides[axis]
        number /= source.shape[axis]
      }
      let part = UnsafeMutableRawBufferPointer(start: target, count: count * elementByteCount)
      try file.read(at: offset, into: part)
      target += part.count
      rest.removeFirst(count)
    }
  }
}
