import ArgumentParser
import Hyperslab

/// The operations there are.
enum Operation: String, CaseIterable, ExpressibleByArgument {
  case write, `import`, read, warm, slices, row, column, frame, pixel, strided, open, commits

  func measure(_ subject: Subject, _ repetitions: Int?) throws -> Figures {
    let shape = subject.shape
    let last = shape.rank - 1
    switch self {
    case .write: return try write(subject, repetitions ?? 1)
    case .import: return try importFile(subject, repetitions ?? 1)
    case .read: return try read(subject, repetitions ?? 3)
    case .warm: return try warm(subject, repetitions ?? 5)
    case .open: return try open(subject, repetitions ?? 50)
    case .commits: return try commits(subject, repetitions ?? 20)
    case .slices:
      return try partial(subject, repetitions ?? 200) { Boxes.slice(shape, &$0) }
    case .row:
      return try partial(subject, repetitions ?? 20) { Boxes.whole(shape, &$0) { $0 == last } }
    case .column:
      return try partial(subject, repetitions ?? 20) { Boxes.whole(shape, &$0) { $0 == last - 1 } }
    case .frame:
      return try partial(subject, repetitions ?? 20) { Boxes.whole(shape, &$0) { $0 >= last - 1 } }
    case .pixel:
      return try partial(subject, repetitions ?? 20) { Boxes.whole(shape, &$0) { $0 == 0 } }
    case .strided:
      return try partial(subject, repetitions ?? 3) { Boxes.strided(shape, &$0) }
    }
  }

  // MARK: - Writing

  private func write(_ subject: Subject, _ repetitions: Int) throws -> Figures {
    let memory = try subject.loaded()
    let source = try RawMemorySource(
      bytes: UnsafeRawBufferPointer(start: memory.pointer, count: memory.byteCount),
      shape: subject.shape, dataType: subject.file.dataType)
    return try written(subject, repetitions) { try subject.write(source) }
  }

  private func importFile(_ subject: Subject, _ repetitions: Int) throws -> Figures {
    try written(subject, repetitions) { try subject.write(subject.file) }
  }

  private func written(
    _ subject: Subject, _ repetitions: Int, _ body: () throws -> Void
  ) throws -> Figures {
    var times: [Double] = []
    for _ in 0..<repetitions {
      removeTree(subject.store)
      times.append(try timed(body).seconds)
    }
    var figures = Figures(kind: .throughput, times: times, isRight: false)
    figures.isRight = try isStoredRightly(subject)
    return figures
  }

  private func isStoredRightly(_ subject: Subject) throws -> Bool {
    let (bytes, _) = try subject.opened().readBytes()
    return try bytes.withUnsafeBytes { try subject.agrees($0, with: []) }
  }

  /// What one more chunk costs, committed, when all others are there: the last chunks one by one.
  private func commits(_ subject: Subject, _ repetitions: Int) throws -> Figures {
    removeTree(subject.store)
    let grid = try ChunkGrid(arrayShape: subject.shape, chunkShape: subject.settledChunkShape())
    let first = Swift.max(0, grid.chunkCount - repetitions)
    let filling = try SlabStore.create(at: subject.store, durability: .fast)
    let description = DatasetDescription(
      shape: grid.arrayShape, chunkShape: grid.chunkShape, dataType: subject.file.dataType,
      compression: subject.compression)
    let empty = try filling.createDataset(NodePath(Subject.path), description)
    for chunk in grid.chunks.prefix(first) { try subject.chunkWriter(chunk, grid, to: empty)() }
    try filling.close()
    let store = try SlabStore.open(subject.store, mode: .readWrite)
    let dataset = try store.dataset(Subject.path)
    let times = try grid.chunks.dropFirst(first).map { chunk in
      let write = try subject.chunkWriter(chunk, grid, to: dataset)
      return try timed {
        try write()
        try store.commit()
      }.seconds
    }
    try store.close()
    var figures = Figures(kind: .latency, times: times, isRight: false)
    figures.isRight = try isStoredRightly(subject)
    return figures
  }

  // MARK: - Reading

  private func read(_ subject: Subject, _ repetitions: Int) throws -> Figures {
    var times: [Double] = []
    var bytes: [UInt8] = []
    for _ in 0..<repetitions {
      bytes = []  // Freed before, so that every repetition gets memory that nobody touched.
      let (seconds, result) = try timed { try subject.opened().readBytes().bytes }
      times.append(seconds)
      bytes = result
    }
    var figures = Figures(kind: .throughput, times: times, isRight: false)
    figures.isRight = try bytes.withUnsafeBytes { try subject.agrees($0, with: []) }
    return figures
  }

  private func warm(_ subject: Subject, _ repetitions: Int) throws -> Figures {
    let memory = ElementBuffer(byteCount: subject.byteCount)
    let pages = UnsafeMutableRawBufferPointer(start: memory.pointer, count: memory.byteCount)
    pages.initializeMemory(as: UInt8.self, repeating: 0xA5)
    var times: [Double] = []
    for _ in 0..<repetitions {
      times.append(
        try timed {
          var span = pages.mutableBytes
          try subject.opened().read(into: &span)
        }.seconds)
    }
    var figures = Figures(kind: .throughput, times: times, isRight: false)
    figures.isRight = try subject.agrees(UnsafeRawBufferPointer(pages), with: [])
    return figures
  }

  private func open(_ subject: Subject, _ repetitions: Int) throws -> Figures {
    let first: [any AxisSelection] = subject.shape.map { _ in 0..<1 }
    var times: [Double] = []
    var results: [[UInt8]] = []
    for _ in 0..<repetitions {
      let (seconds, result) = try timed { try subject.opened().readBytes(first).bytes }
      times.append(seconds)
      results.append(result)
    }
    var figures = Figures(kind: .latency, times: times, isRight: false)
    figures.isRight = try results.allSatisfy { bytes in
      try bytes.withUnsafeBytes { try subject.agrees($0, with: first) }
    }
    return figures
  }

  /// Reads parts of a data set that is opened once.
  private func partial(
    _ subject: Subject, _ repetitions: Int,
    _ terms: (inout SplitMix64) -> [any AxisSelection]
  ) throws -> Figures {
    var random = SplitMix64()
    let dataset = try subject.opened()
    var times: [Double] = []
    var results: [(terms: [any AxisSelection], bytes: [UInt8])] = []
    for _ in 0..<repetitions {
      let terms = terms(&random)
      let (seconds, bytes) = try timed { try dataset.readBytes(terms).bytes }
      times.append(seconds)
      results.append((terms, bytes))
    }
    var figures = Figures(kind: .latency, times: times, isRight: false)
    figures.isRight = try results.allSatisfy { terms, bytes in
      try bytes.withUnsafeBytes { try subject.agrees($0, with: terms) }
    }
    return figures
  }
}

extension Subject {
  /// Reads one chunk's elements from the file; returns what writes them.
  fileprivate func chunkWriter(
    _ chunk: ChunkIndex, _ grid: ChunkGrid, to dataset: SlabDataset
  ) throws -> () throws -> Void {
    let (box, size) = (grid.selection(of: chunk), file.dataType.byteCount)
    guard let layout = StridedLayout.rowMajor(box.shape, elementByteCount: size) else {
      throw SubjectError.notComparable
    }
    let byteCount = box.shape.reduce(size, *)
    let memory = ElementBuffer(byteCount: byteCount)
    let count = try memory.fill(upTo: byteCount) { try file.read(box, into: &$0) }
    if count != byteCount { throw SubjectError.notComparable }
    return { try memory.withBytes { try dataset.writeChunk(chunk, from: $0, layout: layout) } }
  }
}
