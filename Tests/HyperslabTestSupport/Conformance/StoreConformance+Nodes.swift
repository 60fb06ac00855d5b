import HyperslabCore

extension StoreConformance {
  func small(_ dataType: DataType = .int32) -> DatasetDescription {
    DatasetDescription(shape: [5, 3], chunkShape: [2, 2], dataType: dataType)
  }

  func groups(_ recorder: Recorder, _ generator: inout SeededGenerator) throws {
    let store = try makeStore()
    let deep = try NodePath("a/b/d")
    try store.createGroup(deep, attributes: ["kind": "deep"])
    for text in ["a", "a/b", "a/b/d"] {
      let path = try NodePath(text)
      recorder.expectError(.wrongKind, from: "opening group \(text)") {
        _ = try store.dataset(path)
      }
      recorder.expectError(.alreadyExists, from: "creating group \(text) again") {
        try store.createGroup(path, attributes: [:])
      }
    }
    recorder.expectError(.alreadyExists, from: "creating the root") {
      try store.createGroup(.root, attributes: [:])
    }
    try store.createGroup(try NodePath("a/b/e"), attributes: [:])
    _ = try store.createDataset(try NodePath("a/x"), small())
    for text in ["a/x", "a/x/y", "a/x/y/z"] {
      let path = try NodePath(text)
      recorder.expectError(.alreadyExists, from: "a group at \(text), in a data set's way") {
        try store.createGroup(path, attributes: [:])
      }
    }
    let between = try NodePath("a/x/y")
    recorder.expectError(.notFound, from: "what a refused creation could have left") {
      _ = try store.dataset(between)
    }
  }

  func creation(_ recorder: Recorder, _ generator: inout SeededGenerator) throws {
    let store = try makeStore()
    var description = small(.float32)
    description.maximumShape = [nil, 3]
    description.fillValue = FillValue(Float.nan)
    description.dimensionNames = ["t", nil]
    description.unit = "uV"
    description.attributes = [
      "gain": 2.5, "serial": .unsigned(UInt64.max), "tags": ["a", nil, true],
    ]
    let path = try NodePath("p/q/data")
    let dataset = try store.createDataset(path, description)
    recorder.expectEqual(dataset.path, path, "path")
    compare(dataset.description, description, recorder)
    recorder.expectEqual(dataset.grid, try description.validated(), "grid")
    for chunk in dataset.grid.chunks {
      recorder.expectEqual(
        try dataset.state(of: chunk), .neverWritten, "state of new chunk \(chunk)")
    }
    for text in ["p", "p/q"] {
      let group = try NodePath(text)
      recorder.expectError(.wrongKind, from: "group \(text) above it") {
        _ = try store.dataset(group)
      }
      recorder.expectError(.alreadyExists, from: "a data set over group \(text)") {
        _ = try store.createDataset(group, description)
      }
    }
    for text in ["", "p/q/data", "p/q/data/below"] {
      let taken = try NodePath(text)
      // At the root, the missing name may be what a store objects to.
      recorder.expectError(.alreadyExists, .invalidName, from: "a data set at \"\(text)\"") {
        _ = try store.createDataset(taken, description)
      }
    }
  }

  /// Compares what a store must keep; how it compresses is its own business.
  func compare(_ found: DatasetDescription, _ expected: DatasetDescription, _ recorder: Recorder) {
    recorder.expectEqual(found.shape, expected.shape, "shape")
    recorder.expectEqual(found.chunkShape, expected.chunkShape, "chunk shape")
    recorder.expectEqual(found.maximumShape, expected.maximumShape, "maximum shape")
    recorder.expectEqual(found.dataType, expected.dataType, "data type")
    recorder.expectEqual(found.fillValue, expected.fillValue, "fill value")
    recorder.expectEqual(found.dimensionNames, expected.dimensionNames, "dimension names")
    recorder.expectEqual(found.unit, expected.unit, "unit")
    recorder.expectEqual(found.attributes, expected.attributes, "attributes")
  }

  func refusedDescriptions(_ recorder: Recorder, _ generator: inout SeededGenerator) throws {
    let store = try makeStore()
    let refused = RefusedDescriptions(
      store: store, path: try NodePath("refused/data"), start: small(), recorder: recorder)
    refused(.invalidShape, "a chunk axis of 0") { $0.chunkShape = [2, 0] }
    refused(.invalidShape, "a chunk of another rank") { $0.chunkShape = [2] }
    refused(.invalidShape, "a negative axis") { $0.shape = [-1, 3] }
    refused(.invalidShape, "a maximum below the shape") { $0.maximumShape = [4, 3] }
    refused(.invalidShape, "a maximum of another rank") { $0.maximumShape = [nil] }
    refused(.typeMismatch, "a fill value of another type") { $0.fillValue = FillValue(Float(1)) }
    refused(.invalidValue, "too few dimension names") { $0.dimensionNames = ["x"] }
    refused(.invalidValue, "a dimension name twice") { $0.dimensionNames = ["x", "x"] }
    refused(.invalidValue, "a level beyond 12") { $0.compression.level = 13 }
    refused(.invalidValue, "an attribute that JSON cannot hold") {
      $0.attributes = ["x": [.double(.infinity)]]
    }
    refused(.overflow, "more chunks than 64 bits count") {
      $0 = DatasetDescription(shape: [1 << 40, 1 << 40], chunkShape: [1, 1], dataType: .int8)
    }
    refused(.overflow, "a chunk of more bytes than 64 bits count") {
      let shape: Shape = [1 << 31, 1 << 31]
      $0 = DatasetDescription(shape: shape, chunkShape: shape, dataType: .int32)
    }
    _ = try store.createDataset(refused.path, small())
  }

  func opening(_ recorder: Recorder, _ generator: inout SeededGenerator) throws {
    let store = try makeStore()
    let path = try NodePath("g/data")
    let created = try store.createDataset(path, small())
    let bytes = ElementPattern.bytes(count: 4, of: .int32, using: &generator)
    try write([0, 0], bytes, to: created)
    let opened = try store.dataset(path)
    recorder.expectEqual(opened.path, path, "path")
    compare(opened.description, created.description, recorder)
    recorder.expectEqual(opened.grid, created.grid, "grid")
    recorder.expectEqual(
      try opened.state(of: [0, 0]), .stored, "state seen through another opening")
    recorder.expectEqual(
      try opened.readBytes([0..<2, 0..<2]).bytes, bytes, "elements seen through another opening")
    for text in ["h", "g/other", "g/data/below"] {
      let missing = try NodePath(text)
      recorder.expectError(.notFound, from: "opening \(text)") { _ = try store.dataset(missing) }
    }
    for group in [NodePath.root, try NodePath("g")] {
      recorder.expectError(.wrongKind, from: "opening group \"\(group)\"") {
        _ = try store.dataset(group)
      }
    }
  }
}
