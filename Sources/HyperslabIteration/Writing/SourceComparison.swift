import HyperslabCore
import Synchronization

/// Holds what a data set has against a source, bit for bit.
struct SourceComparison<Dataset: ChunkedDataset>: Sendable {
  let dataset: Dataset
  let threads: Int

  private var elementByteCount: Int { dataset.description.dataType.byteCount }

  /// Whether any chunk that a box touches was written.
  func isWritten(anywhereIn selection: Selection) throws(HyperslabError) -> Bool {
    if selection.isEmpty { return false }
    for chunk in dataset.grid.chunks(touching: selection) {
      if try dataset.state(of: chunk) != .neverWritten { return true }
    }
    return false
  }

  /// Compares the chunks of a box of whole chunks, those that were written.
  ///
  /// - Throws: `resume_mismatch` naming the first element that differs, and both values.
  func check(
    _ selection: Selection, _ bytes: RawSpan, _ layout: StridedLayout
  ) throws(HyperslabError) {
    let chunks = dataset.grid.chunks(touching: selection)
    let first = Mutex<(position: Int, error: HyperslabError)?>(nil)
    try SharedMemory.withShared(bytes) { memory throws(HyperslabError) in
      try parallelLoop(
        count: chunks.count, threads: threads, makeWorker: {},
        body: { (_, position) throws(HyperslabError) in
          // Later chunks need no look once an earlier one differs.
          if first.withLock({ $0.map { $0.position < position } ?? false }) { return }
          let chunk = chunks[position]
          if try dataset.state(of: chunk) == .neverWritten { return }
          let part = layout.part(dataset.grid.selection(of: chunk).relative(to: selection.origin))
          guard let error = try difference(chunk, memory, part) else { return }
          first.withLock { first in
            if first.map({ position < $0.position }) ?? true { first = (position, error) }
          }
        })
    }
    if let error = first.withLock({ $0?.error }) { throw error }
  }

  private func difference(
    _ chunk: ChunkIndex, _ memory: SharedMemory, _ layout: StridedLayout
  ) throws(HyperslabError) -> HyperslabError? {
    let box = dataset.grid.selection(of: chunk)
    guard let count = box.shape.elementCount,
      let byteCount = Checked.multiply(count, elementByteCount),
      let whole = StridedLayout.rowMajor(box.shape, elementByteCount: elementByteCount)
    else {
      throw HyperslabError(
        .overflow, "a chunk of shape \(box.shape) is larger than memory can be",
        at: "\(dataset.path)", chunk: chunk, remedy: "Choose smaller chunks")
    }
    let (stored, given) = (
      try ElementBuffer(allocating: byteCount), try ElementBuffer(allocating: byteCount)
    )
    try stored.withMutableBytes { bytes throws(HyperslabError) in
      try dataset.readChunk(
        chunk, region: StridedSelection(Selection(all: box.shape)), into: &bytes, layout: whole)
    }
    let copy = ChunkCopy(
      chunkShape: box.shape, region: StridedSelection(Selection(all: box.shape)), layout: layout,
      elementByteCount: elementByteCount)
    if let start = unsafe memory.start {
      unsafe copy.gather(0..<copy.elementCount, from: start, into: given.pointer)
    }
    let left = unsafe UnsafeRawBufferPointer(start: stored.pointer, count: byteCount)
    let right = unsafe UnsafeRawBufferPointer(start: given.pointer, count: byteCount)
    guard let byte = unsafe firstDifference(left, right) else { return nil }
    let element = byte / elementByteCount
    let place = zip(box.origin, coordinates(of: element, in: box.shape)).map(+)
    func text(_ memory: UnsafeRawBufferPointer) -> String {
      let start = element * elementByteCount
      return unsafe valueText(Array(memory[start..<start + elementByteCount]))
    }
    return HyperslabError(
      .resumeMismatch,
      "element [\(place.map(String.init).joined(separator: ", "))] was written from other data",
      at: "\(dataset.path)", expected: unsafe "\(text(left)), as stored",
      found: unsafe "\(text(right))",
      remedy: "Give the source that the write was begun with, or write under another name")
  }

  private func coordinates(of element: Int, in shape: Shape) -> [Int] {
    var coordinates: [Int] = []
    var rest = element
    for length in shape.reversed() {
      coordinates.append(rest % length)
      rest /= length
    }
    return coordinates.reversed()
  }

  private func valueText(_ bytes: [UInt8]) -> String {
    let value = try? FillValue(bytes: bytes, dataType: dataset.description.dataType)
    return value.map { $0.json.text() } ?? "\(bytes)"
  }
}

/// Where two pieces of memory of one size first differ.
private func firstDifference(
  _ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer
) -> Int? {
  var offset = 0
  while offset + 16 <= a.count,
    unsafe a.loadUnaligned(fromByteOffset: offset, as: SIMD16<UInt8>.self)
      == b.loadUnaligned(fromByteOffset: offset, as: SIMD16<UInt8>.self)
  { offset += 16 }
  while offset < a.count {
    if unsafe a[offset] != b[offset] { return offset }
    offset += 1
  }
  return nil
}
