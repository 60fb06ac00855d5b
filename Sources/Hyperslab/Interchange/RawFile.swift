public import HyperslabCore
public import HyperslabIteration
public import SystemPackage

/// A file of plain numbers in C order as a source: read in pieces, never loaded whole.
///
/// The file must not change meanwhile, as with ``NpyFile``.
public struct RawFile: DataChunkSource {
  private var array: FileArray

  /// Opens a file whose shape is known.
  ///
  /// - Parameters:
  ///   - path: The file.
  ///   - type: The element type and its byte order.
  ///   - shape: The shape; nil for the first axis means as long as the file is.
  ///   - skipByteCount: Bytes before the first element.
  /// - Throws: `io`; `invalid_shape`; `invalid_array_file` when the file is longer or shorter than
  ///   the shape, or does not end with a whole step of the first axis.
  public init(
    _ path: FilePath, type: NumPyType, shape: [Int?], skipByteCount: Int = 0
  ) throws(HyperslabError) {
    try self.init(
      SourceFile(path: path), type: type, shape: shape, skipByteCount: skipByteCount)
  }

  init(
    _ file: SourceFile, type: NumPyType, shape: [Int?], skipByteCount: Int
  ) throws(HyperslabError) {
    guard (0...file.byteCount).contains(skipByteCount) else {
      throw HyperslabError(
        .invalidArrayFile, "\(skipByteCount) bytes to skip", at: file.place,
        expected: "0 to the file's \(file.byteCount) bytes")
    }
    let resolved = try Self.resolve(
      shape, elementByteCount: type.dataType.byteCount,
      byteCount: file.byteCount - skipByteCount, place: file.place)
    array = try FileArray(file: file, shape: resolved, type: type, byteOffset: skipByteCount)
  }

  private static func resolve(
    _ shape: [Int?], elementByteCount: Int, byteCount: Int, place: String
  ) throws(HyperslabError) -> Shape {
    let known = shape.compactMap { $0 }
    guard known.allSatisfy({ $0 >= 0 }), known.count == shape.count || shape.first == .some(nil),
      shape.count - known.count <= 1
    else {
      throw HyperslabError(
        .invalidShape,
        "the shape \(shape.map { $0.map(String.init) ?? "?" }.joined(separator: ","))",
        at: place, expected: "lengths of at least 0, only the first of them unknown")
    }
    if known.count == shape.count { return Shape(known) }
    guard let count = Checked.product(known), let step = Checked.multiply(count, elementByteCount)
    else { throw HyperslabError(.overflow, "the shape \(known) after its first axis", at: place) }
    guard step > 0 ? byteCount % step == 0 : byteCount == 0 else {
      throw HyperslabError(
        .invalidArrayFile, "\(byteCount) bytes are no whole number of steps along the first axis",
        at: place, expected: "a multiple of \(step) bytes",
        found: step > 0 ? "\(byteCount / step) steps and \(byteCount % step) bytes" : nil,
        remedy: "Check the type and the shape, and whether a header is to be skipped")
    }
    return Shape([step > 0 ? byteCount / step : 0] + known)
  }

  /// As with ``NpyFile/residentByteLimit``.
  public var residentByteLimit: Int {
    get { array.residentByteLimit }
    set { array.residentByteLimit = newValue }
  }

  /// The array's shape.
  public var shape: Shape { array.shape }
  /// The element type.
  public var dataType: DataType { array.type.dataType }
  /// Type, shape, size and a checksum of samples: of a copy the same, of a longer file another.
  public var fingerprint: String? { array.fingerprint }

  /// Appends a selection's elements in C order and host byte order.
  public func read(_ selection: Selection, into buffer: inout OutputRawSpan) throws {
    try array.read(selection, into: &buffer)
  }

  /// Reads all that a selection spans, in the file's order, and lends it where it is in host byte order
  /// and within ``residentByteLimit``.
  public func withBytes<R>(
    of selection: Selection, _ body: (RawSpan, StridedLayout) throws -> R
  ) throws -> R? {
    try array.withBytes(of: selection, body)
  }
}

extension RawFile: FileOrderSource {
  package var axesFromSlowest: [Int] { array.axesFromSlowest }

  package func load(
    _ selection: Selection, into memory: UnsafeMutableRawBufferPointer
  ) throws(HyperslabError) -> StridedLayout {
    try unsafe array.load(selection, into: memory)
  }

  package func streamSource(
    ofBoxes shape: Shape, leastRunByteCount: Int
  ) -> (any StreamSource)? {
    array.isRead(inRunsOf: leastRunByteCount, boxesOf: shape) ? array : nil
  }
}
