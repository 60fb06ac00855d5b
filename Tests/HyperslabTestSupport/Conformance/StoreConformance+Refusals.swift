import HyperslabCore

extension StoreConformance {
  func outOfBounds(_ recorder: Recorder, _ generator: inout SeededGenerator) throws {
    let (dataset, model) = try filled(
      try makeStore(), "data", small(), using: &generator)
    let outside: [ChunkIndex] = [
      [], [0], [0, 0, 0], [3, 0], [0, 2], [-1, 0], [0, -1], [Int.max, Int.max], [Int.min, 0],
    ]
    for chunk in outside {
      recorder.context = "chunk \(chunk): "
      recorder.expectError(.outOfBounds, from: "state") { _ = try dataset.state(of: chunk) }
      let layout = StridedLayout(shape: [1, 1], byteStrides: [4, 4])
      recorder.expectError(.outOfBounds, from: "writing") {
        try unsafe [0, 0, 0, 0].withUnsafeBytes {
          try unsafe dataset.writeChunk(chunk, from: $0.bytes, layout: layout)
        }
      }
      readChunk(
        chunk, .init([.init(start: 0, count: 1), .init(start: 0, count: 1)]), dataset, recorder)
    }
    typealias Axis = StridedSelection.Axis
    let wrong: [Axis] = [
      .init(start: -1, count: 1), .init(start: 2, count: 1), .init(start: 0, count: 3),
      .init(start: 0, count: 2, step: 2), .init(start: 0, count: -1),
      .init(start: 0, count: 1, step: 0),
      .init(start: 1, count: 2, step: -1), .init(start: Int.max, count: 2, step: Int.max),
      .init(start: 0, count: Int.max, step: Int.max), .init(start: Int.min, count: 1),
    ]
    for axis in wrong {
      recorder.context = "\(axis): "
      readChunk([0, 0], .init([axis, .init(start: 0, count: 1)]), dataset, recorder)
      readChunk([0, 0], .init([.init(start: 0, count: 1), axis]), dataset, recorder)
    }
    recorder.context = "a region of another rank: "
    readChunk([0, 0], .init([.init(start: 0, count: 1)]), dataset, recorder)
    // Inside the chunk shape, but outside the array.
    recorder.context = "a region in the padding: "
    readChunk(
      [2, 1], .init([.init(start: 1, count: 1), .init(start: 0, count: 1)]), dataset, recorder)
    for terms in [[5], [-6], [0, 3], [0, -4]] as [[Int]] {
      recorder.context = "\(terms): "
      recorder.expectError(.outOfBounds, from: "reading") { _ = try dataset.readBytes(terms) }
    }
    for axis in wrong
    where axis != .init(start: 2, count: 1) && axis != .init(start: 0, count: 3)
      && axis != .init(start: 0, count: 2, step: 2)
    {
      recorder.context = "\(axis) of the array: "
      let region = StridedSelection([axis, .init(start: 0, count: 1)])
      let layout = StridedLayout(shape: region.shape, byteStrides: [4, 4])
      recorder.expectError(.outOfBounds, from: "reading") {
        var memory = [UInt8](repeating: 0, count: 64)
        try unsafe memory.withUnsafeMutableBytes {
          var span = unsafe $0.mutableBytes
          try dataset.read(region, into: &span, layout: layout, missing: .fill)
        }
      }
    }
    recorder.context = ""
    try compare(dataset, model, recorder)
  }

  private func readChunk(
    _ chunk: ChunkIndex, _ region: StridedSelection, _ dataset: Store.Dataset, _ recorder: Recorder
  ) {
    let strides = region.shape.map { _ in 4 }
    let layout = StridedLayout(shape: region.shape, byteStrides: strides)
    recorder.expectError(.outOfBounds, from: "reading a part of a chunk") {
      var memory = [UInt8](repeating: 0, count: 64)
      try unsafe memory.withUnsafeMutableBytes {
        var span = unsafe $0.mutableBytes
        try dataset.readChunk(chunk, region: region, into: &span, layout: layout)
      }
    }
  }

  func memoryMismatch(_ recorder: Recorder, _ generator: inout SeededGenerator) throws {
    let (dataset, model) = try filled(try makeStore(), "data", small(), using: &generator)
    let wrong: [(StridedLayout, Int)] = [
      (.init(shape: [2, 1], byteStrides: [4, 4]), 64),
      (.init(shape: [4], byteStrides: [4]), 64),
      (.init(shape: [2, 2], byteStrides: [8]), 64),
      (.init(shape: [2, 2], byteStrides: [8, 4, 1]), 64),
      (.init(shape: [2, 2], byteStrides: [8, 4]), 15),
      (.init(shape: [2, 2], byteStrides: [8, 4]), 0),
      (.init(shape: [2, 2], byteOffset: 1, byteStrides: [8, 4]), 16),
      (.init(shape: [2, 2], byteOffset: -1, byteStrides: [8, 4]), 64),
      (.init(shape: [2, 2], byteOffset: 7, byteStrides: [-8, 4]), 64),
      (.init(shape: [2, 2], byteStrides: [Int.max, 4]), 64),
      (.init(shape: [2, 2], byteStrides: [Int.max, Int.max]), 64),
      (.init(shape: [2, 2], byteStrides: [Int.min, 4]), 64),
      (.init(shape: [2, 2], byteOffset: Int.max, byteStrides: [8, 4]), 64),
    ]
    let corner = StridedSelection(Selection([0..<2, 0..<2]))
    for (layout, byteCount) in wrong {
      recorder.context = "\(layout) over \(byteCount) bytes: "
      var memory = [UInt8](repeating: 1, count: byteCount)
      recorder.expectError(.sizeMismatch, from: "writing") {
        try unsafe memory.withUnsafeBytes {
          try unsafe dataset.writeChunk([0, 0], from: $0.bytes, layout: layout)
        }
      }
      recorder.expectError(.sizeMismatch, from: "reading a part of a chunk") {
        try unsafe memory.withUnsafeMutableBytes {
          var span = unsafe $0.mutableBytes
          try dataset.readChunk([0, 0], region: corner, into: &span, layout: layout)
        }
      }
      recorder.expectError(.sizeMismatch, from: "reading") {
        try unsafe memory.withUnsafeMutableBytes {
          var span = unsafe $0.mutableBytes
          try dataset.read(corner, into: &span, layout: layout, missing: .fill)
        }
      }
      recorder.expect(memory.allSatisfy { $0 == 1 }, "a refused read changed the memory")
    }
    for byteCount in [0, 15, 17] {
      recorder.context = "a selection of 16 bytes into \(byteCount): "
      recorder.expectError(.sizeMismatch, from: "reading") {
        var memory = [UInt8](repeating: 1, count: byteCount)
        try unsafe memory.withUnsafeMutableBytes {
          var span = unsafe $0.mutableBytes
          try dataset.read([0..<2, 0..<2], into: &span)
        }
      }
    }
    recorder.context = ""
    try compare(dataset, model, recorder)
  }
}
