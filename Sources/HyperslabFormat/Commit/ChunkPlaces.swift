import HyperslabCore

/// Brings chunk files to their names. What stands at one and is not the chunk that the store knows there is
/// another program's, another store's, or no file at all: it is kept in `__slab/lost`.
struct ChunkPlaces {
  let files: any FileSystem
  /// What others wrote and the store has taken in.
  var taken = TakenFiles()

  /// Gives a chunk the name of one that nobody stored before.
  func place(_ from: StorePath, at target: StorePath) throws(HyperslabError) {
    do { return try files.renameExclusively(from, to: target) } catch {
      guard error.code == .alreadyExists else { throw error }
    }
    // Before the commit nobody makes way: should there be none, nothing would be there.
    guard try isSame(from, target) else {
      throw HyperslabError(
        .foreign, "something stands where a chunk goes that was never written", at: "\(target)",
        remedy:
          "slab adopt (SlabStore.adopt) takes in what is sound; move the rest elsewhere, or have slab "
          + "repair (SlabStore.repair) put it aside in __slab/lost")
    }
    try files.rename(from, to: target)
  }

  /// Puts a chunk in the place of one that the table listed.
  ///
  /// - Parameter rows: What was listed; nil where nobody knows any more, and a sound chunk file passes for it.
  func replace(
    _ target: StorePath, with from: StorePath, rows: [ChunkRow]?
  ) throws(HyperslabError) {
    try clear(target, rows: rows)
    try files.rename(from, to: target)
  }

  /// Removes a chunk that the table listed.
  func remove(_ target: StorePath, rows: [ChunkRow]?) throws(HyperslabError) {
    if try clear(target, rows: rows) { try files.remove(target) }
  }

  /// Moves away what must not be replaced or removed.
  ///
  /// - Returns: whether a file still stands there, which may be.
  @discardableResult
  private func clear(
    _ target: StorePath, rows: [ChunkRow]?
  ) throws(HyperslabError) -> Bool {
    guard let status = try files.status(target) else { return false }
    if status.kind == .file {
      if try isListed(target, status, rows) { return true }
      if try taken.holds(target, as: target, in: files) { return true }
    }
    _ = try files.setAside(target)
    return false
  }

  private func isListed(
    _ target: StorePath, _ status: FileStatus, _ rows: [ChunkRow]?
  ) throws(HyperslabError) -> Bool {
    guard let rows else { return try Provenance(files: files, quick: true).isFrame(target) }
    guard rows.contains(where: { $0.state == .stored && $0.byteCount == status.byteCount }) else {
      return false
    }
    let header = Verifier.toldHeader(target, files)
    return rows.contains {
      $0.state == .stored && $0.byteCount == status.byteCount && $0.crc == header
    }
  }

  /// Whether the same bytes are in both: then it does not matter whose they are.
  private func isSame(_ from: StorePath, _ target: StorePath) throws(HyperslabError) -> Bool {
    guard let there = try files.status(target), there.kind == .file,
      try files.status(from)?.byteCount == there.byteCount
    else { return false }
    return try FileDigest.of(from, in: files) == FileDigest.of(target, in: files)
  }
}

/// Files that other programs wrote and the store has taken in, by what they held then: they may be replaced,
/// but not what was written to their names since.
struct TakenFiles: Sendable {
  private var places: [StorePath: FileDigest] = [:]

  var isEmpty: Bool { places.isEmpty }
  var digests: Set<FileDigest> { Set(places.values) }

  mutating func insert(_ path: StorePath, holding bytes: [UInt8]) {
    places[path] = FileDigest(bytes)
  }

  mutating func remove(_ path: StorePath) { places[path] = nil }

  /// Whether something was taken in from a place.
  func holds(_ place: StorePath) -> Bool { places[place] != nil }

  /// Whether a file, which may stand elsewhere by now, is the one that was taken in from a place, as it was.
  func holds(
    _ place: StorePath, as moved: StorePath, in files: any FileSystem
  ) throws(HyperslabError) -> Bool {
    guard let digest = places[place] else { return false }
    return try FileDigest.of(moved, in: files) == digest
  }

  /// Whether bytes are those that were taken in from a place.
  func holds(_ place: StorePath, _ bytes: [UInt8]) -> Bool {
    places[place].map { $0 == FileDigest(bytes) } ?? false
  }
}

/// What a file holds, in short: enough to tell a file from one that was written later.
///
/// No CRC: that of a file which ends in its own is always the same.
struct FileDigest: Hashable, Sendable {
  let byteCount: Int
  /// With this process's own seed.
  let hash: Int

  init(_ bytes: [UInt8]) {
    var pieces = Pieces()
    unsafe bytes.withUnsafeBytes { unsafe pieces.add($0) }
    self = pieces.digest
  }

  private init(byteCount: Int, hash: Int) {
    self.byteCount = byteCount
    self.hash = hash
  }

  /// Adds up bytes, the same however they are cut.
  private struct Pieces {
    var byteCount = 0
    var hasher = Hasher()

    mutating func add(_ bytes: UnsafeRawBufferPointer) {
      byteCount += bytes.count
      unsafe hasher.combine(bytes: bytes)
    }

    var digest: FileDigest { FileDigest(byteCount: byteCount, hash: hasher.finalize()) }
  }

  /// Reads a file by pieces; nil where it shrinks meanwhile.
  static func of(
    _ path: StorePath, in files: any FileSystem
  ) throws(HyperslabError) -> FileDigest? {
    let file = try files.open(path)
    let piece = try ElementBuffer(allocating: Swift.max(1, Swift.min(file.byteCount, 1 << 20)))
    var pieces = Pieces()
    while pieces.byteCount < file.byteCount {
      let count = Swift.min(piece.byteCount, file.byteCount - pieces.byteCount)
      let bytes = unsafe UnsafeMutableRawBufferPointer(start: piece.pointer, count: count)
      guard try unsafe file.read(at: pieces.byteCount, into: bytes) == count else { return nil }
      unsafe pieces.add(UnsafeRawBufferPointer(bytes))
    }
    return pieces.digest
  }
}
