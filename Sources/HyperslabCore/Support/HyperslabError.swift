/// The one error type of Hyperslab: what went wrong, where, expected, found and the way out.
///
/// Every layer throws it; ``Code`` tells the cases apart and is stable. `description` is one line
/// fit for a user; nothing in it needs to be parsed.
public struct HyperslabError: Error, Sendable {
  /// A stable name of the kind of failure; modules add their own as static members.
  public struct Code: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    /// The name, in snake case, as `--json` output and `Spec/vectors` spell it.
    public let rawValue: String
    /// Makes a code from its name.
    public init(rawValue: String) { self.rawValue = rawValue }
    /// The name itself.
    public var description: String { rawValue }
  }

  /// The kind of failure.
  public let code: Code
  /// What happened, without the place.
  public var what: String
  /// The file, store or node concerned.
  public var place: String?
  /// The chunk concerned, in grid coordinates.
  public var chunk: ChunkIndex?
  /// What should have been there.
  public var expected: String?
  /// What was there.
  public var found: String?
  /// What the user can do about it.
  public var remedy: String?
  /// The error underneath, where another piece of code (a data source, the system) failed first.
  public var cause: (any Error)?

  /// Makes an error; only the code and what happened are obligatory.
  public init(
    _ code: Code, _ what: String, at place: String? = nil, chunk: ChunkIndex? = nil,
    expected: String? = nil, found: String? = nil, remedy: String? = nil,
    cause: (any Error)? = nil
  ) {
    self.code = code
    self.what = what
    self.place = place
    self.chunk = chunk
    self.expected = expected
    self.found = found
    self.remedy = remedy
    self.cause = cause
  }

  /// The same error with the place filled in where it was not known further down.
  public func located(at place: String?, chunk: ChunkIndex? = nil) -> HyperslabError {
    var error = self
    error.place = error.place ?? place
    error.chunk = error.chunk ?? chunk
    return error
  }

  /// The same error with a way out where none was known further down.
  package func remedied(_ remedy: String) -> HyperslabError {
    var error = self
    error.remedy = error.remedy ?? remedy
    return error
  }
}

extension HyperslabError: CustomStringConvertible {
  /// One line: place and chunk, what, expected, found, cause, remedy; of long texts their beginnings.
  public var description: String {
    var text = ""
    if let place { text += "\(Self.short(place)): " }
    if let chunk { text += "chunk \(chunk): " }
    text += Self.short(what)
    switch (expected.map(Self.short), found.map(Self.short)) {
    case (let expected?, let found?): text += "; expected \(expected), found \(found)"
    case (let expected?, nil): text += "; expected \(expected)"
    case (nil, let found?): text += "; found \(found)"
    case (nil, nil): break
    }
    if let cause { text += " (\(Self.short("\(cause)")))" }
    if let remedy { text += ". \(Self.short(remedy))" }
    return text
  }

  /// Metadata that others wrote may be quoted in it, however long that is.
  private static func short(_ text: String) -> String {
    let most = 5000
    if text.utf8.count <= most { return text }
    return String(decoding: text.utf8.prefix(most), as: UTF8.self) + "…"
  }
}

extension HyperslabError.Code {
  /// A shape, selection, index or grid that cannot be.
  public static let invalidShape = Self(rawValue: "invalid_shape")
  /// Memory that the system does not give.
  public static let outOfMemory = Self(rawValue: "out_of_memory")
  /// A product or sum that does not fit into 64 bits.
  public static let overflow = Self(rawValue: "overflow")
  /// A selection or index outside the array.
  public static let outOfBounds = Self(rawValue: "out_of_bounds")
  /// A fill value, attribute or option of the wrong form.
  public static let invalidValue = Self(rawValue: "invalid_value")
  /// A name that cannot be a node's.
  public static let invalidName = Self(rawValue: "invalid_name")
  /// Elements of another type than the data set's.
  public static let typeMismatch = Self(rawValue: "type_mismatch")
  /// Memory of another size than the selection needs.
  public static let sizeMismatch = Self(rawValue: "size_mismatch")
  /// No such store or node.
  public static let notFound = Self(rawValue: "not_found")
  /// A store or node is there already.
  public static let alreadyExists = Self(rawValue: "already_exists")
  /// A group where a data set was wanted, or the reverse.
  public static let wrongKind = Self(rawValue: "wrong_kind")
  /// A chunk was read that nobody ever wrote.
  public static let neverWritten = Self(rawValue: "never_written")
  /// The store was opened for reading only.
  public static let readOnly = Self(rawValue: "read_only")
  /// The store is closed, or failed earlier and takes no more.
  public static let closed = Self(rawValue: "closed")
  /// The work was cancelled.
  public static let cancelled = Self(rawValue: "cancelled")
  /// Another writer was first.
  public static let conflict = Self(rawValue: "conflict")
  /// Something that this kind of store cannot do.
  public static let unsupported = Self(rawValue: "unsupported")
  /// Something larger than a store can hold.
  public static let limit = Self(rawValue: "limit")
  /// A chunk too large for its file, or a block size that cannot be.
  public static let chunkTooLarge = Self(rawValue: "chunk_too_large")
  /// Text that is not the JSON it should be.
  public static let invalidJSON = Self(rawValue: "invalid_json")
}
