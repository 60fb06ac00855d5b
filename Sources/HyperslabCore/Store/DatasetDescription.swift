/// A filter over the bytes of a block before compression.
public enum Filter: String, Hashable, Sendable, CaseIterable {
  /// The bytes as they are.
  case none
  /// First bytes of all elements, then second bytes, …
  case shuffle
  /// First bits of all elements, then second bits, …
  case bitshuffle
}

/// How a store should compress; stores without compression ignore it.
public struct Compression: Hashable, Sendable {
  /// The filter; nil lets the store try the first data and choose, and store blocks of nothing but the fill
  /// value once a chunk where that saves something.
  public var filter: Filter?
  /// LZ4's effort: 1 and 2 fast, 3 to 12 high compression, for what is written once and kept; then
  /// blocks of megabytes may be chosen, too, and small slices decode more.
  public var level: Int
  /// Bytes of a separately readable block; nil is the store's default.
  public var blockByteCount: Int?
  /// An axis along which neighbouring elements are alike: differences along it are stored in place of
  /// the elements. Nil, the default, stores the elements.
  ///
  /// For integers only, and always followed by ``Filter/bitshuffle``, which it chooses where
  /// ``filter`` is nil. Slowly changing signals (voltages over time, counters, time stamps) become a
  /// good deal smaller; noise does not. Reading takes a little longer.
  ///
  /// The price: a slab store keeps such a data set from stock Zarr readers, which would take the
  /// differences for the elements. They refuse it and read the others in the store.
  public var delta: Int?

  /// Compression with the given choices.
  public init(
    filter: Filter? = nil, level: Int = 1, blockByteCount: Int? = nil, delta: Int? = nil
  ) {
    self.filter = filter
    self.level = level
    self.blockByteCount = blockByteCount
    self.delta = delta
  }

  /// The first level of high compression; those below are LZ4's fast mode.
  package static let firstHighLevel = 3
  /// Whether the level is one of high compression.
  package var isHigh: Bool { level >= Self.firstHighLevel }

  /// The filter as far as it is settled before there are data.
  package var settledFilter: Filter? { filter ?? (delta == nil ? nil : .bitshuffle) }

  /// Refuses choices that do not go together.
  ///
  /// - Throws: `invalid_value`, or `type_mismatch` for differences of other elements than integers.
  func validate(_ dataType: DataType, rank: Int) throws(HyperslabError) {
    guard (1...12).contains(level) else {
      throw HyperslabError(.invalidValue, "compression level \(level)", expected: "1 ... 12")
    }
    guard let delta else { return }
    guard dataType.kind == .signed || dataType.kind == .unsigned else {
      throw HyperslabError(
        .typeMismatch, "delta on \(dataType)", expected: "an integer type",
        remedy: "Leave delta out, or store integers")
    }
    guard (0..<rank).contains(delta) else {
      throw HyperslabError(
        .invalidValue, "delta along axis \(delta)",
        expected: rank == 0 ? "an array with axes" : "an axis from 0 to \(rank - 1)")
    }
    guard settledFilter == .bitshuffle else {
      throw HyperslabError(
        .invalidValue, "delta with the filter \(filter?.rawValue ?? "auto")",
        expected: "bitshuffle", remedy: "Leave the filter out, or delta")
    }
  }
}

/// Everything that is said of a data set when it is created.
public struct DatasetDescription: Hashable, Sendable {
  /// The array's shape.
  public var shape: Shape
  /// How far each axis may grow; nil without limit. Equal to the shape when not given.
  public var maximumShape: [Int?]
  /// The shape of the stored chunks.
  public var chunkShape: Shape
  /// The element type.
  public var dataType: DataType
  /// What reads where nothing was stored; 0 when not given.
  public var fillValue: FillValue
  /// The axes' names; nil for an axis without one.
  public var dimensionNames: [String?]?
  /// The unit of the values.
  public var unit: String?
  /// Anything else worth knowing, as JSON.
  public var attributes: JSONObject
  /// How to compress.
  public var compression: Compression
  /// Identifies the data that the data set is written from, so that an interrupted write is
  /// continued with the same data only; nil where nothing does.
  public var sourceFingerprint: String?
  /// The most bytes that a source's fingerprint may have.
  public static let maximumFingerprintByteCount = 1024

  /// Describes a data set; checked by ``validated()`` when a store creates it.
  public init(
    shape: Shape, chunkShape: Shape, dataType: DataType, maximumShape: [Int?]? = nil,
    fillValue: FillValue? = nil, dimensionNames: [String?]? = nil, unit: String? = nil,
    attributes: JSONObject = [:], compression: Compression = Compression(),
    sourceFingerprint: String? = nil
  ) {
    self.shape = shape
    self.chunkShape = chunkShape
    self.dataType = dataType
    self.maximumShape = maximumShape ?? shape.map { $0 }
    self.fillValue = fillValue ?? FillValue(zero: dataType)
    self.dimensionNames = dimensionNames
    self.unit = unit
    self.attributes = attributes
    self.compression = compression
    self.sourceFingerprint = sourceFingerprint
  }

  /// The grid of its chunks, after checking everything that can be checked without a store.
  ///
  /// - Throws: `invalid_shape`, `overflow`, `type_mismatch` or `invalid_value`, saying which part; `limit`
  ///   and `chunk_too_large` for what is larger than a slab store can hold.
  public func validated() throws(HyperslabError) -> ChunkGrid {
    let grid = try ChunkGrid(arrayShape: shape, chunkShape: chunkShape)
    guard shape.rank <= 32 else {
      throw HyperslabError(
        .invalidShape, "an array of \(shape.rank) axes", expected: "at most 32")
    }
    guard let chunkElements = chunkShape.elementCount,
      let chunkByteCount = Checked.multiply(chunkElements, dataType.byteCount)
    else {
      throw HyperslabError(
        .overflow, "chunks of \(chunkShape) \(dataType) have more bytes than 64 bits count",
        remedy: "Choose smaller chunks")
    }
    try StoreLimits.checkChunk(
      byteCount: chunkByteCount,
      blockByteCount: compression.blockByteCount ?? StoreLimits.usualBlockByteCount,
      elementByteCount: dataType.byteCount)
    guard maximumShape.count == shape.rank,
      zip(maximumShape, shape).allSatisfy({ $0 ?? Int.max >= $1 })
    else {
      throw HyperslabError(
        .invalidShape, "the maximum shape \(maximumShape.map { $0.map(String.init) ?? "none" })",
        expected: "one limit an axis, none below the shape \(shape)")
    }
    try StoreLimits.checkArray(grid, maximumShape: maximumShape)
    guard fillValue.dataType == dataType else {
      throw HyperslabError(
        .typeMismatch, "the fill value's type", expected: "\(dataType)",
        found: "\(fillValue.dataType)")
    }
    if let names = dimensionNames {
      let given = names.compactMap { $0 }
      // Short ones: which of them are the same is for Unicode to say.
      guard names.count == shape.rank,
        given.allSatisfy({ $0.utf8.count <= 255 && $0.isStreamSafe }),
        Set(given).count == given.count
      else {
        throw HyperslabError(
          .invalidValue, "\(names.count) dimension names",
          expected: "\(shape.rank), no two the same, of at most 255 bytes each, and no more than "
            + "30 combining marks in a row")
      }
    }
    try compression.validate(dataType, rank: shape.rank)
    if let source = sourceFingerprint, source.utf8.count > Self.maximumFingerprintByteCount {
      throw HyperslabError(
        .invalidValue, "a source's fingerprint of \(source.utf8.count) bytes",
        expected: "at most \(Self.maximumFingerprintByteCount)")
    }
    for (text, what) in [(unit, "unit"), (sourceFingerprint, "source's fingerprint")]
    where text?.isStreamSafe == false {
      throw HyperslabError(
        .invalidValue, "the \(what)", expected: "at most 30 combining marks in a row")
    }
    try attributes.checkWritable()
    return grid
  }
}
