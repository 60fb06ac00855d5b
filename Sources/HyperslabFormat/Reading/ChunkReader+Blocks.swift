import HyperslabCodecs
import HyperslabCore

// Checks that need a chunk's values, one block after the other: what a chunk unpacks to may be a thousand
// times its file, and is never in memory as a whole.

extension ChunkReader {
  /// Checks that an edge chunk holds the fill value beyond the array, or growing the array would show
  /// something nobody wrote.
  ///
  /// - Throws: `checksum`; what reading throws.
  func checkPadding(
    _ file: ChunkFile, _ chunk: ChunkIndex, _ record: DatasetRecord
  ) throws(HyperslabError) {
    let rows = EdgeRows(record.grid, chunk)
    if rows.areAllValid { return }
    let fill = record.description.fillValue
    let size = record.description.dataType.byteCount
    var isFillRepeated = false
    try unsafe forEachBlock(of: file) { (elements, role, decode) throws(HyperslabError) in
      if role == .again {
        guard isFillRepeated else {
          throw HyperslabError(.checksum, "a block is repeated that is not the fill value")
        }
        return
      }
      let bytes = try unsafe decode()
      let isFill = unsafe fill.fills(bytes)
      if role == .repeated { isFillRepeated = isFill }
      if isFill { return }
      var isClean = true
      rows.forEachRun(in: elements) { run, isValid in
        if !isValid, isClean {
          isClean = unsafe fill.fills(
            UnsafeRawBufferPointer(
              rebasing: bytes[
                (run.lowerBound - elements.lowerBound)
                  * size..<(run.upperBound
                  - elements.lowerBound) * size]))
        }
      }
      guard isClean else {
        throw HyperslabError(.checksum, "the padding beyond the array is not the fill value")
      }
    }
  }

  /// The statistics of a chunk's elements inside the array.
  func statistics(
    _ file: ChunkFile, _ chunk: ChunkIndex, _ record: DatasetRecord
  ) throws(HyperslabError) -> ElementStatistics {
    let rows = EdgeRows(record.grid, chunk)
    let type = record.description.dataType
    let size = type.byteCount
    var result = ElementStatistics()
    var repeated = ElementStatistics()
    try unsafe forEachBlock(of: file) { (elements, role, decode) throws(HyperslabError) in
      if role == .again, rows.areAllValid { return result.formUnion(repeated) }
      let bytes = try unsafe decode()
      var own = ElementStatistics()
      rows.forEachRun(in: elements) { run, isValid in
        if !isValid { return }
        unsafe own.add(
          UnsafeRawBufferPointer(
            rebasing: bytes[
              (run.lowerBound - elements.lowerBound)
                * size..<(run.upperBound
                - elements.lowerBound) * size]), dataType: type)
      }
      result.formUnion(own)
      if role == .repeated { repeated = own }
    }
    return result
  }

  /// What a block is among those of its chunk.
  private enum Role {
    case single
    /// One whose bytes stand for later ones, too.
    case repeated
    case again
  }

  /// Calls `body` with each block's elements, its role, and what decodes it.
  private func forEachBlock(
    of file: ChunkFile,
    _ body: (Range<Int>, Role, () throws(HyperslabError) -> UnsafeRawBufferPointer)
      throws(HyperslabError) -> Void
  ) throws(HyperslabError) {
    let memory = try ElementBuffer(allocating: format.blockByteCount)
    let whole: Shape = [format.chunkByteCount / format.elementByteCount]
    guard let layout = StridedLayout.rowMajor(whole, elementByteCount: format.elementByteCount)
    else { return }
    let copy = ChunkCopy(
      chunkShape: whole, region: StridedSelection(Selection(all: whole)), layout: layout,
      elementByteCount: format.elementByteCount)
    let blocks = 0..<format.blockCount
    let again = blocks.first { file.prefix.isRepeat($0) }.map {
      file.prefix.storedRange(ofBlock: $0)
    }
    for block in blocks {
      let isAgain = file.prefix.isRepeat(block)
      let role: Role =
        isAgain ? .again : file.prefix.storedRange(ofBlock: block) == again ? .repeated : .single
      let bytes = format.byteRange(ofBlock: block)
      try unsafe body(format.elementRange(ofBlock: block), role) {
        () throws(HyperslabError) in
        // Where the whole chunk would have to begin for this block to come to lie in the memory.
        try unsafe read(
          block..<block + 1, of: file, copy: copy, into: memory.pointer - bytes.lowerBound)
        return unsafe UnsafeRawBufferPointer(start: memory.pointer, count: bytes.count)
      }
    }
  }
}

/// Which elements of a chunk lie inside the array, as runs in C order.
struct EdgeRows {
  let areAllValid: Bool
  /// Elements of a row, and how many of those are inside if the row is.
  private let rowCount: Int
  private let validCount: Int
  /// The axes before a row's, and how much of each is inside.
  private let leading: [Int]
  private let validLeading: [Int]

  init(_ grid: ChunkGrid, _ chunk: ChunkIndex) {
    let (shape, valid) = (grid.chunkShape.axes, grid.validShape(of: chunk).axes)
    let axis = shape.indices.last { shape[$0] != valid[$0] }
    areAllValid = axis == nil
    let row = axis ?? 0
    let tail = shape.dropFirst(row + 1).reduce(1, *)
    rowCount = axis.map { shape[$0] * tail } ?? shape.reduce(1, *)
    validCount = axis.map { valid[$0] * tail } ?? rowCount
    leading = axis.map { Array(shape.prefix($0)) } ?? []
    validLeading = axis.map { Array(valid.prefix($0)) } ?? []
  }

  /// Calls `body` with runs of elements that are all inside or all outside.
  func forEachRun(in elements: Range<Int>, _ body: (Range<Int>, Bool) -> Void) {
    if areAllValid { return body(elements, true) }
    var coordinates = Shape(leading).coordinates(ofNumber: elements.lowerBound / rowCount)
    var position = elements.lowerBound
    while position < elements.upperBound {
      let start = position / rowCount * rowCount
      let end = Swift.min(start + rowCount, elements.upperBound)
      let isInside = zip(coordinates, validLeading).allSatisfy { $0 < $1 }
      let edge = Swift.min(end, isInside ? start + validCount : start)
      if position < edge { body(position..<edge, true) }
      if Swift.max(position, edge) < end { body(Swift.max(position, edge)..<end, false) }
      position = end
      var axis = leading.count - 1
      while axis >= 0 {
        coordinates[axis] += 1
        if coordinates[axis] < leading[axis] { break }
        coordinates[axis] = 0
        axis -= 1
      }
    }
  }
}
