public import HyperslabCore
public import HyperslabIteration
public import SystemPackage

/// A `.npy` file as a source: read in pieces, never loaded whole.
///
///     let iterator = try GenericDataChunkIterator(NpyFile("lfp.npy"))
///     try store.write(iterator, to: "ecephys/lfp")
///
/// Reads either order of axes and of bytes. The file must not change meanwhile: its size and time
/// are checked around every buffer, and `source_changed` ends the write before it commits.
public struct NpyFile: DataChunkSource {
  /// What the file says of itself.
  public let header: NpyHeader
  private var array: FileArray

  /// Opens a file and reads its header.
  ///
  /// - Throws: `io`; `invalid_array_file`, also when the file is longer or shorter than its header
  ///   says; `unsupported_type`.
  public init(_ path: FilePath) throws(HyperslabError) {
    try self.init(SourceFile(path: path))
  }

  init(_ file: SourceFile) throws(HyperslabError) {
    do throws(HyperslabError) {
      header = try NpyHeader(parsing: file.prefix(NpyHeader.mostByteCount))
    } catch {
      throw error.located(at: file.place).remedied("Save it again, with numpy.save for example")
    }
    array = try FileArray(
      file: file, shape: header.shape, type: header.type, byteOffset: header.byteCount,
      isFortranOrder: header.isFortranOrder)
  }

  /// The most bytes that ``withBytes(of:_:)`` reads to lend them; at first 1e9, as buffers by HDMF's rule.
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

extension NpyFile: FileOrderSource {
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
