import HyperslabCore
import HyperslabTestSupport
import SystemPackage
import Testing

@testable import HyperslabFormat

/// Data sets that change their shape.
@Suite struct ResizeTests {
  private let directory: TemporaryDirectory
  private let path: FilePath

  init() throws {
    directory = try TemporaryDirectory()
    path = directory.path.appending("s.slab")
  }

  private func growing(_ shape: Shape = [10]) -> DatasetDescription {
    DatasetDescription(
      shape: shape, chunkShape: Shape(shape.map { _ in 4 }), dataType: .int32,
      maximumShape: shape.map { _ in nil }, fillValue: .init(Int32(-1)),
      compression: .init(filter: Filter.none))
  }

  private func values(_ name: String) throws -> [Int32] {
    try SlabStore.open(path).dataset(name).read(Int32.self, missing: .fill).elements
  }

  /// Nasty case 7 of the format's study.
  @Test func shrinkingAndGrowingBringsNothingBack() throws {
    let store = try SlabStore.create(at: path)
    let all = try store.createDataset("x", growing())
    try writeAll((0..<10).map { Int32($0) }, to: all)
    try store.commit()
    let short = try all.resized(to: [5])
    try store.commit()
    #expect(try values("x") == [0, 1, 2, 3, 4])
    let long = try short.resized(to: [10])
    #expect(
      try long.read(Int32.self, missing: .fill).elements == [0, 1, 2, 3, 4]
        + Array(repeating: -1, count: 5))
    #expect(try long.state(of: [2]) == .neverWritten)
    try store.commit()
    try store.close()
    #expect(try values("x") == [0, 1, 2, 3, 4] + Array(repeating: -1, count: 5))
    let report = try SlabStore.verify(path)
    #expect(report.ok, "\(report.problems)")
  }

  @Test func shrinkingAndGrowingWithinOneCommitBringsNothingBack() throws {
    let store = try SlabStore.create(at: path)
    let all = try store.createDataset("x", growing())
    try writeAll((0..<10).map { Int32($0) }, to: all)
    try store.commit()
    let short = try all.resized(to: [2])
    let again = try short.resized(to: [10])
    #expect(
      try again.read(Int32.self, missing: .fill).elements == [0, 1] + Array(repeating: -1, count: 8)
    )
    expectError(.snapshotChanged) { try writeAll([Int32(5), 6], to: short) }
    try store.commit()
    #expect(try values("x") == [0, 1] + Array(repeating: -1, count: 8))
    #expect(try firsts(path, "x") == [0, nil, nil])
    try store.close()
    #expect(try SlabStore.verify(path).ok)
  }

  /// Nasty case 8 of the format's study.
  @Test func growingATrailingAxisRewritesNoTable() throws {
    let store = try SlabStore.create(at: path)
    let first = try store.createDataset("x", growing([8, 8]))
    try writeAll((0..<64).map { Int32($0) }, to: first)
    try store.commit()
    let before = try directory.files(in: path).filter { $0.hasPrefix("__slab/t/") }
    let wide = try first.resized(to: [8, 11])
    try store.commit()
    #expect(try directory.files(in: path).filter { $0.hasPrefix("__slab/t/") } == before)
    let found = try SlabStore.open(path).dataset("x").read(Int32.self, [0..<8, 0..<8])
    #expect(found.elements == (0..<64).map { Int32($0) })
    #expect(try first.read(Int32.self).elements == found.elements, "an older handle reads on")
    #expect(try wide.state(of: [1, 2]) == .neverWritten)
    try store.close()
  }

  /// Nasty case 2 of the format's study.
  @Test func anEmptyAxisGrows() throws {
    let store = try SlabStore.create(at: path)
    let empty = try store.createDataset("x", growing([0]))
    #expect(empty.grid.chunkCount == 0)
    try store.commit()
    let full = try empty.resized(to: [3])
    try writeAll([7, 8, 9], to: full)
    try store.close()
    #expect(try values("x") == [7, 8, 9])
    #expect(try SlabStore.verify(path).ok)
  }

  @Test func limitsAreKept() throws {
    let store = try SlabStore.create(at: path)
    let fixed = try store.createDataset("x", row(chunks: 2))
    expectError(.invalidShape) { _ = try fixed.resized(to: [9]) }
    expectError(.invalidShape) { _ = try fixed.resized(to: [4, 4]) }
    expectError(.invalidShape) { _ = try fixed.resized(to: [-1]) }
    let free = try store.createDataset("y", growing())
    expectError(.limit) { _ = try free.resized(to: [Int.max]) }
    try store.commit()
    expectError(.readOnly) {
      _ = try SlabStore.open(path).dataset("x").resized(to: [4])
    }
  }

  @Test func anotherWriterMayFillWhatStays() throws {
    let first = try SlabStore.create(at: path)
    let grown = try first.createDataset("x", growing([8]))
    try grown.put(0, 1)
    try first.commit()
    let second = try SlabStore.open(path, mode: .readWrite)
    try second.dataset("x").put(1, 2)
    let longer = try grown.resized(to: [12])
    try longer.put(2, 3)
    try first.commit()
    try second.commit()
    #expect(try firsts(path, "x") == [1, 2, 3])
  }

  @Test func changesOfShapeConflict() throws {
    let first = try SlabStore.create(at: path)
    let own = try first.createDataset("x", growing([10]))
    try own.put(0, 1)
    try first.commit()
    let second = try SlabStore.open(path, mode: .readWrite)
    let other = try second.dataset("x")
    // The last chunk would be padded where the other writer has grown the array.
    try [Int32(5), 6].withUnsafeBytes {
      try other.writeChunk([2], from: $0.bytes, layout: StridedLayout(shape: [2], byteStrides: [4]))
    }
    _ = try own.resized(to: [11])
    try first.commit()
    expectError(.conflict) { try second.commit() }
    let third = try SlabStore.open(path, mode: .readWrite)
    _ = try third.dataset("x").resized(to: [20])
    _ = try first.dataset("x").resized(to: [30])
    try first.commit()
    expectError(.conflict) { try third.commit() }
  }

  @Test func aChunkThatLeavesWhileAnotherWriterFillsItConflicts() throws {
    let first = try SlabStore.create(at: path)
    let own = try first.createDataset("x", growing([12]))
    try own.put(0, 1)
    try first.commit()
    let second = try SlabStore.open(path, mode: .readWrite)
    try second.dataset("x").put(2, 2)
    try second.commit()
    _ = try own.resized(to: [4])
    expectError(.conflict) { try first.commit() }
    #expect(try firsts(path, "x") == [1, nil, 2])
  }

  @Test func aReaderIsToldThatItsDataSetShrank() throws {
    let store = try SlabStore.create(at: path)
    let all = try store.createDataset("x", growing())
    try writeAll((0..<10).map { Int32($0) }, to: all)
    try store.commit()
    let reader = try SlabStore.open(path)
    let seen = try reader.dataset("x")
    _ = try all.resized(to: [5])
    try store.commit()
    expectError(.snapshotChanged) { _ = try seen.read(Int32.self, [8..<10]) }
    let pinned = try SlabStore.open(path, mode: .pinned).dataset("x")
    try store.dataset("x").put(0, 9)
    try store.commit()
    expectError(.snapshotChanged) { _ = try pinned.read(Int32.self) }
    #expect(try reader.dataset("x").read(Int32.self).elements == [9, 9, 9, 9, 4])
  }

  /// Random programs of growing, shrinking, writing and committing, against an array in memory.
  @Test(arguments: 0..<20)
  func randomShapesEqualAModel(trial: Int) throws {
    var generator = SeededGenerator("resize", trial)
    let rank = Int.random(in: 1...3, using: &generator)
    let store = try SlabStore.create(at: path)
    var handle = try store.createDataset("x", growing(Shape(Array(repeating: 5, count: rank))))
    var model: [[Int]: Int32] = [:]
    for step in 0..<60 {
      switch Int.random(in: 0..<5, using: &generator) {
      case 0, 1:
        let shape = Shape(
          handle.grid.arrayShape.map {
            Swift.max(0, $0 + Int.random(in: -5...5, using: &generator))
          })
        handle = try handle.resized(to: shape)
        for index in model.keys where !zip(index, shape).allSatisfy({ $0 < $1 }) {
          model[index] = nil
        }
      case 2, 3:
        guard let chunk = handle.grid.chunks.randomElement(using: &generator) else { continue }
        let box = handle.grid.selection(of: chunk)
        let layout = try #require(StridedLayout.rowMajor(box.shape, elementByteCount: 4))
        let values = (0..<(box.shape.elementCount ?? 0)).map { Int32(step * 1000 + $0) }
        try values.withUnsafeBytes {
          try handle.writeChunk(chunk, from: $0.bytes, layout: layout)
        }
        for (offset, index) in positions(box).enumerated() { model[index] = values[offset] }
      default: try store.commit()
      }
      let found = try handle.read(Int32.self, missing: .fill).elements
      let wanted = positions(Selection(all: handle.grid.arrayShape)).map { model[$0] ?? -1 }
      #expect(found == wanted, "step \(step)")
    }
    try store.close()
    let wanted = positions(Selection(all: handle.grid.arrayShape)).map { model[$0] ?? -1 }
    #expect(try values("x") == wanted)
    let report = try SlabStore.verify(path)
    #expect(report.ok, "\(report.problems)")
  }

  /// One that cannot rewrite a chunk that the new edge cuts leaves the data set as it was, and all else
  /// that was done; what was staged outside the new shape, too.
  @Test(arguments: [false, true])
  func oneThatIsRefusedChangesNothing(stagesOutside: Bool) throws {
    let store = try SlabStore.create(at: path)
    let all = try store.createDataset("x", growing([12, 8]))
    try writeAll((0..<96).map { Int32($0) }, to: all)
    try store.commit()
    let last = path.appending("x/c/1/1")
    var damaged = try contents(last)
    damaged[damaged.count - 1] ^= 1
    try write(damaged, to: last)
    let layout = StridedLayout(shape: [4, 4], byteStrides: [16, 4])
    if stagesOutside {
      try Array(repeating: Int32(7), count: 16).withUnsafeBytes {
        try all.writeChunk([2, 0], from: $0.bytes, layout: layout)
      }
    }
    try store.setAttribute("kept", .bool(true), of: NodePath("x"))
    #expect(throws: HyperslabError.self) { _ = try all.resized(to: [6, 7]) }
    #expect(try store.dataset("x").description.shape == [12, 8])
    try store.commit()
    try store.close()
    damaged[damaged.count - 1] ^= 1
    try write(damaged, to: last)
    var wanted = (0..<96).map { Int32($0) }
    if stagesOutside {
      for row in 8..<12 { for column in 0..<4 { wanted[row * 8 + column] = 7 } }
    }
    #expect(try values("x") == wanted)
    #expect(try SlabStore.open(path).node(NodePath("x")).attributes["kept"] == .bool(true))
    let report = try SlabStore.verify(path)
    #expect(report.ok, "\(report.problems)")
  }

  private func positions(_ box: Selection) -> [[Int]] {
    box.bounds.reduce([[]]) { heads, range in heads.flatMap { head in range.map { head + [$0] } } }
  }
}
