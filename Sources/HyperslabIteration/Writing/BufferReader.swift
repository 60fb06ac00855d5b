import HyperslabCore

/// Reads buffers in order, one ahead of their use where two may be in memory.
///
/// There are never more buffers than `depth`: the next one is begun only when the one before the
/// current has been given back.
final class BufferReader<Source: DataChunkSource, Buffers: RandomAccessCollection<Selection>>
where Buffers.Index == Int {
  private let reader: SourceReader<Source>
  private let buffers: Buffers
  private let depth: Int
  private var position: Int
  /// The read under way on another thread.
  private var pending: Pending<any BufferMemory>?
  private var spares: [ElementBuffer] = []

  init(_ reader: SourceReader<Source>, _ buffers: Buffers, depth: Int) {
    self.reader = reader
    self.buffers = buffers
    position = buffers.startIndex
    self.depth = depth
  }

  /// The next buffer; the one after it is then being read if it may be.
  ///
  /// - Precondition: the buffer before has been given back.
  func next() throws(HyperslabError) -> (Selection, any BufferMemory)? {
    guard position < buffers.endIndex else { return nil }
    let selection = buffers[position]
    let memory: any BufferMemory
    if let pending, let result = pending.wait() {
      self.pending = nil
      memory = try result.get()
    } else {
      memory = try reader.load(selection, reusing: spares.popLast())
    }
    position += 1
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

  private func readAhead() {
    guard position < buffers.endIndex else { return }
    let selection = buffers[position]
    let spare = spares.popLast()
    let pending = Pending<any BufferMemory>()
    self.pending = pending
    Threads.run { [reader] in
      do throws(HyperslabError) {
        pending.complete(.success(try reader.load(selection, reusing: spare)))
      } catch { pending.complete(.failure(error)) }
    }
  }
}
