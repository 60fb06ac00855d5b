import HyperslabCore

extension StoreConformance {
  /// Writes the valid part of a chunk from C order.
  func write(_ chunk: ChunkIndex, _ bytes: [UInt8], to dataset: Store.Dataset) throws {
    let shape = dataset.grid.validShape(of: chunk)
    let size = dataset.description.dataType.byteCount
    guard let layout = StridedLayout.rowMajor(shape, elementByteCount: size) else { return }
    try unsafe bytes.withUnsafeBytes {
      try unsafe dataset.writeChunk(chunk, from: $0.bytes, layout: layout)
    }
  }

  /// Writes elements that a layout spreads over memory full of noise.
  func write(
    _ chunk: ChunkIndex, _ bytes: [UInt8], spreadBy shapes: inout ShapeGenerator,
    to dataset: Store.Dataset
  ) throws {
    let size = dataset.description.dataType.byteCount
    let shape = dataset.grid.validShape(of: chunk)
    let (layout, byteCount) = shapes.layout(of: shape, elementByteCount: size)
    var memory = ElementPattern.bytes(count: byteCount, of: .uint8, using: &shapes.generator)
    for (number, offset) in offsets(layout).enumerated() {
      for byte in 0..<size { memory[offset + byte] = bytes[number * size + byte] }
    }
    try unsafe memory.withUnsafeBytes {
      try unsafe dataset.writeChunk(chunk, from: $0.bytes, layout: layout)
    }
  }

  /// Where each element of a layout starts, in C order.
  func offsets(_ layout: StridedLayout) -> [Int] {
    NaiveSlicing.combinations(layout.shape.map { Array(0..<$0) }).map { position in
      zip(position, layout.byteStrides).reduce(layout.byteOffset) { $0 + $1.0 * $1.1 }
    }
  }

  /// Memory after a read through a layout, as it must be: noise, with the elements in their places.
  func expected(_ noise: [UInt8], _ elements: [UInt8], _ layout: StridedLayout, _ size: Int)
    -> [UInt8]
  {
    var memory = noise
    for (number, offset) in offsets(layout).enumerated() {
      for byte in 0..<size { memory[offset + byte] = elements[number * size + byte] }
    }
    return memory
  }

  /// A random description: any type, rank, chunk shape and fill value.
  func description(
    _ shapes: inout ShapeGenerator, rank: Int? = nil, dataType: DataType? = nil,
    allowsEmpty: Bool = true
  ) throws -> DatasetDescription {
    let shape = shapes.arrayShape(rank: rank, allowsEmpty: allowsEmpty)
    let type = dataType ?? DataType.allCases.randomElement(using: &shapes.generator) ?? .int8
    let fill = try FillValue(
      bytes: ElementPattern.bytes(count: 1, of: type, using: &shapes.generator), dataType: type)
    return DatasetDescription(
      shape: shape, chunkShape: shapes.chunkShape(for: shape), dataType: type,
      fillValue: shapes.generator.chance(1, in: 3) ? nil : fill)
  }

  /// Random elements for a chunk; one time in five nothing but the fill value.
  func elements(
    for chunk: ChunkIndex, of model: ArrayModel, using generator: inout SeededGenerator
  ) -> [UInt8] {
    let count = model.grid.validShape(of: chunk).elementCount ?? 0
    if generator.chance(1, in: 5) {
      return (0..<count).flatMap { _ in model.description.fillValue.bytes }
    }
    return ElementPattern.bytes(count: count, of: model.description.dataType, using: &generator)
  }

  /// A data set and its model, some or all of whose chunks are written in random order.
  func filled(
    _ store: Store, _ name: String, _ description: DatasetDescription, everyChunk: Bool = true,
    using generator: inout SeededGenerator
  ) throws -> (Store.Dataset, ArrayModel) {
    let dataset = try store.createDataset(try NodePath(name), description)
    var model = try ArrayModel(description)
    for chunk in dataset.grid.chunks.shuffled(using: &generator) {
      if !everyChunk, generator.chance(2, in: 5) { continue }
      let bytes = elements(for: chunk, of: model, using: &generator)
      model.write(chunk, bytes)
      try write(chunk, bytes, to: dataset)
    }
    return (dataset, model)
  }

  /// Compares states and all elements.
  func compare(_ dataset: Store.Dataset, _ model: ArrayModel, _ recorder: Recorder) throws {
    for chunk in dataset.grid.chunks {
      recorder.expectEqual(
        try dataset.state(of: chunk), model.state(of: chunk), "state of \(chunk)")
    }
    let whole = try dataset.readBytes(missing: .fill)
    recorder.expectEqual(whole.shape, model.grid.arrayShape, "shape of the whole")
    recorder.expect(whole.bytes == model.bytes, "the elements of the whole array differ")
  }
}
