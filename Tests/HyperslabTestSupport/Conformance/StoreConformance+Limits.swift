import HyperslabCore

extension StoreConformance {
  func limits(_ recorder: Recorder, _ generator: inout SeededGenerator) throws {
    let store = try makeStore()
    let refused = RefusedDescriptions(
      store: store, path: try NodePath("refused/data"), start: small(), recorder: recorder)
    refused(.limit, "more than 2^40 chunks") {
      $0 = DatasetDescription(shape: [1 << 41], chunkShape: [1], dataType: .int8)
    }
    refused(.limit, "an axis of 2^62") {
      $0 = DatasetDescription(shape: [1 << 62], chunkShape: [1 << 30], dataType: .int8)
    }
    refused(.limit, "a maximum length of 2^62") { $0.maximumShape = [1 << 62, 3] }
    refused(.chunkTooLarge, "a chunk of 2 GiB") {
      $0 = DatasetDescription(shape: [1 << 28], chunkShape: [1 << 28], dataType: .int64)
    }
    refused(.chunkTooLarge, "blocks of 100 bytes") { $0.compression.blockByteCount = 100 }
    refused(.chunkTooLarge, "blocks of 1 GiB") { $0.compression.blockByteCount = 1 << 30 }
    refused(.invalidValue, "a level of 0") { $0.compression.level = 0 }
    refused(.invalidValue, "differences along an axis that is not there") {
      $0.compression.delta = 2
    }
    refused(.invalidValue, "differences with another filter than bit shuffle") {
      $0.compression = Compression(filter: .shuffle, delta: 0)
    }
    refused(.typeMismatch, "differences of floats") {
      $0 = DatasetDescription(
        shape: [5], chunkShape: [5], dataType: .float32, compression: Compression(delta: 0))
    }
    refused(.invalidShape, "33 axes") {
      let axes = Shape(Array(repeating: 1, count: 33))
      $0 = DatasetDescription(shape: axes, chunkShape: axes, dataType: .int8)
    }
    refused(.invalidValue, "a dimension name of 256 bytes") {
      $0.dimensionNames = ["x", String(repeating: "y", count: 256)]
    }
    refused(.invalidValue, "a fingerprint of 1025 bytes") {
      $0.sourceFingerprint = String(repeating: "f", count: 1025)
    }
    let large: JSONObject = ["x": .string(String(repeating: "x", count: 1 << 20))]
    let deep: JSONObject = ["x": (0..<65).reduce(1) { value, _ in [value] }]
    let infinite: JSONObject = ["x": .double(.nan)]
    refused(.limit, "attributes of more than 1 MiB") { $0.attributes = large }
    refused(.invalidValue, "attributes nested 65 deep") { $0.attributes = deep }
    let group = try NodePath("refused/group")
    let refusals: [(HyperslabError.Code, JSONObject)] = [
      (.limit, large), (.invalidValue, deep), (.invalidValue, infinite),
    ]
    for (code, attributes) in refusals {
      recorder.expectError(code, from: "a group with refused attributes") {
        try store.createGroup(group, attributes: attributes)
      }
    }
    recorder.expectError(.notFound, from: "a group that was refused") {
      _ = try store.dataset(group)
    }
    try growing(store, recorder)
  }

  /// Resizing meets the same limits; nothing has changed then.
  private func growing(_ store: Store, _ recorder: Recorder) throws {
    let path = try NodePath("growing")
    let dataset = try store.createDataset(
      path,
      DatasetDescription(
        shape: [4, 2], chunkShape: [1, 2], dataType: .int8, maximumShape: [nil, 3]))
    let wrong: [(HyperslabError.Code, Shape)] = [
      (.invalidShape, [4]), (.invalidShape, [4, 2, 1]), (.invalidShape, [-1, 2]),
      (.invalidShape, [4, 4]), (.limit, [1 << 41, 2]),
    ]
    for (code, shape) in wrong {
      recorder.expectError(code, .unsupported, from: "resizing to \(shape)") {
        _ = try store.resizeDataset(path, to: shape)
      }
    }
    recorder.expectEqual(
      try store.dataset(path).grid, dataset.grid, "the grid after resizing was refused")
    let missing = try NodePath("missing")
    recorder.expectError(.notFound, .unsupported, from: "resizing nothing") {
      _ = try store.resizeDataset(missing, to: [1])
    }
  }

  func names(_ recorder: Recorder, _ generator: inout SeededGenerator) throws {
    let store = try makeStore()
    recorder.expectError(.invalidName, from: "a data set without a name") {
      _ = try store.createDataset(.root, small())
    }
    _ = try store.createDataset(try NodePath("Group/Data"), small())
    for text in ["group", "group/other", "Group/data", "GROUP/Data/x"] {
      let path = try NodePath(text)
      recorder.expectError(.invalidName, from: "a data set at \(text)") {
        _ = try store.createDataset(path, small())
      }
      recorder.expectError(.invalidName, from: "a group at \(text)") {
        try store.createGroup(path, attributes: [:])
      }
      recorder.expectError(.notFound, from: "opening \(text)") { _ = try store.dataset(path) }
    }
    _ = try store.createDataset(try NodePath("Group/other"), small())
  }
}
