public import HyperslabCore

/// Writes slices of data sets as `.npy` files or plain bytes, in memory of bounded size.
public enum NpyWriter {
  /// Writes a slice as a `.npy` file, C order, little-endian, byte for byte as NumPy would.
  ///
  /// - Parameters:
  ///   - terms: What to write, as for reading; axes indexed by an integer are dropped.
  ///   - dataset: Where from.
  ///   - output: Where to; the caller finishes it.
  ///   - byteLimit: The most memory to use for elements.
  ///   - missing: What to do about chunks that nobody ever wrote.
  public static func write(
    _ terms: [any AxisSelection] = [], of dataset: some ChunkedDataset,
    to output: OutputFile, byteLimit: Int = 64 << 20, missing: MissingChunks = .refuse
  ) throws {
    let slice = try resolve(terms, dataset)
    let header = NpyHeader(
      shape: slice.resultShape, type: NumPyType(dataset.description.dataType))
    try output.write(bytes: header.encoded())
    try dataset.forEachPiece(of: slice, byteLimit: byteLimit, missing: missing) { bytes in
      try output.write(bytes)
    }
  }

  /// Writes the elements of a slice alone: C order, little-endian.
  public static func writeRaw(
    _ terms: [any AxisSelection] = [], of dataset: some ChunkedDataset,
    to output: OutputFile, byteLimit: Int = 64 << 20, missing: MissingChunks = .refuse
  ) throws {
    let slice = try resolve(terms, dataset)
    try dataset.forEachPiece(of: slice, byteLimit: byteLimit, missing: missing) { bytes in
      try output.write(bytes)
    }
  }

  private static func resolve(
    _ terms: [any AxisSelection], _ dataset: some ChunkedDataset
  ) throws(HyperslabError) -> ResolvedSlice {
    do throws(HyperslabError) {
      return try ResolvedSlice(terms, in: dataset.grid.arrayShape)
    } catch { throw error.located(at: "\(dataset.path)") }
  }
}
