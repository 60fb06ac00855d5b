import HyperslabCore
import HyperslabIteration

/// An array in a mapped file: the machinery of `NpyFile` and `RawFile`.
struct MappedArray: Sendable {
  let file: MappedFile
  let shape: Shape
  let type: NumPyType
  /// Where every element lies in the file.
  let layout: StridedLayout
  let isFortranOrder: Bool
  /// A gigabyte unless set: what buffers are by HDMF's rule.
  var residentByteLimit = 1_000_000_000

  /// Bytes of file that a copy touches before it gives their pages back.
  private static let pieceByteCount = 16 << 20

  /// Places an array in a file.
  ///
  /// - Throws: `invalid_array_file` unless the file ends exactly where the array does.
  init(
    file: MappedFile, shape: Shape, type: NumPyType, byteOffset: Int, isFortranOrder: Bool = false
  ) throws(HyperslabError) {
    let size = type.dataType.byteCount
    guard
      let plain = isFortranOrder
        ? StridedLayout.columnMajor(shape, elementByteCount: size)
        : StridedLayout.rowMajor(shape, elementByteCount: size),
      let count = shape.elementCount, let byteCount = Checked.multiply(count, size),
      let end = Checked.add(byteOffset, byteCount)
    else {
      throw HyperslabError(
        .overflow, "an array of shape \(shape) and type \(type.dataType)", at: file.place,
        expected: "less than 64 bits of bytes")
    }
    guard end == file.memory.count else {
      let isShort = file.memory.count < end
      throw HyperslabError(
        .invalidArrayFile,
        isShort ? "the file ends inside the array" : "bytes follow the array", at: file.place,
        expected: "\(end) bytes (\(byteOffset) + \(byteCount) for \(shape) of \(type.dataType))",
        found: "\(file.memory.count)",
        remedy: isShort
          ? "Copy the file again, or give the shape it really has"
          : "Cut them off, or give a shape that counts them; nothing is left out silently")
    }
    self.file = file
    self.shape = shape
    self.type = type
    self.isFortranOrder = isFortranOrder
    layout = StridedLayout(shape: shape, byteOffset: byteOffset, byteStrides: plain.byteStrides)
  }

  private var elementByteCount: Int { type.dataType.byteCount }

  private func check(_ selection: Selection) throws(HyperslabError) {
    guard Selection(all: shape).contains(selection) else {
      throw HyperslabError(
        .outOfBounds, "the selection \(selection) of an array of shape \(shape)", at: file.place)
    }
    try file.checkUnchanged()
  }

  func withBytes<R>(
    of selection: Selection, _ body: (RawSpan, StridedLayout) throws -> R
  ) throws -> R? {
    try check(selection)
    let part = layout.slice(selection)
    guard type.byteOrder == .little, let span = part.byteRange(elementByteCount: elementByteCount),
      span.count <= residentByteLimit
    else { return nil }
    let memory = file.memory
    let result = Result { try body(memory.bytes, part) }
    file.release(span)
    try file.checkUnchanged()
    return try result.get()
  }

  func read(_ selection: Selection, into buffer: inout OutputRawSpan) throws(HyperslabError) {
    try check(selection)
    guard let count = selection.shape.elementCount,
      let byteCount = Checked.multiply(count, elementByteCount), byteCount <= buffer.freeCapacity
    else {
      throw HyperslabError(
        .sizeMismatch, "memory for the selection \(selection)", at: file.place,
        found: "\(buffer.freeCapacity) bytes")
    }
    if byteCount == 0 { return }
    try buffer.withUnsafeMutableBytes { (memory, initialized) throws(HyperslabError) in
      let target = UnsafeMutableRawBufferPointer(
        rebasing: memory[initialized..<initialized + byteCount])
      try copy(selection, into: target)
      if type.byteOrder == .big { swapBytes(target, width: type.dataType.componentByteCount) }
      initialized += byteCount
    }
    try file.checkUnchanged()
  }

  /// Copies a selection's elements in C order, its pieces in parallel.
  private func copy(
    _ selection: Selection, into target: UnsafeMutableRawBufferPointer
  ) throws(HyperslabError) {
    guard let to = target.baseAddress else { return }
    let source = layout.slice(selection)
    let pieces = pieces(of: Selection(all: selection.shape), of: source)
    let output = DisjointMemory(base: to)
    try parallelLoop(count: pieces.count, threads: Machine.processorCount, makeWorker: {}) {
      (_, number) throws(HyperslabError) in
      guard let from = file.memory.baseAddress else { return }
      let part = source.slice(pieces[number])
      let copy = ChunkCopy(
        chunkShape: selection.shape, region: StridedSelection(pieces[number]), layout: part,
        elementByteCount: elementByteCount)
      copy.gather(0..<copy.elementCount, from: from, into: output.base)
      if let span = part.byteRange(elementByteCount: elementByteCount) { file.release(span) }
    }
  }

  /// Halves a piece of a selection along its slowest axis in the file until it spans little of it.
  private func pieces(of piece: Selection, of source: StridedLayout) -> [Selection] {
    let span = source.slice(piece).byteRange(elementByteCount: elementByteCount)
    let divisible = piece.bounds.indices.filter { piece.bounds[$0].count > 1 }
    let slowest = divisible.max { source.byteStrides[$0] < source.byteStrides[$1] }
    guard let span, let slowest, span.count > Self.pieceByteCount else { return [piece] }
    let range = piece.bounds[slowest]
    let middle = range.lowerBound + range.count / 2
    return [range.lowerBound..<middle, middle..<range.upperBound].flatMap { half in
      var bounds = piece.bounds
      bounds[slowest] = half
      return pieces(of: Selection(bounds), of: source)
    }
  }
}
