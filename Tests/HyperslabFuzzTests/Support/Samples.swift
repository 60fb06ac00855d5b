import Foundation
import HyperslabCodecs
import HyperslabCore
import HyperslabTestSupport
import SystemPackage

@testable import HyperslabFormat

/// A valid file of JSON.
struct SampleDocument: Sendable {
  let bytes: [UInt8]
  let json: JSONSample

  init(_ bytes: [UInt8]) throws(HyperslabError) {
    self.bytes = bytes
    json = JSONSample(try JSONParser.parse(bytes, depthLimit: 80))
  }
}

/// Valid stores as the product writes them, of all types and filters: what mutations start from.
struct SampleStore: Sendable {
  let files: MemoryFiles
  let index: StoreIndex
  /// `slab.json` as it is and as it was after each commit.
  let roots: [SampleDocument]

  static let all: [SampleStore] = {
    do { return try (0..<8).map(SampleStore.init(number:)) } catch {
      preconditionFailure("no sample stores: \(error)")
    }
  }()

  private init(number: Int) throws {
    let types = DataType.allCases
    var generator = SeededGenerator("sample store", number)
    let directory = FileManager.default.temporaryDirectory
      .appendingPathComponent("fuzz-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: directory) }
    let path = FilePath(directory.path).appending("s.slab")
    let store = try SlabStore.create(at: path, durability: .fast)
    var roots: [SampleDocument] = []
    var datasets: [SlabDataset] = []
    try store.createGroup("g", attributes: ["note": ["nested", [1, 2.5, nil], "é"]])
    for offset in 0..<2 {
      let type = types[(2 * number + offset) % types.count]
      let shapes: [(Shape, Shape)] = [
        ([9], [4]), ([], []), ([5, 6], [2, 4]), ([3000], [2500]), ([3, 2, 4], [2, 2, 3]),
        ([0, 3], [1, 2]), ([40, 70], [40, 70]), ([30_000], [30_000]),
      ]
      let (shape, chunkShape) = shapes[(number + 3 * offset) % shapes.count]
      let isLong = shape == [30_000]
      let filters: [Filter?] = [Filter.none, .shuffle, .bitshuffle]
      var maximum: [Int?] = shape.map { $0 }
      if !maximum.isEmpty { maximum[0] = nil }
      let filter = isLong ? nil : filters[(number + offset) % 3]
      let isInteger = type.rawValue.contains("int")
      var description = DatasetDescription(
        shape: shape, chunkShape: chunkShape, dataType: type, maximumShape: maximum,
        fillValue: try FillValue(
          bytes: ElementPattern.bytes(count: 1, of: type, using: &generator), dataType: type),
        dimensionNames: offset == 0 ? nil : shape.indices.map { "x\($0)" },
        unit: offset == 0 ? "mV" : nil, attributes: ["rate": 2.5],
        compression: Compression(filter: filter, blockByteCount: 4096))
      if isInteger, filter == .bitshuffle, !shape.isEmpty {
        description.compression.delta = number % shape.rank
      }
      datasets.append(try store.createDataset(offset == 0 ? "a" : "g/b", description))
    }
    // Two commits that overwrite each other, so that runs overlap and staged files are pending.
    for pass in 0..<2 {
      for dataset in datasets {
        for chunk in dataset.grid.chunks where pass == 0 || generator.chance(1, in: 2) {
          try Self.write(chunk, of: dataset, using: &generator)
        }
      }
      if pass == 1 {
        // Runs of two grids, pending drops, and something removed.
        datasets[0] = try datasets[0].resized(
          to: Shape(datasets[0].grid.arrayShape.map { $0 / 2 + 1 }))
        try store.remove(try NodePath("gone"))
      } else {
        try store.createGroup("gone")
      }
      try store.commit()
      roots.append(try SampleDocument(Self.bytes(path.appending("slab.json"))))
    }
    if number % 2 == 0 {
      try store.close()
      roots.append(try SampleDocument(Self.bytes(path.appending("slab.json"))))
    }
    var contents: [StorePath: [UInt8]] = [:]
    for name in try FileManager.default.subpathsOfDirectory(atPath: path.string) {
      var isDirectory: ObjCBool = false
      let file = path.appending(name)
      if FileManager.default.fileExists(atPath: file.string, isDirectory: &isDirectory),
        !isDirectory.boolValue
      {
        contents[StorePath(name)] = try Self.bytes(file)
      }
    }
    files = MemoryFiles(contents: contents)
    index = try StoreIndex(try Self.bytes(path.appending("slab.json")), place: "sample")
    self.roots = roots
    if number % 2 == 1 { try? store.close() }
  }

  private static func bytes(_ file: FilePath) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: URL(fileURLWithPath: file.string)))
  }

  private static func write(
    _ chunk: ChunkIndex, of dataset: SlabDataset, using generator: inout SeededGenerator
  ) throws {
    let type = dataset.description.dataType
    let shape = dataset.grid.validShape(of: chunk)
    guard let count = shape.elementCount,
      let layout = StridedLayout.rowMajor(shape, elementByteCount: type.byteCount)
    else { return }
    let fill = generator.chance(1, in: 8)
    let fillBytes = Array((0..<count).map { _ in dataset.description.fillValue.bytes }.joined())
    var bytes = fill ? fillBytes : ElementPattern.bytes(count: count, of: type, using: &generator)
    if count > 10_000 {
      // All but some: blocks that repeat each other.
      let part = count / 3 * type.byteCount..<count / 2 * type.byteCount
      bytes = Array(
        fillBytes[..<part.lowerBound] + bytes[part] + fillBytes[part.upperBound...])
    }
    try bytes.withUnsafeBytes { try dataset.writeChunk(chunk, from: $0.bytes, layout: layout) }
  }
}

/// A chunk file with all that is needed to read it.
struct SampleFrame: Sendable {
  let format: FrameFormat
  let chunkShape: Shape
  let row: ChunkRow
  let bytes: [UInt8]

  /// Of all sample stores.
  static let all: [SampleFrame] = {
    var frames: [SampleFrame] = []
    for store in SampleStore.all {
      let cache = RunCache(files: store.files)
      for (path, record) in store.index.datasets {
        guard let format = try? record.frameFormat(filter: record.filter ?? .none) else { continue }
        let table = ChunkTable(record: record, store: store.index.uuid, cache: cache)
        try? table.forEachRow { chunk, row in
          let file = StoreLayout.chunk(path, chunk)
          guard row.state == .stored, let bytes = store.files.contents[file],
            bytes.count == row.byteCount
          else { return }
          frames.append(
            SampleFrame(
              format: format, chunkShape: record.grid.chunkShape, row: row, bytes: bytes))
        }
      }
    }
    return frames
  }()
}

/// A run with the record that lists it.
struct SampleRun: Sendable {
  let store: SampleStore
  let path: NodePath
  let record: DatasetRecord
  let reference: DatasetRecord.RunReference
  let document: SampleDocument

  /// Of all sample stores.
  static let all: [SampleRun] = {
    var runs: [SampleRun] = []
    for store in SampleStore.all {
      for (path, record) in store.index.datasets {
        for reference in record.runs {
          let file = StoreLayout.run(record.tableDirectory, reference)
          guard let bytes = store.files.contents[file],
            let document = try? SampleDocument(bytes)
          else { continue }
          runs.append(
            SampleRun(
              store: store, path: path, record: record, reference: reference, document: document))
        }
      }
    }
    return runs
  }()
}
