import HyperslabCore
import HyperslabTestSupport

@testable import HyperslabFormat

/// A data set in memory: whole chunks, padding included, of those that were written.
struct ProgramDataset: Equatable {
  var description: DatasetDescription
  var chunks: [ChunkIndex: [UInt8]] = [:]

  /// One of any type, filter, fill value, and up to five axes.
  init(using generator: inout SeededGenerator) {
    let rank = Int.random(in: 0...5, using: &generator)
    let type = DataType.allCases.randomElement(using: &generator) ?? .int32
    let most = [9, 9, 6, 4, 3, 3][rank]
    var description = DatasetDescription(
      shape: Shape((0..<rank).map { _ in Int.random(in: 0...most, using: &generator) }),
      chunkShape: Shape((0..<rank).map { _ in Int.random(in: 1...4, using: &generator) }),
      dataType: type, maximumShape: (0..<rank).map { _ in nil })
    let fill = ElementPattern.bytes(count: 1, of: type, using: &generator)
    if generator.chance(1, in: 2), let fill = try? FillValue(bytes: fill, dataType: type) {
      description.fillValue = fill
    }
    description.compression.filter =
      ([nil] + Filter.allCases).randomElement(using: &generator) ?? nil
    if rank > 0, [.signed, .unsigned].contains(type.kind),
      [nil, .bitshuffle].contains(description.compression.filter), generator.chance(1, in: 2)
    {
      description.compression.delta = Int.random(in: 0..<rank, using: &generator)
    }
    description.compression.blockByteCount = 4096
    description.compression.level = generator.chance(1, in: 8) ? 5 : 1
    self.description = description
  }

  var grid: ChunkGrid? { try? description.validated() }
  private var size: Int { description.dataType.byteCount }

  /// Offsets in a whole chunk, in bytes, of the elements of its valid part in order.
  private func offsets(_ chunk: ChunkIndex, in grid: ChunkGrid) -> [Int] {
    let valid = grid.validShape(of: chunk)
    var offsets = [0]
    for axis in 0..<grid.rank {
      offsets = offsets.flatMap { head in
        (0..<valid[axis]).map { head * grid.chunkShape[axis] + $0 }
      }
    }
    return offsets.map { $0 * size }
  }

  /// Writes the valid part of a chunk.
  mutating func write(_ chunk: ChunkIndex, _ bytes: [UInt8]) {
    guard let grid else { return }
    let count = grid.chunkShape.elementCount ?? 0
    var whole = (0..<count).flatMap { _ in description.fillValue.bytes }
    for (position, offset) in offsets(chunk, in: grid).enumerated() {
      whole.replaceSubrange(
        offset..<offset + size, with: bytes[position * size..<(position + 1) * size])
    }
    chunks[chunk] = whole
  }

  /// The bytes of a chunk's valid part.
  func bytes(_ chunk: ChunkIndex) -> [UInt8] {
    guard let grid else { return [] }
    let offsets = offsets(chunk, in: grid)
    guard let whole = chunks[chunk] else {
      return offsets.flatMap { _ in description.fillValue.bytes }
    }
    return offsets.flatMap { whole[$0..<$0 + size] }
  }

  func state(_ chunk: ChunkIndex) -> ChunkState {
    guard let whole = chunks[chunk] else { return .neverWritten }
    return whole.withUnsafeBytes { description.fillValue.fills($0) } ? .fill : .stored
  }

  mutating func resize(_ shape: Shape) {
    description.shape = shape
    guard let grid else { return }
    for chunk in chunks.keys {
      guard grid.contains(chunk) else {
        chunks[chunk] = nil
        continue
      }
      write(chunk, bytes(chunk))
    }
  }
}

/// A store in memory.
struct ProgramModel: Equatable {
  var datasets: [String: ProgramDataset] = [:]
  var groups: [String: JSONObject] = ["": [:]]

  func holds(_ path: String) -> Bool { datasets[path] != nil || groups[path] != nil }

  mutating func addGroups(above path: String) {
    let names = path.split(separator: "/")
    for count in 1..<Swift.max(1, names.count) {
      let group = names.prefix(count).joined(separator: "/")
      groups[group] = groups[group] ?? [:]
    }
  }

  mutating func remove(_ path: String) {
    for name in datasets.keys where name == path || name.hasPrefix(path + "/") {
      datasets[name] = nil
    }
    for name in groups.keys where name == path || name.hasPrefix(path + "/") { groups[name] = nil }
  }

  /// What is different in a store; nil where nothing is.
  func difference(from store: SlabStore) throws -> String? {
    var nodes: Set<String> = []
    for node in store.nodes() {
      nodes.insert("\(node.path)")
      let wanted =
        switch node {
        case .group: groups["\(node.path)"]
        case .dataset: datasets["\(node.path)"]?.description.attributes
        }
      guard let wanted else { return "\(node.path) is there" }
      if node.attributes != wanted { return "attributes of \(node.path): \(node.attributes)" }
    }
    for path in Array(groups.keys) + Array(datasets.keys) where !nodes.contains(path) {
      return "\(path) is not there"
    }
    for (path, dataset) in datasets {
      if let what = try Self.difference(of: store.dataset(NodePath(path)), dataset) {
        return "\(path): \(what)"
      }
    }
    return nil
  }

  static func difference(of found: SlabDataset, _ wanted: ProgramDataset) throws -> String? {
    guard found.description.dataType == wanted.description.dataType,
      found.description.fillValue == wanted.description.fillValue
    else { return "\(found.description.dataType) instead of \(wanted.description.dataType)" }
    guard let grid = wanted.grid, found.grid == grid else {
      return "shape \(found.grid.arrayShape) instead of \(wanted.description.shape)"
    }
    for chunk in grid.chunks {
      let state = try found.state(of: chunk)
      if state != wanted.state(chunk) { return "chunk \(chunk) is \(state)" }
    }
    let size = wanted.description.dataType.byteCount
    let count = Checked.product(grid.arrayShape.axes + [size]) ?? 0
    guard let layout = StridedLayout.rowMajor(grid.arrayShape, elementByteCount: size) else {
      return "no layout"
    }
    let memory = ElementBuffer(byteCount: count)
    try memory.withMutableBytes { (bytes) throws(HyperslabError) in
      try found.read(
        StridedSelection(Selection(all: grid.arrayShape)), into: &bytes, layout: layout,
        missing: .fill)
    }
    for chunk in grid.chunks {
      let box = grid.selection(of: chunk)
      var offsets = [0]
      for axis in 0..<grid.rank {
        offsets = offsets.flatMap { head in
          box.bounds[axis].map { head * grid.arrayShape[axis] + $0 }
        }
      }
      let all = UnsafeRawBufferPointer(start: memory.pointer, count: count)
      let values = offsets.flatMap { all[$0 * size..<($0 + 1) * size] }
      if values != wanted.bytes(chunk) { return "values of chunk \(chunk)" }
    }
    return nil
  }
}
