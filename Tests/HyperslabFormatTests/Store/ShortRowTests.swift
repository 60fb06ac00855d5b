import HyperslabCore
import HyperslabTestSupport
import SystemPackage
import Testing

@testable import HyperslabFormat

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Chunks with short rows, of many blocks each or many of few. Where much is read of them, they are decoded
/// side by side and placed row by row, or a few very short rows of each in turn.
@Suite struct ShortRowTests {
  private let directory: TemporaryDirectory
  private var path: FilePath { directory.path.appending("x.slab") }

  init() throws { directory = try TemporaryDirectory() }

  /// An axis of what is read.
  private struct Part {
    var start = 0
    var stop: Int
    var step = 1
  }

  /// The elements of a part of an array in which every element is its own position, as far as its type
  /// reaches.
  private func elements(_ type: DataType, _ shape: Shape, _ parts: [Part]) -> [UInt8] {
    let size = type.byteCount
    let count = parts.reduce(1) { $0 * (($1.stop - $1.start + $1.step - 1) / $1.step) }
    return [UInt8](unsafeUninitializedCapacity: count * size) { memory, written in
      func walk(_ axis: Int, _ position: Int) {
        for index in stride(from: parts[axis].start, to: parts[axis].stop, by: parts[axis].step) {
          let element = position * shape[axis] + index
          if axis + 1 < shape.rank {
            walk(axis + 1, element)
          } else {
            for byte in 0..<size {
              memory[written + byte] = UInt8(truncatingIfNeeded: element >> (8 * byte))
            }
            written += size
          }
        }
      }
      walk(0, 0)
    }
  }

  /// A store of one data set of that kind.
  private func written(
    _ type: DataType, _ shape: Shape, chunk: Shape, _ compression: Compression,
    _ bytes: [UInt8]? = nil
  ) throws -> (dataset: SlabDataset, bytes: [UInt8]) {
    let bytes = bytes ?? elements(type, shape, shape.map { Part(stop: $0) })
    let store = try SlabStore.create(at: path, durability: .fast)
    let dataset = try store.createDataset(
      "x",
      DatasetDescription(
        shape: shape, chunkShape: chunk, dataType: type, compression: compression))
    try dataset.putAll(bytes)
    try store.close()
    return (try SlabStore.open(path).dataset("x"), bytes)
  }

  private func check(
    _ dataset: SlabDataset, _ bytes: [UInt8], _ terms: [AxisSlice]
  ) throws {
    let size = dataset.description.dataType.byteCount
    let shape = dataset.grid.arrayShape
    let (positions, _) = try #require(NaiveSlicing.resolve(terms, in: shape))
    let strides = try #require(StridedLayout.rowMajor(shape, elementByteCount: size)).byteStrides
    let wanted = NaiveSlicing.combinations(positions).flatMap { position in
      let offset = zip(position, strides).reduce(0) { $0 + $1.0 * $1.1 }
      return bytes[offset..<offset + size]
    }
    #expect(try dataset.readBytes(terms).bytes == wanted, "\(terms) of \(shape)")
  }

  private static let compressions: [Compression] = [
    Compression(filter: Filter.none), Compression(filter: .shuffle),
    Compression(filter: .bitshuffle), Compression(filter: .bitshuffle, delta: 0),
  ]

  private static let kinds: [(DataType, Shape, chunk: Shape)] = [
    // Narrower than a line of the cache; the last chunk narrower still.
    (.uint16, [30_001, 23], [12_000, 5]),
    (.uint8, [150_000, 9], [50_000, 2]),
    // Wider, in planes of two axes.
    (.int32, [5, 60, 40, 70], [3, 50, 20, 25]),
    (.int64, [700, 300], [300, 70]),
    // Of fewer elements than vectors take.
    (.int64, [2000, 100], [900, 12]),
    // Of both kinds, down to a single element.
    (.int32, [2500, 145], [700, 36]),
    (.complex128, [900, 100], [400, 33]),
    // Many chunks, which a thread reads beside each other; some hold zeros only.
    (.int32, [5, 60, 40, 70], [1, 11, 11, 11]),
    (.float64, [5, 60, 40, 70], [5, 11, 11, 11]),
    (.uint16, [900, 500], [40, 11]),
  ]

  /// One of them, compressed in some way that it can be.
  private static func kind(
    _ number: Int, _ compression: Compression, blockByteCount: Int
  ) -> (DataType, Shape, chunk: Shape, Compression) {
    let (type, shape, chunk) = kinds[number]
    var compression = compression
    compression.blockByteCount = blockByteCount
    if type == .complex128 || type == .float64 { compression.delta = nil }
    return (type, shape, chunk, compression)
  }

  @Test(arguments: compressions, kinds.indices)
  func muchOfThem(compression: Compression, kind: Int) throws {
    let (type, shape, chunk, compression) = Self.kind(kind, compression, blockByteCount: 1 << 13)
    let (dataset, bytes) = try written(type, shape, chunk: chunk, compression)
    #expect(try dataset.readBytes([] as [AxisSlice]).bytes == bytes)
    let middle = shape.map { Part(start: $0 > 20 ? 3 : 0, stop: $0 > 20 ? $0 - 2 : $0) }
    var gaps = middle
    gaps[shape.rank - 1].step = 2
    var rows = middle
    rows[shape.rank - 2].step = 2
    for parts in [middle, gaps, rows] {
      let terms = parts.map { AxisSlice.range(start: $0.start, stop: $0.stop, step: $0.step) }
      #expect(
        try dataset.readBytes(terms).bytes == elements(type, shape, parts),
        "\(terms) of \(type) \(shape)")
    }
  }

  /// Blocks of nothing but zeros among them.
  @Test(arguments: compressions, kinds.indices)
  func zerosAmongThem(compression: Compression, kind: Int) throws {
    let (type, shape, chunk, compression) = Self.kind(kind, compression, blockByteCount: 1 << 12)
    var bytes = elements(type, shape, shape.map { Part(stop: $0) })
    for part in 0..<3 {
      let start = (2 * part + 1) * bytes.count / 7
      for position in start..<start + bytes.count / 7 { bytes[position] = 0 }
    }
    let dataset = try written(type, shape, chunk: chunk, compression, bytes).dataset
    let isRight = try dataset.readBytes([] as [AxisSlice]).bytes == bytes
    #expect(isRight, "\(type) \(shape)")
  }

  @Test(arguments: compressions)
  func boxes(compression: Compression) throws {
    var compression = compression
    compression.blockByteCount = 4096
    let shape: Shape = [1501, 23]
    let (dataset, bytes) = try written(.uint16, shape, chunk: [640, 5], compression)
    #expect(try dataset.readBytes([] as [AxisSlice]).bytes == bytes)
    var shapes = ShapeGenerator(SeededGenerator("narrow", compression.delta ?? 1))
    for _ in 0..<12 { try check(dataset, bytes, shapes.terms(in: shape)) }
    // Rows of a result that begin and end inside chunks.
    try check(dataset, bytes, [.range(start: 410, stop: 1300, step: 1), .all])
    try check(
      dataset, bytes,
      [.range(start: 3, stop: 1400, step: 1), .range(start: 3, stop: 17, step: 1)])
  }

  @Test func severalAxes() throws {
    let shape: Shape = [5, 60, 40, 7]
    let (dataset, bytes) = try written(
      .int32, shape, chunk: [3, 50, 20, 3], Compression(filter: .shuffle, blockByteCount: 4096))
    #expect(try dataset.readBytes([] as [AxisSlice]).bytes == bytes)
    var shapes = ShapeGenerator(SeededGenerator("narrow axes"))
    for _ in 0..<12 { try check(dataset, bytes, shapes.terms(in: shape)) }
  }

  /// More blocks side by side than are kept at a time.
  @Test func widerThanTheShelf() throws {
    let (dataset, bytes) = try written(
      .uint8, [300_000, 24], chunk: [300_000, 4],
      Compression(filter: Filter.none, blockByteCount: 1 << 20))
    #expect(try dataset.readBytes([] as [AxisSlice]).bytes == bytes)
  }

  /// More chunks than are open at once, in rows of chunks that go together, in rows that do not, and too
  /// small for either. The large ones are padding for the most part.
  @Test(
    arguments: [
      ([3, 5000, 92], [1, 80_000, 4]), ([5000, 300], [80_000, 4]), ([400, 45], [60, 2]),
    ] as [(Shape, Shape)])
  func inBatches(shape: Shape, chunk: Shape) throws {
    let (dataset, bytes) = try written(
      .int32, shape, chunk: chunk, Compression(filter: .shuffle))
    #expect(dataset.grid.chunkCount > SlabDataset.mostChunksTogether)
    #expect(try dataset.readBytes([] as [AxisSlice]).bytes == bytes)
    let rows = [
      AxisSlice.range(start: 100, stop: 130, step: 1), .range(start: 3, stop: 44, step: 2),
    ]
    try check(dataset, bytes, Array(repeating: .all, count: shape.rank - 2) + rows)
  }

  /// A data set that no cache holds.
  private func large(columns: Int, chunk: Shape) throws -> (dataset: SlabDataset, bytes: [UInt8]) {
    let shape: Shape = [((1 << 24) / columns / 4 + 1) * 4, columns]
    let words = (0..<shape[0] * shape[1] / 4).map { UInt64($0) &* 0x9E37_79B9_7F4A_7C15 }
    return try written(
      .uint16, shape, chunk: chunk, Compression(filter: .bitshuffle),
      words.withUnsafeBytes { Array($0) })
  }

  /// Rows that together leave no gap go past the cache to memory that is used already, and so large that
  /// no cache holds it; not a byte beside them.
  @Test(
    arguments: [(19, [300_000, 5], 70), (32, [300_000, 10], 64), (64, [100_000, 10], 64)]
      as [(Int, Shape, Int)])
  func intoLargeMemory(columns: Int, chunk: Shape, before: Int) throws {
    let (dataset, bytes) = try large(columns: columns, chunk: chunk)
    let memory = ElementBuffer(byteCount: bytes.count + 256)
    let all = UnsafeMutableRawBufferPointer(start: memory.pointer, count: memory.byteCount)
    all.initializeMemory(as: UInt8.self, repeating: 0xA5)
    let result = UnsafeMutableRawBufferPointer(rebasing: all[before..<before + bytes.count])
    #expect(DisjointMemory(result)?.isOutOfCache == true)
    var span = result.mutableBytes
    try dataset.read(into: &span)
    let isRight = Array(result) == bytes
    #expect(isRight)
    #expect(all[..<before].allSatisfy { $0 == 0xA5 })
    #expect(all[(before + bytes.count)...].allSatisfy { $0 == 0xA5 })
  }

  /// Memory that nobody used before, a huge page of it after the other: of short rows side by side, of long
  /// ones, and of chunks that are small or many.
  @Test(
    arguments: [(19, [300_000, 5]), (4000, [500, 2000]), (64, [20_000, 16]), (4000, [50, 100])]
      as [(Int, Shape)])
  func intoFreshMemory(columns: Int, chunk: Shape) throws {
    let (dataset, bytes) = try large(columns: columns, chunk: chunk)
    let memory = try #require(
      mmap(
        nil, bytes.count, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))
    defer { munmap(memory, bytes.count) }
    let result = UnsafeMutableRawBufferPointer(start: memory, count: bytes.count)
    #if os(Linux)
      #expect(DisjointMemory(result)?.isFresh == true)
    #endif
    var span = result.mutableBytes
    try dataset.read(into: &span)
    let isRight = Array(result) == bytes
    #expect(isRight)
  }

  /// A damaged block is told of with its file, and the next read is none the worse.
  @Test(
    arguments: [([50_000, 23], [20_000, 5]), ([2000, 500], [40, 11])] as [(Shape, Shape)])
  func damageAmongThem(shape: Shape, chunk: Shape) throws {
    let (dataset, bytes) = try written(
      .uint16, shape, chunk: chunk, Compression(filter: .bitshuffle, blockByteCount: 4096))
    let file = path.appending("x/c/1/2")
    let sound = try contents(file)
    var damaged = sound
    damaged[damaged.count / 2] ^= 0x10
    try write(damaged, to: file)
    let error = try #require(throws: HyperslabError.self) {
      try dataset.readBytes([] as [AxisSlice])
    }
    #expect(error.code == .checksum && error.place?.contains("x/c/1/2") == true, "\(error)")
    try write(sound, to: file)
    #expect(try dataset.readBytes([] as [AxisSlice]).bytes == bytes)
  }
}
