extension ChunkedDataset {
  /// Reads a NumPy-like selection into a new array.
  ///
  ///     let window = try lfp.read(Int16.self, [0..<30_000, 12...])   // (30000, 372)
  ///     let sample = try lfp.read(Int16.self, [7, 12])               // ()
  ///
  /// - Parameters:
  ///   - type: The element type; must be the data set's.
  ///   - terms: One term an axis: an integer (drops the axis), a Swift range, an ``AxisSlice``.
  ///     Missing terms mean whole axes.
  ///   - missing: What to do about chunks that nobody ever wrote.
  /// - Throws: `type_mismatch`, `out_of_bounds`, `never_written`, and the store's own errors.
  public func read<Element: ArrayElement>(
    _ type: Element.Type, _ terms: [any AxisSelection] = [], missing: MissingChunks = .refuse
  ) throws(HyperslabError) -> NDArray<Element> {
    let dataType = try DataType(of: Element.self)
    try checkType(dataType)
    let result = try plan(terms)
    try checkFits(result)
    var failure: HyperslabError?
    let elements = unsafe [Element](unsafeUninitializedCapacity: result.elementCount) {
      memory, initialized in
      let memory = UnsafeMutableRawBufferPointer(memory)
      unsafe HugePages.advise(memory)
      unsafe clearUnlessFilled(memory)
      var bytes = unsafe memory.mutableBytes
      do throws(HyperslabError) {
        try read(result.slice.region, into: &bytes, layout: result.layout, missing: missing)
        if dataType == .bool { unsafe normalizeBooleans(memory) }
        initialized = result.elementCount
      } catch { failure = error }
    }
    if let failure { throw failure }
    return NDArray(unchecked: elements, shape: result.slice.resultShape)
  }

  /// Reads a selection as bytes in C order, for element types known only at run time.
  public func readBytes(
    _ terms: [any AxisSelection] = [], missing: MissingChunks = .refuse
  ) throws(HyperslabError) -> (bytes: [UInt8], shape: Shape) {
    let result = try plan(terms)
    try checkFits(result)
    var failure: HyperslabError?
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: result.byteCount) {
      memory, initialized in
      let memory = UnsafeMutableRawBufferPointer(memory)
      unsafe HugePages.advise(memory)
      unsafe clearUnlessFilled(memory)
      var span = unsafe memory.mutableBytes
      do throws(HyperslabError) {
        try read(result.slice.region, into: &span, layout: result.layout, missing: missing)
        initialized = result.byteCount
      } catch { failure = error }
    }
    if let failure { throw failure }
    return (bytes, result.slice.resultShape)
  }

  /// Reads a selection into memory of the caller, in C order.
  ///
  /// - Returns: the shape of what was read.
  /// - Throws: `size_mismatch` when the memory is not exactly as large as the result.
  @discardableResult
  public func read(
    _ terms: [any AxisSelection] = [], into bytes: inout MutableRawSpan,
    missing: MissingChunks = .refuse
  ) throws(HyperslabError) -> Shape {
    let result = try plan(terms)
    guard result.byteCount == bytes.byteCount else {
      throw HyperslabError(
        .sizeMismatch, "memory for a selection of shape \(result.slice.resultShape)", at: "\(path)",
        expected: "\(result.byteCount) bytes", found: "\(bytes.byteCount)")
    }
    try read(result.slice.region, into: &bytes, layout: result.layout, missing: missing)
    return result.slice.resultShape
  }

  private func plan(_ terms: [any AxisSelection]) throws(HyperslabError) -> ReadPlan {
    let slice: ResolvedSlice
    do { slice = try ResolvedSlice(terms, in: grid.arrayShape) } catch {
      throw error.located(at: "\(path)")
    }
    let size = description.dataType.byteCount
    guard let count = slice.resultShape.elementCount, let byteCount = Checked.multiply(count, size),
      let layout = slice.layout(elementByteCount: size)
    else {
      throw HyperslabError(
        .overflow, "a selection of shape \(slice.resultShape) is larger than memory can be",
        at: "\(path)", remedy: "Read it in pieces")
    }
    return ReadPlan(slice: slice, layout: layout, elementCount: count, byteCount: byteCount)
  }

  /// An allocation that cannot succeed ends the process, so it is not tried.
  private func checkFits(_ plan: ReadPlan) throws(HyperslabError) {
    guard plan.byteCount <= Machine.memoryByteCount else {
      throw HyperslabError(
        .overflow, "a selection of shape \(plan.slice.resultShape)", at: "\(path)",
        expected: "at most this machine's \(Machine.memoryByteCount) bytes of memory",
        found: "\(plan.byteCount)", remedy: "Read it in pieces")
    }
  }

  /// Stores of others may leave memory as it was that they were given to fill.
  package func clearUnlessFilled(_ memory: UnsafeMutableRawBufferPointer) {
    if !(self is any FillingDataset) {
      unsafe memory.initializeMemory(as: UInt8.self, repeating: 0)
    }
  }

  private func checkType(_ type: DataType) throws(HyperslabError) {
    guard type == description.dataType else {
      throw HyperslabError(
        .typeMismatch, "reading as \(type)", at: "\(path)", expected: "\(description.dataType)",
        found: "\(type)", remedy: "Read as the data set's own type and convert")
    }
  }
}

/// A selection resolved: what to read, where it goes in C order, and how much it is.
private struct ReadPlan {
  let slice: ResolvedSlice
  let layout: StridedLayout
  let elementCount: Int
  let byteCount: Int
}

/// A data set whose reads write every element of the memory that they are given, or throw.
package protocol FillingDataset: ChunkedDataset {}
