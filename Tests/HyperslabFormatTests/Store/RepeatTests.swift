import HyperslabCore
import HyperslabTestSupport
import SystemPackage
import Testing

@testable import HyperslabFormat

/// Data sets whose chunks store a block of the fill value once.
@Suite struct RepeatTests {
  private let directory: TemporaryDirectory
  private var path: FilePath { directory.path.appending("x.slab") }

  init() throws { directory = try TemporaryDirectory() }

  /// Bytes of which one in four rows of 8 KiB is not the fill value, in chunks of files of any size.
  private static let shape: Shape = [96, 8192]
  private static let chunkShape: Shape = [40, 8192]

  private func description(_ fill: UInt8 = 0) throws -> DatasetDescription {
    DatasetDescription(
      shape: Self.shape, chunkShape: Self.chunkShape, dataType: .uint8,
      fillValue: try FillValue(bytes: [fill], dataType: .uint8),
      compression: .init(blockByteCount: 8192))
  }

  private func values(_ fill: UInt8 = 0, bits: Int) -> [UInt8] {
    var result = [UInt8](repeating: fill, count: 96 * 8192)
    for row in 0..<96 where row % 8 > 5 || row == 0 {
      for column in 0..<8192 {
        let number = UInt32(truncatingIfNeeded: row * 8192 + column) &* 0x9E37_79B9
        result[row * 8192 + column] = UInt8(truncatingIfNeeded: number >> 11) & (1 << bits - 1)
      }
    }
    return result
  }

  /// Writes all, with a coding chosen by all of it.
  private func write(_ values: [UInt8], to dataset: SlabDataset) throws {
    let layout = try #require(StridedLayout.rowMajor(Self.shape, elementByteCount: 1))
    try values.withUnsafeBytes { try dataset.prepare(sample: $0.bytes, layout: layout) }
    try dataset.putAll(values)
  }

  private func text(_ name: String) throws -> String {
    String(decoding: try contents(path.appending(name)), as: UTF8.self)
  }

  /// Files that are read whole, and such of which windows are.
  @Test(arguments: [1, 4, 7], [0, 9])
  func whatGoesInComesOut(bits: Int, fill: UInt8) throws {
    let values = values(fill, bits: bits)
    let store = try SlabStore.create(at: path, durability: .fast)
    let dataset = try store.createDataset("x", try description(fill))
    try write(values, to: dataset)
    try store.close()
    #expect(try text("slab.json").contains("\"repeats\": true"))
    let read = try SlabStore.open(path).dataset("x")
    #expect(try read.readBytes([0..<96, 0..<8192]).bytes == values)
    var generator = SeededGenerator("repeats, boxes", bits)
    for _ in 0..<12 {
      let low = Int.random(in: 0..<96, using: &generator)
      let rows = low..<Int.random(in: low + 1...96, using: &generator)
      let left = Int.random(in: 0..<8192, using: &generator)
      let columns = left..<Int.random(in: left + 1...8192, using: &generator)
      let wanted = rows.flatMap { values[$0 * 8192 + left..<$0 * 8192 + columns.upperBound] }
      #expect(try read.readBytes([rows, columns]).bytes == wanted, "\(rows) \(columns)")
    }
    #expect(try SlabStore.verify(path).ok)
  }

  @Test func theFeatureIsListedAsLongAsItIsUsed() throws {
    let store = try SlabStore.create(at: path)
    let values = values(bits: 1)
    let dataset = try store.createDataset("x", try description())
    #expect(try text("slab.json").contains("\"read_features\": []"))
    try write(values, to: dataset)
    try store.commit()
    #expect(try text("slab.json").contains("\"read_features\": [\"repeats\"]"))
    _ = try store.createDataset(
      "y", .init(shape: [4], chunkShape: [2], dataType: .int8, compression: .init(delta: 0)))
    try store.commit()
    #expect(try text("slab.json").contains("\"read_features\": [\"delta\", \"repeats\"]"))
    try store.remove(try NodePath("x"))
    try store.remove(try NodePath("y"))
    try store.commit()
    #expect(try text("slab.json").contains("\"read_features\": []"))
    try store.close()
  }

  /// Stored small: each chunk has its first block of the fill value and no other.
  @Test func blocksAreStoredOnce() throws {
    let values = values(bits: 1)
    let store = try SlabStore.create(at: path, durability: .fast)
    for name in ["once", "each"] {
      var description = try description()
      if name == "each" { description.compression.filter = Filter.none }
      let dataset = try store.createDataset(name, description)
      try write(values, to: dataset)
    }
    try store.close()
    let read = try SlabStore.open(path)
    let sizes = try ["once", "each"].map { try read.dataset($0).info.storedByteCount }
    // 71 of 96 rows and 24 of padding are such blocks; LZ4 makes 43 bytes of each with its length word.
    #expect(sizes[0] < sizes[1] - 85 * 43)
  }

  /// Neither the kept indexes nor `zarr.json` tell of it.
  @Test func aLostIndexIsFoundAgain() throws {
    let values = values(bits: 2)
    let store = try SlabStore.create(at: path)
    let dataset = try store.createDataset("x", try description())
    try store.commit()
    try write(values, to: dataset)
    try store.commit()
    try store.close()
    for keeps in [true, false] {
      let copy = directory.path.appending("copy-\(keeps).slab")
      try copyTree(path, to: copy)
      let kept = try directory.files(in: copy).filter { $0.hasPrefix("__slab/root-") }
      // Of the time before the filter was chosen.
      for name in ["slab.json"] + kept where !keeps || !name.hasSuffix("root-1") {
        try remove(copy.appending(name))
      }
      let report = try SlabStore.repair(copy)
      #expect(report.ok, "\(report.remaining)")
      let read = try SlabStore.open(copy).dataset("x")
      #expect(try read.readBytes([0..<96, 0..<8192]).bytes == values)
      #expect(try SlabStore.verify(copy).ok)
    }
  }
}
