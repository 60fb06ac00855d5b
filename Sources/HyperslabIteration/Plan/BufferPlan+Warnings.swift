import HyperslabCore

extension BufferPlan {
  /// What a user wants to know before anything is written; empty when all is well.
  public var warnings: [String] {
    [oversizedBuffer, oversizedChunk, manyChunks, manyDirectories, shortRuns].compactMap { $0 }
  }

  private var oversizedBuffer: String? {
    guard isBufferSized, !shape.isEmptyArray,
      WideProduct(bufferShape.axes + [dataType.byteCount]).exceeds(bufferByteLimit)
    else { return nil }
    return "one chunk of \(chunkShape) is larger than the buffer of \(bufferByteLimit) bytes asked "
      + "for, so each buffer is one chunk of \(text(chunkByteCount)) bytes; choose smaller chunks"
  }

  private var oversizedChunk: String? {
    // A chunk file's length is a signed 32-bit number; the last mebibyte is for its block tables.
    let limit = (1 << 31) - (1 << 20)
    if let bytes = chunkByteCount, bytes <= limit { return nil }
    return "a chunk of \(chunkShape) has \(text(chunkByteCount)) bytes, and a slab store takes at "
      + "most \(limit); choose smaller chunks"
  }

  private var manyChunks: String? {
    if let count = chunkCount, count <= 100_000 { return nil }
    return "\(text(chunkCount)) chunks, each a file; choose larger chunks"
  }

  private var manyDirectories: String? {
    // A chunk's directory is named by all its coordinates but the last.
    let directories = Checked.product(
      shape.indices.dropLast().map { axis in
        Swift.min(bufferShape[axis], shape[axis]).dividedRoundingUp(by: chunkShape[axis])
      })
    if let directories, directories <= 1000 { return nil }
    return
      "each buffer touches \(text(directories)) chunk directories, all of which a commit makes "
      + "durable; choose buffers or chunks that are longer along the last axis"
  }

  private var shortRuns: String? {
    guard !shape.isEmptyArray,
      let split = shape.indices.dropFirst().last(where: { bufferGrid[$0] > 1 })
    else { return nil }
    let run = Checked.product(
      [bufferShape[split], dataType.byteCount] + shape[(split + 1)...].map { $0 })
    guard let run, run < 4096 else { return nil }
    let passes = Checked.product(bufferGrid.dropFirst())
    return
      "a source in C order is read in \(text(passes)) passes, in pieces of \(run) bytes; choose "
      + "buffers that span the last axes"
  }

  private func text(_ count: Int?) -> String { count.map(String.init) ?? "more than 2^63" }
}
