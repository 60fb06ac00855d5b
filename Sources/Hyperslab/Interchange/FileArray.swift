import HyperslabCore
import HyperslabIteration

/// An array in a file: the machinery of `NpyFile` and `RawFile`.
struct FileArray: Sendable {
  let file: SourceFile
  let shape: Shape
  let type: NumPyType
  let isFortranOrder: Bool
  /// Where every element lies in the file.
  let layout: StridedLayout
  /// The same with the axes in the order of the file, the slowest first.
  let fileLayout: StridedLayout
  /// A gigabyte unless set: what buffers are by HDMF's rule.
  var residentByteLimit = 1_000_000_000

  /// Places an array in a file.
  ///
  /// - Throws: `invalid_array_file` unless the file ends exactly where the array does.
  init(
    file: SourceFile, shape: Shape, type: NumPyType, byteOffset: Int, isFortranOrder: Bool = false
  ) throws(HyperslabError) {
    let size = type.dataType.byteCount
    let fileShape = isFortranOrder ? Shape(shape.axes.reversed()) : shape
    guard let plain = StridedLayout.rowMajor(fileShape, elementByteCount: size),
      let count = shape.elementCount, let byteCount = Checked.multiply(count, size),
      let end = Checked.add(byteOffset, byteCount)
    else {
      throw HyperslabError(
        .overflow, "an array of shape \(shape) and type \(type.dataType)", at: file.place,
        expected: "less than 64 bits of bytes")
    }
    guard end == file.byteCount else {
      let isShort = file.byteCount < end
      throw HyperslabError(
        .invalidArrayFile,
        isShort ? "the file ends inside the array" : "bytes follow the array", at: file.place,
        expected: "\(end) bytes (\(byteOffset) + \(byteCount) for \(shape) of \(type.dataType))",
        found: "\(file.byteCount)",
        remedy: isShort
          ? "Copy the file again, or give the shape it really has"
          : "Cut them off, or give a shape that counts them; nothing is left out silently")
    }
    self.file = file
    self.shape = shape
    self.type = type
    self.isFortranOrder = isFortranOrder
    fileLayout = StridedLayout(
      shape: fileShape, byteOffset: byteOffset, byteStrides: plain.byteStrides)
    layout = StridedLayout(
      shape: shape, byteOffset: byteOffset,
      byteStrides: isFortranOrder ? plain.byteStrides.reversed() : plain.byteStrides)
  }

  var elementByteCount: Int { type.dataType.byteCount }
  var axesFromSlowest: [Int] {
    isFortranOrder ? Array(shape.indices.reversed()) : Array(shape.indices)
  }

  /// A selection with its axes in the order of the file, or back.
  func inFileOrder(_ selection: Selection) -> Selection {
    isFortranOrder ? Selection(selection.bounds.reversed()) : selection
  }

  private func check(_ selection: Selection) throws(HyperslabError) {
    try selection.checkInside(shape, at: file.place)
    try file.checkUnchanged()
  }

  /// Lends memory that what the selection spans was read into.
  func withBytes<R>(
    of selection: Selection, _ body: (RawSpan, StridedLayout) throws -> R
  ) throws -> R? {
    try check(selection)
    let part = layout.part(selection)
    guard type.byteOrder == .little, let span = part.byteRange(elementByteCount: elementByteCount),
      span.count <= residentByteLimit
    else { return nil }
    let buffer = try ElementBuffer(allocating: span.count)
    let memory = unsafe UnsafeMutableRawBufferPointer(start: buffer.pointer, count: span.count)
    try unsafe readWhole(at: span.lowerBound, into: memory)
    try file.checkUnchanged()
    let inMemory = StridedLayout(
      shape: part.shape, byteOffset: part.byteOffset - span.lowerBound,
      byteStrides: part.byteStrides)
    return try buffer.withBytes { bytes in try body(bytes, inMemory) }
  }

  /// Appends a selection's elements in C order.
  func read(_ selection: Selection, into buffer: inout OutputRawSpan) throws(HyperslabError) {
    try check(selection)
    let byteCount = try byteCount(of: selection, room: buffer.freeCapacity)
    if byteCount == 0 { return }
    try unsafe buffer.withUnsafeMutableBytes { (memory, initialized) throws(HyperslabError) in
      let target = unsafe UnsafeMutableRawBufferPointer(
        rebasing: memory[initialized..<initialized + byteCount])
      if isFortranOrder, shape.rank > 1 {
        try unsafe readTransposed(selection, into: target)
      } else {
        try unsafe readPacked(inFileOrder(selection), into: target)
      }
      if type.byteOrder == .big {
        unsafe swapBytes(target, width: type.dataType.componentByteCount)
      }
      initialized += byteCount
    }
    try file.checkUnchanged()
  }

  /// Reads a selection's elements in the order of the file, which costs least.
  func load(
    _ selection: Selection, into memory: UnsafeMutableRawBufferPointer
  ) throws(HyperslabError) -> StridedLayout {
    try check(selection)
    let byteCount = try byteCount(of: selection, room: memory.count)
    let target = unsafe UnsafeMutableRawBufferPointer(rebasing: memory[..<byteCount])
    let box = inFileOrder(selection)
    try unsafe readPacked(box, into: target)
    if type.byteOrder == .big { unsafe swapBytes(target, width: type.dataType.componentByteCount) }
    try file.checkUnchanged()
    let layout =
      isFortranOrder
      ? StridedLayout.columnMajor(selection.shape, elementByteCount: elementByteCount)
      : .rowMajor(selection.shape, elementByteCount: elementByteCount)
    return layout ?? self.layout.part(selection)
  }

  private func byteCount(of selection: Selection, room: Int) throws(HyperslabError) -> Int {
    guard let count = selection.shape.elementCount,
      let byteCount = Checked.multiply(count, elementByteCount), byteCount <= room
    else {
      throw HyperslabError(
        .sizeMismatch, "memory for the selection \(selection)", at: file.place,
        expected: "room for all its elements", found: "\(room) bytes")
    }
    return byteCount
  }
}
