import HyperslabCore
import HyperslabTestSupport
import Testing

@Suite struct MemoryStoreTests {
  @Test(arguments: StoreCheck.allCases)
  func conforms(_ check: StoreCheck) throws {
    try StoreConformance { MemoryStore() }.run(check)
  }

  @Test func keepsItsContentForAsLongAsItLives() throws {
    let conformance = StoreConformance(reopen: { $0 }, makeStore: { MemoryStore() })
    try conformance.run(.reopening)
  }

  @Test func refusesGroupAttributesThatJSONCannotHold() throws {
    let path = try NodePath("g")
    let error = #expect(throws: HyperslabError.self) {
      try MemoryStore().createGroup(path, attributes: ["x": .double(.nan)])
    }
    #expect(error?.code == .invalidValue)
  }

  /// Cost follows what was written, not what the grid has room for.
  @Test(.timeLimit(.minutes(1))) func walkingAHugeEmptyGrid() throws {
    let store = MemoryStore()
    let dataset = try store.createDataset(
      NodePath("x"), DatasetDescription(shape: [1 << 35], chunkShape: [1], dataType: .int8))
    let layout = StridedLayout(shape: [1], byteStrides: [1])
    for chunk in [1 << 34, 5] {
      let byte = [UInt8(chunk == 5 ? 0 : 1)]
      try byte.withUnsafeBytes { try dataset.writeChunk([chunk], from: $0.bytes, layout: layout) }
    }
    var found: [(ChunkIndex, ChunkState)] = []
    try dataset.forEachWrittenChunk { found.append(($0, $1)) }
    #expect(found.map(\.0) == [[5], [1 << 34]] && found.map(\.1) == [.fill, .stored])
  }
}
