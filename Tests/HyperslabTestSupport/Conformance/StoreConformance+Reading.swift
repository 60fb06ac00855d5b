import HyperslabCore

extension StoreConformance {
  func selections(_ recorder: Recorder, _ generator: inout SeededGenerator) throws {
    var shapes = ShapeGenerator(generator, elementLimit: 800)
    let store = try makeStore()
    for trial in 0..<trials {
      let description = try description(&shapes)
      let (dataset, model) = try filled(
        store, "d\(trial)", description, using: &shapes.generator)
      for _ in 0..<20 {
        let terms = shapes.terms(in: description.shape)
        recorder.context =
          "\(description.dataType) \(description.shape) in \(description.chunkShape), \(terms): "
        guard let wanted = model.read(terms) else { continue }
        let found = try dataset.readBytes(terms)
        recorder.expectEqual(found.shape, wanted.shape, "shape")
        recorder.expect(found.bytes == wanted.bytes, "the elements differ")
        var memory = wanted.bytes.map { ~$0 }
        let shape = try unsafe memory.withUnsafeMutableBytes {
          var span = unsafe $0.mutableBytes
          return try dataset.read(terms, into: &span)
        }
        recorder.expectEqual(shape, wanted.shape, "shape of what was read into memory")
        recorder.expect(memory == wanted.bytes, "the elements read into memory differ")
      }
    }
    let typed = try store.createDataset(try NodePath("typed"), small(.int32))
    recorder.context = "typed read: "
    recorder.expectError(.typeMismatch, from: "as another type") {
      _ = try typed.read(Float.self, missing: .fill)
    }
    recorder.expectEqual(
      try typed.read(Int32.self, [1], missing: .fill).elements, [0, 0, 0], "a row of zeros")
  }

  func chunkParts(_ recorder: Recorder, _ generator: inout SeededGenerator) throws {
    var shapes = ShapeGenerator(generator, elementLimit: 800)
    let store = try makeStore()
    for trial in 0..<trials {
      let description = try description(&shapes)
      let size = description.dataType.byteCount
      let (dataset, model) = try filled(
        store, "d\(trial)", description, everyChunk: false, using: &shapes.generator)
      for chunk in dataset.grid.chunks.prefix(40) {
        let valid = dataset.grid.validShape(of: chunk)
        let axes = valid.map { length -> StridedSelection.Axis in
          let step = Int.random(in: 1...3, using: &shapes.generator)
          let start = Int.random(in: 0..<length, using: &shapes.generator)
          let most = (length - start - 1) / step + 1
          return .init(
            start: start, count: Int.random(in: 0...most, using: &shapes.generator), step: step)
        }
        let region = StridedSelection(axes)
        recorder.context =
          "\(description.dataType) \(description.shape) in \(description.chunkShape), "
          + "chunk \(chunk), \(region): "
        let positions = zip(axes, try dataset.grid.origin(of: chunk)).map { axis, origin in
          (0..<axis.count).map { origin + axis.start + $0 * axis.step }
        }
        let all = NaiveSlicing.combinations(positions)
        let elements = all.flatMap { position in
          model.read(position.map { .position($0) })?.bytes ?? []
        }
        let (layout, byteCount) = shapes.layout(of: region.shape, elementByteCount: size)
        let noise = ElementPattern.bytes(count: byteCount, of: .uint8, using: &shapes.generator)
        var memory = noise
        try unsafe memory.withUnsafeMutableBytes {
          var span = unsafe $0.mutableBytes
          try dataset.readChunk(chunk, region: region, into: &span, layout: layout)
        }
        recorder.expect(
          memory == expected(noise, elements, layout, size), "the memory differs")
      }
    }
  }

  func neverWritten(_ recorder: Recorder, _ generator: inout SeededGenerator) throws {
    var shapes = ShapeGenerator(generator, elementLimit: 400)
    let store = try makeStore()
    for trial in 0..<trials {
      let description = try description(&shapes)
      let (dataset, model) = try filled(
        store, "d\(trial)", description, everyChunk: false, using: &shapes.generator)
      for _ in 0..<20 {
        let terms = shapes.terms(in: description.shape)
        guard let wanted = model.read(terms) else { continue }
        recorder.context = "\(description.shape) in \(description.chunkShape), \(terms): "
        recorder.expect(
          try dataset.readBytes(terms, missing: .fill).bytes == wanted.bytes,
          "the elements differ where missing chunks give fill")
        guard let missing = model.firstNeverWritten(terms) else {
          recorder.expect(
            try dataset.readBytes(terms).bytes == wanted.bytes, "the elements differ")
          continue
        }
        do {
          _ = try dataset.readBytes(terms)
          recorder.fail("\(recorder.context)chunk \(missing) was never written, but no error")
        } catch {
          recorder.expectEqual(error.code, .neverWritten, "code")
          recorder.expectEqual(error.chunk, missing, "chunk named")
        }
      }
    }
  }

  func concurrency(_ recorder: Recorder, _ generator: inout SeededGenerator) throws {
    let store = try makeStore()
    var shapes = ShapeGenerator(generator)
    for (trial, dataType) in [DataType.int8, .float32, .complex128].enumerated() {
      recorder.context = "\(dataType): "
      let description = DatasetDescription(
        shape: [37, 41], chunkShape: [5, 7], dataType: dataType)
      let dataset = try store.createDataset(try NodePath("d\(trial)"), description)
      var model = try ArrayModel(description)
      var chunks: [(ChunkIndex, [UInt8])] = []
      for chunk in dataset.grid.chunks.shuffled(using: &shapes.generator) {
        let bytes = elements(for: chunk, of: model, using: &shapes.generator)
        model.write(chunk, bytes)
        chunks.append((chunk, bytes))
      }
      let work = chunks
      try parallelLoop(count: work.count, threads: 4) {
      } body: { (_: Void, index) throws(HyperslabError) in
        let (chunk, bytes) = work[index]
        do {
          try write(chunk, bytes, to: dataset)
          let read = try dataset.readBytes(dataset.grid.selection(of: chunk).bounds)
          if read.bytes != bytes {
            throw HyperslabError(.invalidValue, "other elements came back", chunk: chunk)
          }
        } catch let error as HyperslabError {
          throw error
        } catch {
          throw HyperslabError(.invalidValue, "\(error)", chunk: chunk)
        }
      }
      try compare(dataset, model, recorder)
      let wanted = model.bytes
      try parallelLoop(count: 16, threads: 4) {
      } body: { (_: Void, _) throws(HyperslabError) in
        if try dataset.readBytes().bytes != wanted {
          throw HyperslabError(.invalidValue, "a concurrent read gave other elements")
        }
      }
    }
  }

  func reopening(_ recorder: Recorder, _ generator: inout SeededGenerator) throws {
    guard let reopenStore else { return }
    var shapes = ShapeGenerator(generator, elementLimit: 400)
    var store = try makeStore()
    var models: [(NodePath, ArrayModel)] = []
    let group = try NodePath("only/a/group")
    try store.createGroup(group, attributes: ["a": 1])
    for trial in 0..<trials {
      var description = try description(&shapes)
      description.attributes = [
        "trial": .integer(trial), "nested": ["x": [1.5, nil, "\u{1F600}"]],
      ]
      description.dimensionNames = description.shape.indices.map {
        $0 % 2 == 0 ? "axis \($0)" : nil
      }
      description.unit = trial % 2 == 0 ? "kelvin" : nil
      let (dataset, model) = try filled(
        store, "g\(trial % 3)/d\(trial)", description, everyChunk: false, using: &shapes.generator)
      models.append((dataset.path, model))
    }
    for round in 0..<3 {
      try store.commit()
      store = try reopenStore(store)
      recorder.expectError(.wrongKind, from: "group \(group)") { _ = try store.dataset(group) }
      for index in models.indices {
        recorder.context = "\(models[index].0) after \(round + 1) commits: "
        let dataset = try store.dataset(models[index].0)
        compare(dataset.description, models[index].1.description, recorder)
        try compare(dataset, models[index].1, recorder)
        guard let chunk = dataset.grid.chunks.randomElement(using: &shapes.generator) else {
          continue
        }
        let bytes = elements(for: chunk, of: models[index].1, using: &shapes.generator)
        try write(chunk, bytes, to: dataset)
        models[index].1.write(chunk, bytes)
        try compare(dataset, models[index].1, recorder)
      }
    }
  }
}
