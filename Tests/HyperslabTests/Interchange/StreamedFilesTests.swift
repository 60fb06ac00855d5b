import Foundation
import Hyperslab
import SystemPackage
import Testing

/// Chunks of files are encoded while they are read: what arrives is the array, whatever its shape.
@Suite struct StreamedFilesTests {
  private let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory() }

  private func source(_ values: [UInt16], _ shape: Shape, isBig: Bool) throws -> RawFile {
    let path = directory.path.appending("\(UUID().uuidString).bin")
    let data = values.reduce(into: Data(capacity: 2 * values.count)) { data, value in
      withUnsafeBytes(of: isBig ? value.bigEndian : value.littleEndian) {
        data.append(contentsOf: $0)
      }
    }
    try data.write(to: URL(fileURLWithPath: path.string))
    let type = NumPyType(.uint16, byteOrder: isBig ? .big : .little)
    return try RawFile(path, type: type, shape: shape.axes)
  }

  /// Mostly small steps; where a chunk is nothing but zeros, the fill value.
  private func values(_ count: Int, _ random: inout SystemRandomNumberGenerator) -> [UInt16] {
    let zeros = Int.random(in: 0...count, using: &random)
    return (0..<count).map { $0 < zeros ? 0 : UInt16(truncatingIfNeeded: $0 &* 7 / 3) }
  }

  private var options: WriteOptions {
    var options = WriteOptions(compression: Compression(blockByteCount: 4096))
    options.leastRunByteCount = 1
    return options
  }

  @Test func everyShapeInBlocksThatEndInRows() throws {
    var random = SystemRandomNumberGenerator()
    let store = try SlabStore.create(at: directory.path.appending("shapes.slab"))
    for round in 0..<12 {
      let rank = Int.random(in: 1...4, using: &random)
      let most = [40_000, 250, 45, 17][rank - 1]
      let shape = Shape((0..<rank).map { _ in Int.random(in: 1...most, using: &random) })
      let chunk = Shape(shape.map { Int.random(in: Swift.max(1, $0 / 4)...$0, using: &random) })
      let buffer = Shape(
        zip(shape, chunk).map { length, step in
          Bool.random(using: &random)
            ? length : step * Int.random(in: 1...Swift.max(1, length / step), using: &random)
        })
      let note = "\(shape), chunks \(chunk), buffers \(buffer)"
      let expected = values(shape.reduce(1, *), &random)
      let file = try source(expected, shape, isBig: round % 3 == 0)
      let iterator = try GenericDataChunkIterator(file, bufferShape: buffer, chunkShape: chunk)
      var options = options
      options.threads = Int.random(in: 1...5, using: &random)
      let dataset = try store.write(iterator, to: "s\(round)", options: options)
      #expect(try dataset.read(UInt16.self).elements == expected, "\(note)")

      let memory = try InMemorySource(elements: expected, shape: shape)
      let plain = try store.write(
        GenericDataChunkIterator(memory, bufferShape: buffer, chunkShape: chunk), to: "m\(round)",
        options: options)
      #expect(
        try store.dataset("s\(round)").info.statistics
          == store.dataset("m\(round)").info.statistics, "\(note)")
      for index in plain.grid.chunks {
        #expect(try dataset.state(of: index) == plain.state(of: index), "\(note) \(index)")
      }
    }
    try store.close()
  }

  @Test func whatIsMissingIsWritten() throws {
    var random = SystemRandomNumberGenerator()
    let shape: Shape = [60, 700]
    let expected = values(60 * 700, &random)
    let file = try source(expected, shape, isBig: false)
    let store = try SlabStore.create(at: directory.path.appending("missing.slab"))
    var options = options
    let iterator = try GenericDataChunkIterator(
      file, bufferShape: [60, 700], chunkShape: [25, 101])
    let dataset = try store.createDataset("x", options.description(for: iterator.plan))
    for chunk: ChunkIndex in [[0, 0], [0, 3], [1, 6], [2, 2]] {
      let box = dataset.grid.selection(of: chunk)
      let part = box.bounds[0].flatMap { row in
        box.bounds[1].map { expected[row * 700 + $0] }
      }
      let layout = try #require(StridedLayout.rowMajor(box.shape, elementByteCount: 2))
      try part.withUnsafeBytes {
        try dataset.writeChunk(chunk, from: $0.bytes, layout: layout)
      }
    }
    try store.commit()
    options.resume = true
    let whole = try store.write(iterator, to: "x", options: options)
    #expect(try whole.read(UInt16.self).elements == expected)
    try store.close()
  }

  @Test func appendsBeginInTheMiddleOfChunks() throws {
    var random = SystemRandomNumberGenerator()
    let shape: Shape = [300, 90]
    let expected = values(300 * 90, &random)
    let file = try source(expected, shape, isBig: true)
    let store = try SlabStore.create(at: directory.path.appending("append.slab"))
    var options = options
    options.maximumShape = [nil, 90]
    let iterator = try GenericDataChunkIterator(
      file, bufferShape: [120, 90], chunkShape: [40, 31])
    try store.write(iterator, to: "x", options: options)
    options.maximumShape = nil
    try store.append(file, to: "x", options: options)
    #expect(try store.dataset("x").read(UInt16.self).elements == expected + expected)
    try store.close()
  }
}
