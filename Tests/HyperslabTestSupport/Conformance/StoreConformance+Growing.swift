import HyperslabCore
import HyperslabIteration

extension StoreConformance {
  /// A source that gives up at one of its reads.
  private struct FailingSource: DataChunkSource {
    let shape: Shape
    let dataType: DataType
    let bytes: [UInt8]
    /// The first position along the first axis that it no longer gives.
    let end: Int
    let fingerprint: String?

    func read(_ selection: Selection, into buffer: inout OutputRawSpan) throws {
      if let range = selection.bounds.first, range.upperBound > end {
        throw HyperslabError(.sourceFailed, "no more")
      }
      guard let layout = StridedLayout.rowMajor(shape, elementByteCount: dataType.byteCount) else {
        return
      }
      try unsafe bytes.withUnsafeBytes { memory in
        try unsafe buffer.appendElements(
          at: try layout.slice(selection), of: memory.bytes, elementByteCount: dataType.byteCount)
      }
    }
  }

  func resuming(_ recorder: Recorder, _ generator: inout SeededGenerator) throws {
    for trial in 0..<trials {
      let store = try makeStore()
      var shapes = ShapeGenerator(generator)
      let shape = shapes.arrayShape(rank: 1 + trial % 4, allowsEmpty: false)
      let chunk = Shape(zip(shapes.chunkShape(for: shape), shape).map { min($0, $1) })
      generator = shapes.generator
      let type = DataType.allCases.randomElement(using: &generator) ?? .int8
      let bytes = ElementPattern.bytes(
        count: shape.elementCount ?? 0, of: type, using: &generator)
      let ends = [Int.random(in: 0...shape[0], using: &generator), shape[0], shape[0]]
      recorder.context = "\(type) \(shape) in \(chunk), cut at \(ends[0]): "
      for (attempt, end) in ends.enumerated() {
        let source = FailingSource(
          shape: shape, dataType: type, bytes: bytes, end: end,
          fingerprint: trial % 2 == 0 ? "pattern" : nil)
        let iterator = try GenericDataChunkIterator(
          source, bufferShape: chunk, chunkShape: chunk)
        do {
          let dataset = try store.write(
            iterator, to: "g/x", options: WriteOptions(resume: true))
          recorder.expect(
            try dataset.readBytes().bytes == bytes, "the elements differ after attempt \(attempt)")
        } catch {
          recorder.expect(
            error.code == .sourceFailed && attempt == 0, "attempt \(attempt): \(error)")
        }
      }
    }
  }

  func resizing(_ recorder: Recorder, _ generator: inout SeededGenerator) throws {
    for trial in 0..<trials {
      let store = try makeStore()
      var shapes = ShapeGenerator(generator)
      var description = try description(&shapes, rank: 1 + trial % 3, allowsEmpty: false)
      generator = shapes.generator
      description.maximumShape = description.shape.map { _ in nil }
      let fill = description.fillValue.bytes
      var (dataset, model) = try filled(
        store, "x", description, everyChunk: trial % 2 == 0, using: &generator)
      var (shape, elements) = (description.shape, model.bytes)
      var known = Set(
        try dataset.grid.chunks.filter { try dataset.state(of: $0) != .neverWritten })
      for _ in 0..<3 {
        if generator.chance(1, in: 2) { try store.commit() }
        let new = Shape(shape.map { Int.random(in: 0...$0 + 4, using: &generator) })
        recorder.context = "\(description.dataType) \(shape) to \(new): "
        do { dataset = try store.resizeDataset(dataset.path, to: new) } catch {
          // A store whose arrays keep their shape says so, and nothing has changed.
          recorder.expectEqual(error.code, .unsupported, "the refusal")
          break
        }
        elements = resized(elements, shape, new, fill)
        shape = new
        known = known.filter { dataset.grid.contains($0) }
        recorder.expectEqual(dataset.grid.arrayShape, new, "shape")
        for chunk in dataset.grid.chunks {
          recorder.expectEqual(
            try dataset.state(of: chunk) != .neverWritten, known.contains(chunk),
            "whether \(chunk) was written")
        }
        recorder.expect(
          try dataset.readBytes(missing: .fill).bytes == elements, "the elements differ")
      }
      try store.commit()
      let again = try store.dataset(dataset.path)
      recorder.expect(
        try again.readBytes(missing: .fill).bytes == elements, "the elements differ at the end")
    }
  }

  /// An array's elements in another shape, the fill value where it had none.
  private func resized(
    _ elements: [UInt8], _ old: Shape, _ new: Shape, _ fill: [UInt8]
  ) -> [UInt8] {
    NaiveSlicing.combinations(new.map { Array(0..<$0) }).flatMap { position in
      guard zip(position, old).allSatisfy({ $0 < $1 }) else { return fill }
      let number = zip(position, old).reduce(0) { $0 * $1.1 + $1.0 }
      return Array(elements[number * fill.count..<(number + 1) * fill.count])
    }
  }
}
