import Foundation
import Hyperslab
import SystemPackage
import Testing

@Suite struct OutputTests {
  private let directory: TemporaryDirectory
  private let store = MemoryStore()

  init() throws { directory = try TemporaryDirectory() }

  /// An array of 0, 1, 2, … in ragged chunks.
  private func counting(_ shape: Shape, chunks: Shape) throws -> MemoryDataset {
    let count = shape.reduce(1, *)
    let source = try InMemorySource(elements: (0..<count).map(Int32.init), shape: shape)
    let iterator = try GenericDataChunkIterator(source, chunkShape: chunks)
    return try store.write(iterator, to: NodePath("counting\(UUID().uuidString)"))
  }

  private func write(_ body: (OutputFile) throws -> Void) throws -> [UInt8] {
    let file = try OutputFile(directory.path.appending("out"))
    try body(file)
    #expect(!FileManager.default.fileExists(atPath: directory.path.appending("out").string))
    try file.finish()
    defer { try? FileManager.default.removeItem(atPath: directory.path.appending("out").string) }
    return try directory.bytes(of: "out")
  }

  private func text(_ body: (OutputFile) throws -> Void) throws -> String {
    String(decoding: try write(body), as: UTF8.self)
  }

  @Test(arguments: [1, 4, 13, 64, 100_000])
  func piecesOfAnySizeMakeTheSameFile(_ byteLimit: Int) throws {
    let dataset = try counting([7, 5, 6], chunks: [2, 3, 4])
    let selections = [
      "", "3", "1:6", "::2,1:4,::-1", "::-3,::-2,1:5:2", "2,:,-2", "5,4,3", "0:0", "...,5",
      "-1:,:,0:3",
    ]
    for selection in selections {
      let terms = try AxisSlice.parse(selection)
      let array = try dataset.read(Int32.self, terms)
      let bytes = try write {
        try NpyWriter.write(terms, of: dataset, to: $0, byteLimit: byteLimit)
      }
      let header = try NpyHeader(parsing: bytes)
      #expect(header.shape == array.shape, "\(selection)")
      #expect(header.type == NumPyType(.int32))
      let body = bytes[header.byteCount...]
      #expect(
        Array(body) == array.elements.withUnsafeBytes { Array($0) },
        "\(selection) in pieces of \(byteLimit)")
      let raw = try write {
        try NpyWriter.writeRaw(terms, of: dataset, to: $0, byteLimit: byteLimit)
      }
      #expect(raw[...] == body)
    }
  }

  @Test func piecesStayWithinTheirLimit() throws {
    let slice = try ResolvedSlice([], in: [100, 30, 7])
    for byteLimit in [8, 60, 56 * 30, 56 * 30 * 17, 1 << 20] {
      let pieces = try SelectionPieces(
        slice, chunkShape: [10, 10, 7], dataType: .float64, byteLimit: byteLimit)
      var total = 0
      for piece in pieces {
        #expect(piece.byteCount <= byteLimit)
        total += piece.byteCount
      }
      #expect(total == 100 * 30 * 7 * 8)
    }
    let aligned = try SelectionPieces(
      slice, chunkShape: [10, 10, 7], dataType: .float64, byteLimit: 56 * 30 * 17)
    #expect(aligned.allSatisfy { $0.region.axes[0].start % 10 == 0 })
  }

  @Test func anUnfinishedFileLeavesNothing() throws {
    do {
      let file = try OutputFile(directory.path.appending("partial"))
      try file.write("something")
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path.string).isEmpty)
  }

  @Test func jsonNestsLikeTheShape() throws {
    let dataset = try counting([2, 2, 3], chunks: [1, 2, 2])
    let all = try text { try TextWriter.writeJSON(of: dataset, to: $0) }
    #expect(all == "[[[0, 1, 2],\n[3, 4, 5]],\n[[6, 7, 8],\n[9, 10, 11]]]\n")
    #expect(try text { try TextWriter.writeJSON([1, 1, 1], of: dataset, to: $0) } == "10\n")
    #expect(
      try text { try TextWriter.writeJSON([0..<2, 0..<0], of: dataset, to: $0) } == "[[], []]\n")
  }

  @Test func csvTakesUpToTwoAxes() throws {
    let dataset = try counting([2, 2, 3], chunks: [1, 2, 2])
    #expect(try text { try TextWriter.writeCSV([1], of: dataset, to: $0) } == "6,7,8\n9,10,11\n")
    #expect(try text { try TextWriter.writeCSV([1, 0], of: dataset, to: $0) } == "6\n7\n8\n")
    #expect { try text { try TextWriter.writeCSV(of: dataset, to: $0) } } throws: {
      ($0 as? HyperslabError)?.code == .unsupportedFormat
    }
  }

  @Test func summariesAreNumPysForm() throws {
    let small = try counting([2, 2, 3], chunks: [1, 2, 2])
    #expect(
      try ArrayText.summary(of: small)
        == "[[[ 0  1  2]\n  [ 3  4  5]]\n\n [[ 6  7  8]\n  [ 9 10 11]]]")
    #expect(try ArrayText.summary([1, 1, 1], of: small) == "10")
    let large = try counting([100, 20], chunks: [7, 20])
    #expect(
      try ArrayText.summary([AxisSlice.range(start: nil, stop: nil, step: -1)], of: large) == """
        [[1980 1981 1982 ... 1997 1998 1999]
         [1960 1961 1962 ... 1977 1978 1979]
         [1940 1941 1942 ... 1957 1958 1959]
         ...
         [  40   41   42 ...   57   58   59]
         [  20   21   22 ...   37   38   39]
         [   0    1    2 ...   17   18   19]]
        """)
  }

  @Test func chunkMapsShowWhatIsThere() throws {
    let dataset = try store.createDataset(
      NodePath("map"),
      DatasetDescription(shape: [4, 6], chunkShape: [2, 2], dataType: .uint8))
    let layout = StridedLayout(shape: [2, 2], byteStrides: [2, 1])
    try dataset.writeChunk([0, 1], from: [1, 2, 3, 4].span.bytes, layout: layout)
    try dataset.writeChunk([1, 2], from: [0, 0, 0, 0].span.bytes, layout: layout)
    #expect(try ChunkMap(dataset).lines == ["·█·", "··░"])
    #expect(try ChunkMap(dataset, lineLimit: 1, columnLimit: 3).lines == ["·▒▒"])
  }
}
