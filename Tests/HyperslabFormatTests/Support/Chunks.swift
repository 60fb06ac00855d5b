import HyperslabCore
import HyperslabFormat
import SystemPackage
import Testing

/// A data set of small chunks of one axis, so that a test can name chunks by number.
func row(chunks: Int, filter: Filter? = Filter.none) -> DatasetDescription {
  DatasetDescription(
    shape: [4 * chunks], chunkShape: [4], dataType: .int32, compression: .init(filter: filter))
}

extension SlabDataset {
  /// Writes every chunk from the bytes of the whole array.
  func putAll(_ bytes: [UInt8]) throws {
    let layout = try #require(
      StridedLayout.rowMajor(
        grid.arrayShape, elementByteCount: description.dataType.byteCount))
    try bytes.withUnsafeBytes { memory in
      for chunk in grid.chunks {
        try writeChunk(
          chunk, from: memory.bytes, layout: try layout.slice(grid.selection(of: chunk)))
      }
    }
  }

  /// Writes a chunk of four `int32`.
  func put(_ chunk: Int, _ values: [Int32]) throws {
    let layout = StridedLayout(shape: [4], byteStrides: [4])
    try values.withUnsafeBytes { try writeChunk([chunk], from: $0.bytes, layout: layout) }
  }

  /// Writes a chunk of one value.
  func put(_ chunk: Int, _ value: Int32) throws {
    try put(chunk, Array(repeating: value, count: 4))
  }

  /// The first value of each chunk; nil for one never written.
  func firsts() throws -> [Int32?] {
    try (0..<grid.chunkCount).map { chunk in
      if try state(of: [chunk]) == .neverWritten { return nil }
      return try read(Int32.self, [4 * chunk..<4 * chunk + 4]).elements[0]
    }
  }
}

/// The values that a reader who opens the store now sees.
func firsts(_ path: FilePath, _ name: String) throws -> [Int32?] {
  try SlabStore.open(path).dataset(name).firsts()
}

/// Whether `body` throws an error of a code.
func expectError(
  _ code: HyperslabError.Code, sourceLocation: SourceLocation = #_sourceLocation,
  _ body: () throws -> Void
) {
  let error = #expect(throws: HyperslabError.self, sourceLocation: sourceLocation) { try body() }
  #expect(error?.code == code, "\(error.map { "\($0)" } ?? "")", sourceLocation: sourceLocation)
}
