import HyperslabCore
import HyperslabTestSupport
import SystemPackage
import Testing

@testable import HyperslabFormat

/// Data sets of differences along an axis.
@Suite struct DeltaTests {
  private static let integers = DataType.allCases.filter {
    $0.kind == .signed || $0.kind == .unsigned
  }

  private let directory: TemporaryDirectory
  private var path: FilePath { directory.path.appending("x.slab") }

  init() throws { directory = try TemporaryDirectory() }

  private func description(_ type: DataType = .int16, delta: Int? = 0) -> DatasetDescription {
    DatasetDescription(
      shape: [30, 4], chunkShape: [16, 4], dataType: type, compression: .init(delta: delta))
  }

  private func text(_ name: String) throws -> String {
    String(decoding: try contents(path.appending(name)), as: UTF8.self)
  }

  /// Every integer type, along each axis, in chunks and blocks that end anywhere, whole and in boxes.
  @Test(arguments: integers)
  func whatGoesInComesOut(type: DataType) throws {
    var generator = SeededGenerator("delta \(type)")
    let store = try SlabStore.create(at: path, durability: .fast)
    var written: [(name: String, bytes: [UInt8])] = []
    for trial in 0..<24 {
      let rank = Int.random(in: 1...4, using: &generator)
      let most = [1, 20_000, 150, 30, 11][rank]
      let chunk = Shape((0..<rank).map { _ in Int.random(in: 1...most, using: &generator) })
      let shape = Shape(chunk.map { Int.random(in: 1...$0 * 2, using: &generator) })
      let description = DatasetDescription(
        shape: shape, chunkShape: chunk, dataType: type,
        fillValue: try FillValue(
          bytes: ElementPattern.bytes(count: 1, of: type, using: &generator), dataType: type),
        compression: Compression(
          filter: generator.chance(1, in: 2) ? nil : .bitshuffle,
          level: generator.chance(1, in: 6) ? 4 : 1,
          blockByteCount: [4096, 5000, 65536].randomElement(using: &generator),
          delta: Int.random(in: 0..<rank, using: &generator)))
      let dataset = try store.createDataset("d\(trial)", description)
      let count = try #require(shape.elementCount)
      // Extremes among them: differences that wrap around.
      let bytes = ElementPattern.bytes(count: count, of: type, using: &generator)
      try dataset.putAll(bytes)
      written.append(("d\(trial)", bytes))
    }
    try store.close()
    let size = type.byteCount
    let read = try SlabStore.open(path)
    for (name, bytes) in written {
      let dataset = try read.dataset(name)
      #expect(dataset.info.filter == .bitshuffle)
      let shape = dataset.grid.arrayShape
      #expect(try dataset.readBytes(shape.map { 0..<$0 }).bytes == bytes, "\(name)")
      let box = shape.map { length in
        let start = Int.random(in: 0..<length, using: &generator)
        return start..<Int.random(in: start + 1...length, using: &generator)
      }
      let layout = try #require(StridedLayout.rowMajor(shape, elementByteCount: size))
      var wanted: [UInt8] = []
      for index in (0..<box.reduce(1) { $0 * $1.count }) {
        var rest = index
        var offset = 0
        for axis in box.indices.reversed() {
          offset += (box[axis].lowerBound + rest % box[axis].count) * layout.byteStrides[axis]
          rest /= box[axis].count
        }
        wanted += bytes[offset..<offset + size]
      }
      #expect(try dataset.readBytes(box).bytes == wanted, "\(name), \(box)")
    }
    let report = try SlabStore.verify(path)
    #expect(report.ok, "\(report.problems)")
  }

  @Test func theEndsOfTheRangeWrapAround() throws {
    let store = try SlabStore.create(at: path)
    let values = (0..<80).map { [Int64.min, .max, 0, -1, 1][$0 % 5] }
    let dataset = try store.createDataset(
      "ends",
      .init(shape: [80], chunkShape: [24], dataType: .int64, compression: .init(delta: 0)))
    try writeAll(values, to: dataset)
    try store.close()
    #expect(try SlabStore.open(path).dataset("ends").read(Int64.self, [0..<80]).elements == values)
  }

  @Test func whatChangesSlowlyBecomesSmall() throws {
    let store = try SlabStore.create(at: path, durability: .fast)
    var generator = SeededGenerator("walk")
    var walk = [Int16](repeating: 0, count: 10)
    let values = (0..<20_000).flatMap { _ in
      for channel in walk.indices { walk[channel] &+= Int16.random(in: -2...2, using: &generator) }
      return walk
    }
    for delta in [nil, 0] {
      let dataset = try store.createDataset(
        delta == nil ? "plain" : "delta",
        .init(
          shape: [20_000, 10], chunkShape: [20_000, 10], dataType: .int16,
          compression: .init(filter: .bitshuffle, delta: delta)))
      try writeAll(values, to: dataset)
    }
    try store.close()
    let read = try SlabStore.open(path)
    let sizes = try ["delta", "plain"].map { try read.dataset($0).info.storedByteCount }
    #expect(Double(sizes[0]) < 0.8 * Double(sizes[1]))
    #expect(try read.dataset("delta").info.delta == 0)
    #expect(try read.dataset("plain").info.delta == nil)
  }

  // MARK: - Refusals

  @Test func onlyIntegersAndOnlyWithBitshuffle() throws {
    let store = try SlabStore.create(at: path)
    for type in DataType.allCases where !Self.integers.contains(type) {
      expectError(.typeMismatch) { _ = try store.createDataset("x", description(type)) }
    }
    for axis in [-1, 2, .max, .min] {
      expectError(.invalidValue) { _ = try store.createDataset("x", description(delta: axis)) }
    }
    for filter in [Filter.none, .shuffle] {
      var wrong = description()
      wrong.compression.filter = filter
      expectError(.invalidValue) { _ = try store.createDataset("x", wrong) }
    }
    expectError(.invalidValue) {
      _ = try store.createDataset(
        "x", .init(shape: [], chunkShape: [], dataType: .int8, compression: .init(delta: 0)))
    }
    #expect(!store.contains(try NodePath("x")))
  }

  // MARK: - What others are told

  @Test func theFeatureIsListedAsLongAsItIsUsed() throws {
    let store = try SlabStore.create(at: path)
    #expect(try text("slab.json").contains("\"read_features\": []"))
    _ = try store.createDataset("a/x", description())
    _ = try store.createDataset("y", description(delta: nil))
    try store.commit()
    #expect(try text("slab.json").contains("\"read_features\": [\"delta\"]"))
    try store.remove(try NodePath("a/x"))
    try store.commit()
    #expect(try text("slab.json").contains("\"read_features\": []"))
    try store.close()
  }

  @Test func zarrNamesACodecOfOurs() throws {
    let store = try SlabStore.create(at: path)
    _ = try store.createDataset("a/b/x", description())
    _ = try store.createDataset("a/b/y", description(delta: nil))
    _ = try store.createDataset("a/b/c1/z", description(delta: 1))
    try store.close()
    let array = try text("a/b/x/zarr.json")
    #expect(array.contains("\"hyperslab.delta-blosc\"") && !array.contains("\"blosc\""))
    #expect(array.contains("\"axis\": 0") && array.contains("\"block\": 65536"))
    func names(_ file: String, _ member: String) throws -> [String]? {
      let json = try JSONParser.parse(try contents(path.appending(file)))
      return json.object?["consolidated_metadata"]?.object?[member]?.object?.keys
    }
    #expect(try names("zarr.json", "metadata") == ["a", "a/b", "a/b/c1", "a/b/y"])
    #expect(try names("zarr.json", "hyperslab") == ["a/b/c1/z", "a/b/x"])
    #expect(try names("a/b/zarr.json", "metadata") == ["c1", "y"])
    #expect(try names("a/b/zarr.json", "hyperslab") == nil)
    // Every document is told in a bounded number of places, however deep groups are nested.
    #expect(try names("a/zarr.json", "metadata") == nil)
    #expect(try names("a/b/c1/zarr.json", "metadata") == nil)
  }

  // MARK: - Repair

  @Test(arguments: [false, true])
  func aLostIndexIsFoundAgain(derivedRootIsLost: Bool) throws {
    let store = try SlabStore.create(at: path)
    var wanted = description()
    wanted.compression.blockByteCount = 1 << 17
    let dataset = try store.createDataset("a/x", wanted)
    _ = try store.createDataset("a/never", description(delta: 1))
    let values = (0..<120).map { Int16(truncatingIfNeeded: $0 * $0 * 11) }
    try writeAll(values, to: dataset)
    try store.close()
    for name in try directory.files(in: path)
    where name == "slab.json" || name.hasPrefix("__slab/root-")
      || derivedRootIsLost && name == "zarr.json"
    {
      try remove(path.appending(name))
    }
    let report = try SlabStore.repair(path)
    #expect(report.ok, "\(report.remaining)")
    let read = try SlabStore.open(path)
    #expect(try read.dataset("a/x").read(Int16.self, [0..<30, 0..<4]).elements == values)
    let info = try read.dataset("a/x").info
    #expect(info.delta == 0 && info.filter == .bitshuffle && info.blockByteCount == 1 << 17)
    if !derivedRootIsLost {
      let never = try read.dataset("a/never").info
      #expect(never.delta == 1 && never.filter == .bitshuffle && never.storedChunks == 0)
    }
    #expect(try SlabStore.verify(path).ok)
  }
}
