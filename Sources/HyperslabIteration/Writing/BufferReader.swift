import HyperslabCore

/// Reads buffers in order, one ahead of their use where two may be in memory.
///
/// There are never more buffers than `depth`: the next one is begun only when the one before the
/// current has been given back.
final class BufferReader<Source: DataChunkSource, Buffers: Sequence<Selection>> {
  private let reader: SourceReader<Source>
  private var buffers: Buffers.Iterator
  private let depth: Int
  private var upcoming: Selection?
  /// The read under way on another thread.
  private var pending: Pending<any BufferMemory>?
  private var spares: [ElementBuffer] = []

  init(_ reader: SourceReader<Source>, _ buffers: Buffers, depth: Int) {
    self.reader = reader
    self.buffers = buffers.makeIterator()
    self.depth = depth
    upcoming = self.buffers.next()
  }

  /// The next buffer; the one after it is then being read if it may be.
  ///
  /// - Precondition: the buffer before has been given back.
  func next() throws(HyperslabError) -> (Selection, any BufferMemory)? {
    guard let selection = upcoming else { return nil }
    let memory: any BufferMemory
    if let pending, let result = pending.wait() {
      self.pending = nil
      memory = try result.get()
    } else {
      memory = try reader.loadPiece(selection, reusing: spare(for: selection))
    }
    upcoming = buffers.next()
    if depth > 1 { readAhead() }
    return (selection, memory)
  }

  /// Whether ``next()`` would not have to wait.
  var isReady: Bool { pending?.isComplete ?? false }

  /// Gives a buffer's memory back to be used again.
  func recycle(_ memory: any BufferMemory) {
    if let buffer = (memory as? FilledBuffer)?.buffer { spares.append(buffer) }
  }

  /// Waits for the read under way, so that nobody uses the source any more.
  func finish() {
    _ = pending?.wait()
    pending = nil
  }

  /// Memory for the next buffer. What is too small for it is given back before more is asked for.
  private func spare(for selection: Selection) -> ElementBuffer? {
    let byteCount = reader.byteCount(of: selection)
    spares.removeAll { buffer in byteCount.map { buffer.byteCount < $0 } ?? true }
    return spares.popLast()
  }

  private func readAhead() {
    guard let selection = upcoming else { return }
    let spare = spare(for: selection)
    let pending = Pending<any BufferMemory>()
    self.pending = pending
    Threads.run { [reader] in
      do throws(HyperslabError) {
        pending.complete(.success(try reader.loadPiece(selection, reusing: spare)))
      } catch { pending.complete(.failure(error)) }
    }
  }
}
