public import HyperslabCore

/// Writes slices of data sets as text for programs, in memory of bounded size.
public enum TextWriter {
  /// Writes a slice as nested JSON lists; rank 0 as a bare value.
  public static func writeJSON(
    _ terms: [any AxisSelection] = [], of dataset: some ChunkedDataset, to output: OutputFile,
    missing: MissingChunks = .refuse
  ) throws {
    let slice = try ResolvedSlice(terms, in: dataset.grid.arrayShape)
    let shape = slice.resultShape
    if shape.isEmptyArray {
      try writeEmpty(shape[...], to: output)
    } else {
      let element = ElementText(dataset.description.dataType, style: .json)
      try forEachElement(slice, of: dataset, missing: missing) { bytes, offset, boundary in
        if boundary.isFirst {
          try output.write(String(repeating: "[", count: shape.rank))
        } else if boundary.closedAxes > 0 {
          let brackets = boundary.closedAxes
          try output.write(
            String(repeating: "]", count: brackets) + ",\n"
              + String(repeating: "[", count: brackets))
        } else {
          try output.write(", ")
        }
        try output.write(element.text(of: bytes, at: offset))
      }
      try output.write(String(repeating: "]", count: shape.rank))
    }
    try output.write("\n")
  }

  /// Writes a slice of up to two axes as comma-separated values: a row a line, or one value a line.
  ///
  /// - Throws: `unsupported_format` for more axes.
  public static func writeCSV(
    _ terms: [any AxisSelection] = [], of dataset: some ChunkedDataset, to output: OutputFile,
    missing: MissingChunks = .refuse
  ) throws {
    let slice = try ResolvedSlice(terms, in: dataset.grid.arrayShape)
    guard slice.resultShape.rank <= 2 else {
      throw HyperslabError(
        .unsupportedFormat, "a selection of shape \(slice.resultShape) as CSV",
        at: "\(dataset.path)", expected: "at most 2 axes",
        remedy: "Select one position of the other axes, or write json or npy")
    }
    let element = ElementText(dataset.description.dataType)
    let isFlat = slice.resultShape.rank < 2
    try forEachElement(slice, of: dataset, missing: missing) { bytes, offset, boundary in
      if !boundary.isFirst { try output.write(isFlat || boundary.closedAxes > 0 ? "\n" : ",") }
      try output.write(element.text(of: bytes, at: offset))
    }
    if !slice.region.isEmpty { try output.write("\n") }
  }

  /// What lies between an element and the one before it.
  private struct Boundary {
    var isFirst: Bool
    /// How many of the innermost axes begin anew.
    var closedAxes: Int
  }

  private static func forEachElement(
    _ slice: ResolvedSlice, of dataset: some ChunkedDataset, missing: MissingChunks,
    _ body: (RawSpan, Int, Boundary) throws -> Void
  ) throws {
    let shape = slice.resultShape
    let size = dataset.description.dataType.byteCount
    var position = Array(repeating: 0, count: shape.rank)
    var boundary = Boundary(isFirst: true, closedAxes: 0)
    try dataset.forEachPiece(of: slice, missing: missing) { bytes in
      for offset in stride(from: 0, to: bytes.byteCount, by: size) {
        try body(bytes, offset, boundary)
        boundary = Boundary(isFirst: false, closedAxes: 0)
        for axis in shape.indices.reversed() {
          position[axis] += 1
          if position[axis] < shape[axis] { break }
          position[axis] = 0
          boundary.closedAxes += 1
        }
      }
    }
  }

  private static func writeEmpty(_ shape: Slice<Shape>, to output: OutputFile) throws {
    try output.write("[")
    for index in 0..<(shape.first ?? 0) {
      if index > 0 { try output.write(", ") }
      try writeEmpty(shape.dropFirst(), to: output)
    }
    try output.write("]")
  }
}
