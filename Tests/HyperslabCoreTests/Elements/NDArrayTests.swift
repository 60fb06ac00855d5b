import HyperslabCore
import HyperslabTestSupport
import Testing

@Suite struct NDArrayTests {
  @Test func elementsStandInCOrder() throws {
    var array = try NDArray(shape: [2, 3], elements: [0, 1, 2, 3, 4, 5] as [Int32])
    #expect(array.rank == 2)
    for row in 0..<2 {
      for column in 0..<3 { #expect(array[row, column] == Int32(3 * row + column)) }
    }
    array[1, 2] = 9
    #expect(array.elements == [0, 1, 2, 3, 4, 9])
    #expect("\(array)" == "NDArray<int32>(2, 3)")
    #expect(try NDArray(shape: [], elements: [7.5]).elements == [7.5])
    #expect(try NDArray(shape: [0, 3], elements: [Float]()).elements.isEmpty)
  }

  @Test(arguments: [([2, 3], 5), ([2, 3], 7), ([], 0), ([-1, -1], 1), ([1 << 40, 1 << 40], 0)])
  func refusesOtherCounts(_ shape: [Int], _ count: Int) {
    let error = #expect(throws: HyperslabError.self) {
      try NDArray(shape: Shape(shape), elements: Array(repeating: UInt8(0), count: count))
    }
    #expect(error?.code == .sizeMismatch)
  }

  @Test func positionsOutsideAreProgrammerErrors() async {
    await #expect(processExitsWith: .failure) {
      let array = try NDArray(shape: [2, 3], elements: [0, 1, 2, 3, 4, 5])
      _ = array[0, 3]
    }
    await #expect(processExitsWith: .failure) {
      let array = try NDArray(shape: [2, 3], elements: [0, 1, 2, 3, 4, 5])
      _ = array[1]
    }
  }

  @Test func booleansReadAsBooleansWhateverTheByte() throws {
    let store = MemoryStore()
    let dataset = try store.createDataset(
      try NodePath("flags"), DatasetDescription(shape: [3], chunkShape: [3], dataType: .bool))
    let layout = StridedLayout(shape: [3], byteStrides: [1])
    try [UInt8(0), 1, 77].withUnsafeBytes {
      try dataset.writeChunk([0], from: $0.bytes, layout: layout)
    }
    #expect(try dataset.read(Bool.self).elements == [false, true, true])
    #expect(try dataset.readBytes().bytes == [0, 1, 77])
  }
}
