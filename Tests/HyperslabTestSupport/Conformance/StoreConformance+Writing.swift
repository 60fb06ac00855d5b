import HyperslabCore

extension StoreConformance {
  func states(_ recorder: Recorder, _ generator: inout SeededGenerator) throws {
    let store = try makeStore()
    var description = small()
    description.fillValue = FillValue(Int32(-7))
    let dataset = try store.createDataset(try NodePath("data"), description)
    var model = try ArrayModel(description)
    // Also an edge chunk, whose padding must not count.
    for chunk in [[0, 0], [2, 1]] as [ChunkIndex] {
      let count = dataset.grid.validShape(of: chunk).elementCount ?? 0
      let fill = (0..<count).flatMap { _ in description.fillValue.bytes }
      var almost = fill
      almost[almost.count - 1] ^= 0x80
      for bytes in [fill, almost, fill, almost, almost] {
        try write(chunk, bytes, to: dataset)
        model.write(chunk, bytes)
        try compare(dataset, model, recorder)
      }
    }
  }

  func fillValues(_ recorder: Recorder, _ generator: inout SeededGenerator) throws {
    let store = try makeStore()
    let bits: [UInt64] = [0, 1 << 63, 0x7FF8 << 48, 0x7FF8 << 48 | 1, 0xFFF8 << 48, 0x7FF0 << 48]
    for (number, fill) in bits.enumerated() {
      let description = DatasetDescription(
        shape: [bits.count], chunkShape: [1], dataType: .float64,
        fillValue: FillValue(Double(bitPattern: fill)))
      let dataset = try store.createDataset(try NodePath("f\(number)"), description)
      var model = try ArrayModel(description)
      recorder.context = "fill value 0x\(String(fill, radix: 16)): "
      try compare(dataset, model, recorder)
      for (position, value) in bits.enumerated() {
        let bytes = FillValue(Double(bitPattern: value)).bytes
        try write([position], bytes, to: dataset)
        model.write([position], bytes)
      }
      try compare(dataset, model, recorder)
    }
  }

  func types(_ recorder: Recorder, _ generator: inout SeededGenerator) throws {
    let store = try makeStore()
    var shapes = ShapeGenerator(generator, elementLimit: 600)
    for dataType in DataType.allCases {
      for rank in 0...6 {
        let description = try description(
          &shapes, rank: rank, dataType: dataType, allowsEmpty: false)
        recorder.context = "\(dataType) \(description.shape) in \(description.chunkShape): "
        let (dataset, model) = try filled(
          store, "\(dataType)/\(rank)", description, using: &shapes.generator)
        try compare(dataset, model, recorder)
      }
    }
  }

  func emptyArrays(_ recorder: Recorder, _ generator: inout SeededGenerator) throws {
    let store = try makeStore()
    let shapes: [Shape] = [[0], [0, 3], [3, 0], [0, 0, 0], [2, 0, 5]]
    for (number, shape) in shapes.enumerated() {
      recorder.context = "\(shape): "
      let description = DatasetDescription(
        shape: shape, chunkShape: Shape(shape.map { _ in 2 }), dataType: .float32)
      let dataset = try store.createDataset(try NodePath("e\(number)"), description)
      recorder.expectEqual(dataset.grid.chunkCount, 0, "chunks")
      let whole = try dataset.read(Float.self)
      recorder.expectEqual(whole.shape, shape, "shape")
      recorder.expectEqual(whole.elements.count, 0, "elements")
      let first = ChunkIndex(shape.map { _ in 0 })
      recorder.expectError(.outOfBounds, from: "writing a chunk of nothing") {
        try write(first, [0, 0, 0, 0], to: dataset)
      }
    }
    try store.commit()
  }

  func replacement(_ recorder: Recorder, _ generator: inout SeededGenerator) throws {
    var shapes = ShapeGenerator(generator, elementLimit: 300)
    let store = try makeStore()
    for trial in 0..<trials {
      let description = try description(&shapes, allowsEmpty: false)
      recorder.context =
        "\(description.dataType) \(description.shape) in \(description.chunkShape): "
      let dataset = try store.createDataset(try NodePath("d\(trial)"), description)
      var model = try ArrayModel(description)
      for round in 0..<12 {
        let number = Int.random(in: 0..<dataset.grid.chunkCount, using: &shapes.generator)
        let chunk = try dataset.grid.index(ofNumber: number)
        let bytes = elements(for: chunk, of: model, using: &shapes.generator)
        try write(chunk, bytes, to: dataset)
        model.write(chunk, bytes)
        if round % 4 == 3 {
          try store.commit()
          try compare(dataset, model, recorder)
        }
      }
      try compare(dataset, model, recorder)
    }
  }

  func layouts(_ recorder: Recorder, _ generator: inout SeededGenerator) throws {
    var shapes = ShapeGenerator(generator, elementLimit: 400)
    let store = try makeStore()
    for trial in 0..<trials {
      let description = try description(&shapes)
      let size = description.dataType.byteCount
      recorder.context =
        "\(description.dataType) \(description.shape) in \(description.chunkShape): "
      let dataset = try store.createDataset(try NodePath("d\(trial)"), description)
      var model = try ArrayModel(description)
      for chunk in dataset.grid.chunks {
        let bytes = elements(for: chunk, of: model, using: &shapes.generator)
        try write(chunk, bytes, spreadBy: &shapes, to: dataset)
        model.write(chunk, bytes)
      }
      try compare(dataset, model, recorder)
      let box = shapes.selection(in: description.shape)
      let terms = box.bounds.map(\.axisSlice)
      let (layout, byteCount) = shapes.layout(of: box.shape, elementByteCount: size)
      let noise = ElementPattern.bytes(count: byteCount, of: .uint8, using: &shapes.generator)
      var memory = noise
      try unsafe memory.withUnsafeMutableBytes {
        var span = unsafe $0.mutableBytes
        try dataset.read(
          StridedSelection(box), into: &span, layout: layout, missing: .refuse)
      }
      recorder.expect(
        memory == expected(noise, model.read(terms)?.bytes ?? [], layout, size),
        "\(box) read into \(layout) differs")
    }
  }

  func preparation(_ recorder: Recorder, _ generator: inout SeededGenerator) throws {
    var shapes = ShapeGenerator(generator, elementLimit: 400)
    let store = try makeStore()
    for trial in 0..<trials {
      let description = try description(&shapes)
      let size = description.dataType.byteCount
      let dataset = try store.createDataset(try NodePath("d\(trial)"), description)
      var model = try ArrayModel(description)
      let sample = ElementPattern.bytes(
        count: description.shape.elementCount ?? 0, of: description.dataType,
        using: &shapes.generator)
      if let layout = StridedLayout.rowMajor(description.shape, elementByteCount: size) {
        try unsafe sample.withUnsafeBytes {
          try unsafe dataset.prepare(sample: $0.bytes, layout: layout)
        }
      }
      try compare(dataset, model, recorder)
      for chunk in dataset.grid.chunks {
        let bytes = elements(for: chunk, of: model, using: &shapes.generator)
        try write(chunk, bytes, to: dataset)
        model.write(chunk, bytes)
      }
      try compare(dataset, model, recorder)
    }
  }

  func together(_ recorder: Recorder, _ generator: inout SeededGenerator) throws {
    var shapes = ShapeGenerator(generator, elementLimit: 400)
    let store = try makeStore()
    for trial in 0..<trials {
      let description = try description(&shapes)
      recorder.context =
        "\(description.dataType) \(description.shape) in \(description.chunkShape): "
      let dataset = try store.createDataset(try NodePath("d\(trial)"), description)
      var model = try ArrayModel(description)
      for _ in 0..<3 {
        var rest = dataset.grid.chunks.shuffled(using: &shapes.generator)
        while !rest.isEmpty {
          let some = rest.suffix(Int.random(in: 1...5, using: &shapes.generator))
          rest.removeLast(some.count)
          try write(Array(some), to: dataset, &model, using: &shapes.generator)
        }
        try compare(dataset, model, recorder)
        if shapes.generator.chance(1, in: 2) { try store.commit() }
      }
      let outside = PlacedChunk(
        ChunkIndex(dataset.grid.gridShape.axes + [0]),
        StridedLayout(shape: description.shape, byteStrides: description.shape.map { _ in 0 }))
      recorder.expectError(.outOfBounds, from: "a chunk that is not there among others") {
        try unsafe [0, 0].withUnsafeBytes {
          try unsafe dataset.writeChunks([outside], from: $0.bytes)
        }
      }
      if let chunk = dataset.grid.chunks.first {
        let bytes = elements(for: chunk, of: model, using: &shapes.generator)
        let layout = StridedLayout.rowMajor(
          dataset.grid.validShape(of: chunk),
          elementByteCount: description.dataType.byteCount)
        recorder.expectError(.outOfBounds, from: "a chunk that is there before one that is not") {
          guard let layout else { return }
          try unsafe bytes.withUnsafeBytes {
            try unsafe dataset.writeChunks([PlacedChunk(chunk, layout), outside], from: $0.bytes)
          }
        }
        recorder.expectError(.invalidValue, from: "a chunk named twice") {
          guard let layout else { return }
          try unsafe bytes.withUnsafeBytes {
            try unsafe dataset.writeChunks(
              [PlacedChunk(chunk, layout), PlacedChunk(chunk, layout)], from: $0.bytes)
          }
        }
      }
      // Nothing of what was refused was stored.
      try dataset.writeChunks([], from: RawSpan())
      try compare(dataset, model, recorder)
    }
  }

  /// Writes chunks at once, their elements one chunk's behind the other's.
  private func write(
    _ chunks: [ChunkIndex], to dataset: Store.Dataset, _ model: inout ArrayModel,
    using generator: inout SeededGenerator
  ) throws {
    var memory: [UInt8] = []
    var parts: [PlacedChunk] = []
    for chunk in chunks {
      let bytes = elements(for: chunk, of: model, using: &generator)
      let dense = StridedLayout.rowMajor(
        dataset.grid.validShape(of: chunk), elementByteCount: dataset.description.dataType.byteCount
      )
      guard let dense else { continue }
      parts.append(
        PlacedChunk(
          chunk,
          StridedLayout(
            shape: dense.shape, byteOffset: memory.count, byteStrides: dense.byteStrides)))
      memory += bytes
      model.write(chunk, bytes)
    }
    try unsafe memory.withUnsafeBytes { unsafe try dataset.writeChunks(parts, from: $0.bytes) }
  }
}
