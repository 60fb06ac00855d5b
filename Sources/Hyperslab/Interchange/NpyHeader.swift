public import HyperslabCore

/// The header of a `.npy` file: what the elements are and where they begin.
///
/// The format is NumPy's (`numpy.lib.format`, versions 1.0, 2.0 and 3.0), read strictly: every
/// number is checked, and nothing that is not understood is passed over.
public struct NpyHeader: Hashable, Sendable {
  /// The array's shape.
  public var shape: Shape
  /// The element type and byte order.
  public var type: NumPyType
  /// Whether the first axis is fastest.
  public var isFortranOrder: Bool
  /// Where the elements begin, in bytes from the start of the file; 0 for a header to be written.
  public var byteCount: Int

  /// A header to be written.
  public init(shape: Shape, type: NumPyType, isFortranOrder: Bool = false) {
    self.shape = shape
    self.type = type
    self.isFortranOrder = isFortranOrder
    byteCount = 0
  }

  /// The first six bytes of every such file.
  static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)
  /// NumPy itself refuses headers above 10,000 bytes unless told otherwise.
  static let byteCountLimit = 1 << 20
  /// What a header and all before it may take.
  static let mostByteCount = 12 + byteCountLimit

  /// Reads the header at the start of a file's bytes; more bytes may follow.
  ///
  /// - Throws: `invalid_array_file` saying which part breaks which rule; `unsupported_type`.
  public init(parsing file: some Collection<UInt8>) throws(HyperslabError) {
    let prefix = Array(file.prefix(12))
    let start = try Self.textStart(prefix)
    let length = prefix[8..<start].enumerated().reduce(0) {
      $0 | Int($1.element) << (8 * $1.offset)
    }
    guard length <= Self.byteCountLimit else {
      throw HyperslabError(
        .invalidArrayFile, "a header of \(length) bytes",
        expected: "at most \(Self.byteCountLimit)")
    }
    let text = Array(file.dropFirst(start).prefix(length))
    guard text.count == length else {
      throw HyperslabError(
        .invalidArrayFile, "the file ends inside its header", expected: "\(length) bytes",
        found: "\(text.count)")
    }
    try self.init(members: PythonLiteral.parse(text), byteCount: start + length)
  }

  /// Where the header's text begins, after checking what comes before.
  private static func textStart(_ prefix: [UInt8]) throws(HyperslabError) -> Int {
    guard prefix.starts(with: magic) else {
      throw stranger(prefix)
    }
    let start = prefix.count > 6 && prefix[6] == 1 ? 10 : 12
    guard prefix.count >= start else {
      throw HyperslabError(.invalidArrayFile, "the file ends inside its first \(start) bytes")
    }
    guard (1...3).contains(prefix[6]), prefix[7] == 0 else {
      throw HyperslabError(
        .invalidArrayFile, "a .npy file of an unknown version", expected: "1.0, 2.0 or 3.0",
        found: "\(prefix[6]).\(prefix[7])")
    }
    return start
  }

  /// What a file that is no `.npy` file looks like.
  private static func stranger(_ prefix: [UInt8]) -> HyperslabError {
    let known: [(start: [UInt8], what: String, remedy: String)] = [
      (
        Array("PK".utf8), "a .npz archive of several arrays",
        "Save each by itself: for name, array in np.load(path).items(): np.save(name, array)"
      ),
      (
        [0x89] + Array("HDF".utf8), "an HDF5 file",
        "Save the array in it by itself: np.save(\"x.npy\", h5py.File(path)[name][...])"
      ),
      (
        [0x80], "a pickle, which only Python reads and which may hold code",
        "Save the array in it by itself with np.save"
      ),
      ([0x1F, 0x8B], "a compressed file", "Unpack it: gunzip -c file | slab import - …"),
    ]
    if prefix.isEmpty {
      return HyperslabError(
        .invalidArrayFile, "not a .npy file: it is empty", remedy: "Save the array again")
    }
    if let match = known.first(where: { prefix.starts(with: $0.start) }) {
      return HyperslabError(
        .invalidArrayFile, "not a .npy file, but \(match.what)", remedy: match.remedy)
    }
    return HyperslabError(
      .invalidArrayFile, "not a .npy file: it does not begin with \\x93NUMPY",
      remedy: "For a file of plain numbers give --raw with --dtype and --shape")
  }

  private init(members literal: PythonLiteral, byteCount: Int) throws(HyperslabError) {
    guard case .dictionary(let members) = literal else {
      throw HyperslabError(.invalidArrayFile, "the header is not a dictionary")
    }
    var values: [String: PythonLiteral] = [:]
    for member in members {
      guard case .string(let key) = member.key, key.isStreamSafe,
        values.updateValue(member.value, forKey: key) == nil
      else { throw HyperslabError(.invalidArrayFile, "the header has an odd or repeated key") }
    }
    guard values.count == 3, let descriptor = values["descr"],
      case .boolean(let isFortranOrder)? = values["fortran_order"],
      case .sequence(let lengths)? = values["shape"]
    else {
      throw HyperslabError(
        .invalidArrayFile, "the header's keys or their types",
        expected: "descr, fortran_order (True or False) and shape (a tuple), nothing else",
        found: values.keys.sorted().joined(separator: ", "))
    }
    type = try Self.type(descriptor)
    shape = try Self.shape(lengths, elementByteCount: type.dataType.byteCount)
    self.isFortranOrder = isFortranOrder
    self.byteCount = byteCount
  }

  private static func type(_ descriptor: PythonLiteral) throws(HyperslabError) -> NumPyType {
    switch descriptor {
    case .string(let text): return try NumPyType(text)
    case .sequence(let fields):
      let names = fields.compactMap { field -> String? in
        guard case .sequence(let parts) = field, case .string(let name)? = parts.first else {
          return nil
        }
        return name
      }
      let name = names.first ?? "x"
      let file = String(name.map { $0.isLetter || $0.isNumber ? $0 : "_" }.prefix(60))
      throw HyperslabError(
        .unsupportedType, "a structured array of \(fields.count) fields",
        found: names.isEmpty
          ? nil : names.prefix(8).joined(separator: ", ") + (names.count > 8 ? ", …" : ""),
        remedy: "Save each field as a file of its own: np.save(\"\(file).npy\", array[\"\(name)\"])"
      )
    default: throw HyperslabError(.invalidArrayFile, "the header's descr is no type")
    }
  }

  private static func shape(
    _ lengths: [PythonLiteral], elementByteCount: Int
  ) throws(HyperslabError) -> Shape {
    var axes: [Int] = []
    for length in lengths {
      guard case .integer(let length) = length, length >= 0 else {
        throw HyperslabError(
          .invalidArrayFile, "axis \(axes.count) of the header's shape",
          expected: "an integer of at least 0", found: "\(length)")
      }
      axes.append(length)
    }
    let shape = Shape(axes)
    guard let count = shape.elementCount, Checked.multiply(count, elementByteCount) != nil else {
      throw HyperslabError(
        .invalidArrayFile, "an array of shape \(shape) is larger than any file can be")
    }
    return shape
  }
}
