import HyperslabCore

/// The checked way to a source's data: whatever it does wrong comes out as one kind of error.
struct SourceReader<Source: DataChunkSource>: Sendable {
  let source: Source
  /// The type that the source had when the work began.
  let dataType: DataType

  private var elementByteCount: Int { dataType.byteCount }

  /// Whether the source lends its memory, as far as the first buffer shows.
  func lendsMemory(_ first: Selection?) throws(HyperslabError) -> Bool {
    guard let first else { return true }
    return try lend(first) { _, _ in }
  }

  /// Lends the source's own memory; false, without a call, when it has none to lend.
  func lend(
    _ selection: Selection, _ body: (RawSpan, StridedLayout) throws(HyperslabError) -> Void
  ) throws(HyperslabError) -> Bool {
    try requireSameType()
    // Lending would read all that the selection spans.
    if source is any FileOrderSource { return false }
    var failure: HyperslabError?
    var loans = 0
    var isLent = false
    do {
      let lent: Void? = try source.withBytes(of: selection) { bytes, layout in
        loans += 1
        // What was used once must not be used again.
        if loans > 1 { return }
        do throws(HyperslabError) {
          try check(layout, byteCount: bytes.byteCount, selection)
          try body(bytes, layout)
        } catch { failure = error }
      }
      isLent = lent != nil
    } catch { throw failure ?? sourceError(error, selection) }
    if let failure { throw failure }
    try checkLoans(loans, isLent: isLent, selection)
    return isLent
  }

  /// The bytes of a selection; nil where memory can hold no such.
  func byteCount(of selection: Selection) -> Int? {
    Checked.product(selection.shape.axes + [elementByteCount])
  }

  /// A source that lends twice, or lends and says that it did not, would have a buffer used twice.
  private func checkLoans(
    _ loans: Int, isLent: Bool, _ selection: Selection
  ) throws(HyperslabError) {
    if loans == (isLent ? 1 : 0) { return }
    throw HyperslabError(
      .sourceFailed, "the source's withBytes(of:_:) for the selection \(selection)",
      expected: "one call of the body, whose result it returns, or nil without a call",
      found: "\(loans) calls, and \(isLent ? "a result" : "nil")",
      remedy: "Call the body once and return what it returns, or return nil without calling it")
  }

  /// Reads a selection into memory of its own, in whatever order of axes is cheapest.
  func loadPiece(
    _ selection: Selection, reusing spare: ElementBuffer?
  ) throws(HyperslabError) -> any BufferMemory {
    try ObserverThreads.run { () throws(HyperslabError) in
      try loadInAnyOrder(selection, reusing: spare)
    }
  }

  private func loadInAnyOrder(
    _ selection: Selection, reusing spare: ElementBuffer?
  ) throws(HyperslabError) -> any BufferMemory {
    guard let file = source as? any FileOrderSource else {
      return try load(selection, reusing: spare)
    }
    try requireSameType()
    let buffer = try buffer(for: selection.shape, reusing: spare)
    let memory = unsafe UnsafeMutableRawBufferPointer(
      start: buffer.pointer, count: buffer.byteCount)
    let layout = try unsafe file.load(selection, into: memory)
    try requireSameType()
    try check(layout, byteCount: buffer.byteCount, selection)
    return FilledBuffer(buffer: buffer, byteCount: buffer.byteCount, layout: layout)
  }

  /// Memory for elements: the spare where that is large enough.
  private func buffer(
    for shape: Shape, reusing spare: ElementBuffer?
  ) throws(HyperslabError) -> ElementBuffer {
    guard let byteCount = Checked.product(shape.axes + [elementByteCount]) else {
      throw HyperslabError(
        .overflow, "a buffer of shape \(shape) is larger than memory can be",
        remedy: "Choose a smaller buffer")
    }
    if let spare, spare.byteCount >= byteCount { return spare }
    return try ElementBuffer(allocating: byteCount)
  }

  /// Reads a selection into memory of its own, in C order.
  ///
  /// - Parameter spare: A buffer of an earlier call whose contents are no longer needed.
  func load(
    _ selection: Selection, reusing spare: ElementBuffer?
  ) throws(HyperslabError) -> any BufferMemory {
    try requireSameType()
    guard let byteCount = Checked.product(selection.shape.axes + [elementByteCount]),
      // Room for as much again, up to a point: a source of wider elements is told, not trapped.
      // Pages that nobody touches cost nothing.
      let capacity = Checked.add(byteCount, Swift.min(Swift.max(byteCount, 4096), 1 << 26))
    else {
      throw HyperslabError(
        .overflow, "a buffer of shape \(selection.shape) is larger than memory can be",
        remedy: "Choose a smaller buffer")
    }
    do {
      // Arrays are kept as they come: copying them would hold the buffer twice.
      if let arrays = source as? any ArrayDataChunkSource {
        return try arrays.arrayMemory(selection)
      }
      let buffer: ElementBuffer
      if let spare, spare.byteCount >= capacity {
        buffer = spare
      } else {
        buffer = try ElementBuffer(allocating: capacity)
      }
      let found = try buffer.fill(upTo: capacity) { try source.read(selection, into: &$0) }
      // Elements of the type it has now were counted in bytes of the type it had.
      try requireSameType()
      try requireCount(found, of: byteCount, selection, "bytes")
      return FilledBuffer(buffer: buffer, byteCount: byteCount)
    } catch { throw sourceError(error, selection) }
  }

  /// Gathers lent memory into a buffer of its own.
  func copy(
    _ bytes: RawSpan, _ layout: StridedLayout, reusing spare: ElementBuffer?
  ) throws(HyperslabError) -> FilledBuffer {
    let buffer = try buffer(for: layout.shape, reusing: spare)
    let byteCount = try buffer.fill(upTo: buffer.byteCount) { output throws(HyperslabError) in
      try output.appendElements(at: layout, of: bytes, elementByteCount: elementByteCount)
    }
    return FilledBuffer(buffer: buffer, byteCount: byteCount)
  }

  private func check(
    _ layout: StridedLayout, byteCount: Int, _ selection: Selection
  ) throws(HyperslabError) {
    guard layout.shape == selection.shape, layout.byteStrides.count == layout.shape.rank else {
      throw HyperslabError(
        .sizeMismatch, "the memory that the source lent for the selection \(selection)",
        expected: "a layout of \(selection.shape)", found: "a layout of \(layout.shape)",
        remedy: "Lend the layout's slice(_:) for the selection")
    }
    guard let range = layout.byteRange(elementByteCount: elementByteCount),
      range.isEmpty || (range.lowerBound >= 0 && range.upperBound <= byteCount)
    else {
      throw HyperslabError(
        .sourceTooShort, "the memory that the source lent for the selection \(selection)",
        expected: "all its elements", found: "\(byteCount) bytes",
        remedy: "Lend memory in which the whole layout lies")
    }
  }

  private func requireSameType() throws(HyperslabError) {
    if source.dataType == dataType { return }
    throw HyperslabError(
      .typeMismatch, "the source changed its type", expected: "\(dataType)",
      found: "\(source.dataType)", remedy: "A source keeps its type while it is read")
  }

  private func sourceError(_ error: any Error, _ selection: Selection) -> HyperslabError {
    if error is CancellationError {
      return HyperslabError(
        .cancelled, "cancelled while reading the selection \(selection)",
        remedy: "What was committed before stays")
    }
    if let known = error as? HyperslabError,
      [
        .sourceTooShort, .sourceTooLong, .sourceFailed, .sourceChanged, .typeMismatch, .cancelled,
      ].contains(known.code)
    {
      return known
    }
    return HyperslabError(
      .sourceFailed, "the source failed to read the selection \(selection)",
      remedy:
        "See to the source; a write that it was for keeps what it has committed, and can be resumed",
      cause: error)
  }
}
