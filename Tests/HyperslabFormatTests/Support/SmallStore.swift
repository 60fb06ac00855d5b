import HyperslabCore
import HyperslabFormat
import SystemPackage

/// Writes a whole array chunk by chunk.
func writeAll<Element: ArrayElement>(
  _ elements: [Element], to dataset: some ChunkedDataset
) throws {
  let size = Element.dataType.byteCount
  guard let layout = StridedLayout.rowMajor(dataset.grid.arrayShape, elementByteCount: size) else {
    return
  }
  try elements.withUnsafeBytes { memory in
    for chunk in dataset.grid.chunks {
      try dataset.writeChunk(
        chunk, from: memory.bytes, layout: try layout.slice(dataset.grid.selection(of: chunk)))
    }
  }
}

/// Three small data sets of different types and filters, closed.
enum SmallStore {
  static let ramp = (0..<600).map { Int16($0 * 7 % 1000 - 300) }
  static let wave = (0..<45).map { Float($0 % 9) / 3 }
  static let flags = (0..<24).map { UInt8($0 < 12 ? 0 : $0) }

  static func write(at path: FilePath) throws {
    let store = try SlabStore.create(at: path, durability: .fast)
    try store.createGroup(try NodePath("a"), attributes: ["note": "three data sets"])
    let ramp = try store.createDataset(
      try NodePath("a/ramp"),
      .init(
        shape: [20, 30], chunkShape: [8, 16], dataType: .int16,
        compression: .init(filter: .bitshuffle)))
    try writeAll(Self.ramp, to: ramp)
    try store.commit()
    let wave = try store.createDataset(
      try NodePath("wave"),
      .init(
        shape: [5, 9], chunkShape: [3, 9], dataType: .float32, compression: .init(filter: .shuffle))
    )
    try writeAll(Self.wave, to: wave)
    let flags = try store.createDataset(
      try NodePath("a/flags"),
      .init(
        shape: [24], chunkShape: [12], dataType: .uint8, compression: .init(filter: Filter.none)))
    try writeAll(Self.flags, to: flags)
    try store.commit()
    try store.close()
  }
}
