import HyperslabCore

@testable import HyperslabFormat

/// All that a store holds as its users see it, to be compared bit for bit.
struct StoreContents: Hashable, Sendable {
  struct Dataset: Hashable, Sendable {
    var shape: [Int]
    var chunkShape: [Int]
    /// In row-major order; of chunks never written, the fill value.
    var values: [Int32]
    /// By chunk number.
    var states: [ChunkState]
    var attributes: JSONObject = [:]
  }

  var datasets: [String: Dataset] = [:]
  var groups: [String: JSONObject] = ["": [:]]

  init() {}

  /// What a handle of a store reads.
  init(reading store: SlabStore) throws {
    groups = [:]
    for node in store.nodes() {
      switch node {
      case .group(let path, let attributes): groups["\(path)"] = attributes
      case .dataset(let info):
        let dataset = try store.dataset(info.path)
        datasets["\(info.path)"] = Dataset(
          shape: info.description.shape.axes, chunkShape: info.grid.chunkShape.axes,
          values: try dataset.read(Int32.self, [], missing: .fill).elements,
          states: try dataset.grid.chunks.map { chunk in try dataset.state(of: chunk) },
          attributes: info.description.attributes)
      }
    }
  }
}

extension StoreContents.Dataset {
  init(_ shape: [Int], chunks: [Int]) {
    self.init(
      shape: shape, chunkShape: chunks,
      values: Array(repeating: 0, count: shape.reduce(1, *)), states: [])
    states = Array(repeating: .neverWritten, count: grid?.chunkCount ?? 0)
  }

  var description: DatasetDescription {
    DatasetDescription(
      shape: Shape(shape), chunkShape: Shape(chunkShape), dataType: .int32,
      maximumShape: shape.map { _ in nil }, compression: .init(filter: Filter.none))
  }

  var grid: ChunkGrid? { try? description.validated() }

  /// Fills a chunk with numbers from `start` on; with zeros, which is the fill value, if that is 0.
  mutating func put(_ chunk: ChunkIndex, _ start: Int32) {
    guard let grid, let number = try? grid.number(of: chunk) else { return }
    var next = start
    forEachElement(of: chunk, in: grid) { position in
      values[position] = next
      if start != 0 { next += 1 }
    }
    states[number] = start == 0 ? .fill : .stored
  }

  /// The elements of a chunk that lie in the array, in order.
  func elements(of chunk: ChunkIndex) -> [Int32] {
    guard let grid else { return [] }
    var elements: [Int32] = []
    forEachElement(of: chunk, in: grid) { elements.append(values[$0]) }
    return elements
  }

  /// The same with another shape. A chunk that is cut keeps what lies within, the rest is fill.
  func resized(to shape: [Int]) -> Self {
    var result = Self(shape, chunks: chunkShape)
    result.attributes = attributes
    guard let old = grid, let new = result.grid else { return self }
    for chunk in new.chunks where old.contains(chunk) {
      var values: [[Int]: Int32] = [:]
      forEachElement(of: chunk, in: old) { values[position($0)] = self.values[$0] }
      result.forEachElement(of: chunk, in: new) {
        result.values[$0] = values[result.position($0)] ?? 0
      }
      if let number = try? new.number(of: chunk), let before = try? old.number(of: chunk) {
        result.states[number] = states[before]
      }
    }
    return result
  }

  private func position(_ number: Int) -> [Int] {
    var rest = number
    var position: [Int] = []
    for length in shape.reversed() {
      position.insert(rest % length, at: 0)
      rest /= length
    }
    return position
  }

  private func forEachElement(of chunk: ChunkIndex, in grid: ChunkGrid, _ body: (Int) -> Void) {
    let valid = grid.validShape(of: chunk).axes
    var index = Array(repeating: 0, count: shape.count)
    for _ in 0..<valid.reduce(1, *) {
      var position = 0
      for axis in shape.indices {
        position = position * shape[axis] + chunk.coordinates[axis] * chunkShape[axis] + index[axis]
      }
      body(position)
      for axis in shape.indices.reversed() {
        index[axis] += 1
        if index[axis] < valid[axis] { break }
        index[axis] = 0
      }
    }
  }
}

extension SlabDataset {
  /// Writes a chunk as the model has it.
  func put(_ chunk: ChunkIndex, of model: StoreContents.Dataset) throws {
    let valid = grid.validShape(of: chunk)
    guard let layout = StridedLayout.rowMajor(valid, elementByteCount: 4) else { return }
    let elements = model.elements(of: chunk)
    try elements.withUnsafeBytes { try writeChunk(chunk, from: $0.bytes, layout: layout) }
  }
}
