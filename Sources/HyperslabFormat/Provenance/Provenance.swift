import HyperslabCodecs
import HyperslabCore

/// Whose a thing in a store is that no index speaks of. Its contents decide, and where it stands must
/// agree: neither a name alone nor a checksum alone makes it the store's.
enum Origin: Sendable {
  /// An empty directory, or what systems drop everywhere.
  case nobodys
  /// What a writer of the store's makes, to the last checksum.
  case ours
  case anothers
  /// A directory that holds some of each.
  case mixed
}

/// Looks at things that no index speaks of.
struct Provenance {
  let files: any FileSystem
  /// Whether headers are enough, without the blocks behind them.
  var quick = false

  /// The origin of a file or a directory, and of what it holds where that is mixed; the paths told are
  /// those of the outermost things of one origin.
  func judge(
    _ path: StorePath, _ kind: FileKind
  ) throws(HyperslabError) -> (origin: Origin, parts: [(path: StorePath, origin: Origin)]) {
    if HarmlessFiles.contains(path.name, kind) { return (.nobodys, [(path, .nobodys)]) }
    if Self.isUnspeakable(path.name) { return (.anothers, [(path, .anothers)]) }
    switch kind {
    case .other: return (.anothers, [(path, .anothers)])
    case .file:
      let origin: Origin = try isOurs(path) ? .ours : .anothers
      return (origin, [(path, origin)])
    case .directory: break
    }
    // Deeper than anything that a writer makes, and than a call stack should go.
    guard path.depth <= 1024 else { return (.anothers, [(path, .anothers)]) }
    var parts: [(path: StorePath, origin: Origin)] = []
    var origins: Set<Origin> = []
    let entries = try files.list(path)
    // Another store's files are like this one's.
    if entries.contains(where: { $0.name == "slab.json" || $0.name == "__slab" }) {
      return (.anothers, [(path, .anothers)])
    }
    for entry in entries {
      let (origin, inner) = try judge(path / entry.name, entry.kind)
      origins.insert(origin)
      parts += inner
    }
    origins.remove(.nobodys)
    guard let origin = origins.first else { return (.nobodys, [(path, .nobodys)]) }
    if origins.count == 1, origin != .mixed { return (origin, [(path, origin)]) }
    // An array is taken in as a whole, and taken apart by nobody.
    if entries.contains(where: { $0.name == "zarr.json" }),
      entries.contains(where: { $0.name == "c" })
    {
      return (.anothers, [(path, .anothers)])
    }
    return (.mixed, parts)
  }

  /// Whether a name was not UTF-8 and stands here with replacements, under which nothing is found.
  static func isUnspeakable(_ name: String) -> Bool { name.unicodeScalars.contains("\u{FFFD}") }

  /// Whether a file below no data set's directory is one that a commit makes: a chunk where chunks
  /// stand, or a derived document.
  private func isOurs(_ path: StorePath) throws(HyperslabError) -> Bool {
    if path.name == "zarr.json" { return try isDerived(path) }
    return Self.canBeChunk(path) ? try isFrame(path) : false
  }

  /// Whether a path is one that a chunk file can have: `…/c` or `…/c/0/1`.
  static func canBeChunk(_ path: StorePath) -> Bool {
    var place = path
    while StoreLayout.coordinate(place.name) != nil { place = place.parent }
    return place.name == "c"
  }

  /// Whether a file is a chunk file of the store's own making: header, blocks and last word agree with
  /// the checksums that no other program writes.
  func isFrame(_ path: StorePath) throws(HyperslabError) -> Bool {
    guard let format = try format(of: path), let status = try files.status(path) else {
      return false
    }
    do throws(HyperslabError) {
      guard let crc = try Verifier.soundHeader(path, files, format) else { return false }
      let row = ChunkRow(state: .stored, byteCount: status.byteCount, crc: crc)
      if !quick { try ChunkReader(format: format).check(path, in: files, row: row, quick: false) }
      return true
    } catch {
      if error.leavesUnchecked { throw error }
      return false
    }
  }

  private func format(of path: StorePath) throws(HyperslabError) -> FrameFormat? {
    do throws(HyperslabError) {
      let file = try files.open(path)
      let memory = try ElementBuffer(allocating: FrameFormat.headerByteCount)
      let bytes = unsafe UnsafeMutableRawBufferPointer(
        start: memory.pointer, count: memory.byteCount)
      guard try unsafe file.read(at: 0, into: bytes) == bytes.count else { return nil }
      return unsafe FrameFormat(header: Array(bytes), fileByteCount: file.byteCount)
    } catch {
      if error.leavesUnchecked { throw error }
      return nil
    }
  }

  /// Whether a chunk file is sound for the Zarr reader of another program that wrote it: its last word
  /// sums up what is before, and its blocks begin where ours has checksums.
  func isAnothersChunk(_ path: StorePath) throws(HyperslabError) -> Bool {
    do throws(HyperslabError) {
      guard try files.status(path)?.kind == .file else { return false }
      let file = try files.open(path)
      guard file.byteCount > 20, file.byteCount <= Int(Int32.max), try isOtherBlosc(file) else {
        return false
      }
      let piece = try ElementBuffer(allocating: Swift.min(file.byteCount, 1 << 20))
      var crc = CRC32C()
      var done = 0
      while done < file.byteCount - 4 {
        let count = Swift.min(piece.byteCount, file.byteCount - 4 - done)
        let bytes = unsafe UnsafeMutableRawBufferPointer(start: piece.pointer, count: count)
        guard try unsafe file.read(at: done, into: bytes) == count else { return false }
        unsafe crc.add(UnsafeRawBufferPointer(bytes))
        done += count
      }
      return try Self.words(of: file, at: done, count: 1) == [crc.value]
    } catch {
      if error.leavesUnchecked { throw error }
      return false
    }
  }

  /// Whether a file begins as a Blosc buffer that has no gap between the offsets and the first block.
  private func isOtherBlosc(_ file: any FileHandle) throws(HyperslabError) -> Bool {
    guard let head = try Self.words(of: file, at: 0, count: 4) else { return false }
    let (version, flags) = (head[0] & 0xFF, head[0] >> 16 & 0xFF)
    let (size, block) = (Int(head[1]), Int(head[2]))
    guard (1...5).contains(version), Int(head[3]) == file.byteCount - 4, block > 0 else {
      return false
    }
    // Stored as they are, the bytes follow at once.
    if flags & 2 != 0 { return Int(head[3]) == size + 16 }
    let count = size.dividedRoundingUp(by: block)
    guard count > 0, 16 + 4 * count < file.byteCount,
      let offsets = try Self.words(of: file, at: 16, count: count)
    else { return false }
    return offsets.min() == UInt32(16 + 4 * count)
  }

  private static func words(
    of file: any FileHandle, at offset: Int, count: Int
  ) throws(HyperslabError) -> [UInt32]? {
    let memory = try ElementBuffer(allocating: 4 * count)
    let bytes = unsafe UnsafeMutableRawBufferPointer(start: memory.pointer, count: 4 * count)
    guard try unsafe file.read(at: offset, into: bytes) == bytes.count else { return nil }
    return (0..<count).map {
      unsafe UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 4 * $0, as: UInt32.self))
    }
  }

  // MARK: - Documents

  /// Whether a `zarr.json` is of a store's making: its text is fixed to the last space, and no other
  /// program lays it out so; or what a power cut left of such a one.
  func isDerived(_ path: StorePath) throws(HyperslabError) -> Bool {
    do throws(HyperslabError) {
      let bytes = try files.contents(path, limit: StoreIndex.maximumFileByteCount)
      let isTorn = Self.isRemains(bytes, of: "{\n  \"zarr_format\": 3,")
      return Self.isDerived(bytes) || isTorn && !FoundDocuments.isDocument(bytes)
    } catch {
      if error.leavesUnchecked { throw error }
      return false
    }
  }

  static func isDerived(_ bytes: [UInt8]) -> Bool {
    guard let document = zarrDocument(bytes) else { return false }
    let text = document.bytes(pretty: true) + [UInt8(ascii: "\n")]
    return bytes.starts(with: text) && DocumentSeal.isRemains(bytes[text.count...])
  }

  private static func zarrDocument(_ bytes: [UInt8]) -> JSONValue? {
    guard let value = try? JSONParser.parse(bytes, depthLimit: StoreIndex.depthLimit),
      value.object?["zarr_format"] != nil
    else { return nil }
    return value
  }

  // MARK: - What a power cut leaves

  /// Whether a file can be what is left of one that began so and was not permanent: nothing, zeros, or a
  /// beginning of it.
  static func isRemains(_ bytes: [UInt8], of beginning: String) -> Bool {
    zip(bytes, beginning.utf8).allSatisfy { $0 == $1 || $0 == 0 }
  }

  /// Whether a file is a sound index of a store, or what is left of one.
  static func isIndexOrRemains(_ bytes: [UInt8], of uuid: String, _ cache: RunCache) -> Bool {
    if let known = try? cache.indexes.older(bytes, place: "") { return known.index.uuid == uuid }
    return !SelfCheck.holds(bytes) && isRemains(bytes, of: "{\n  \"slab\": 1,")
  }

  /// Whether a file begins as an index of a store does, or is what is left of one; cheap, however long it is.
  static func beginsAsIndex(
    _ path: StorePath, of uuid: String, in files: any FileSystem
  ) throws(HyperslabError) -> Bool {
    let file = try files.open(path)
    let memory = try ElementBuffer(allocating: 512)
    let bytes = unsafe UnsafeMutableRawBufferPointer(start: memory.pointer, count: 512)
    let start = unsafe Array(bytes.prefix(try file.read(at: 0, into: bytes)))
    let text = String(decoding: start, as: UTF8.self)
    return text.contains(uuid)
      || isRemains(start, of: "{\n  \"slab\": 1,") && !text.contains("\"uuid\"")
  }

  /// Whether a file is a sound run of a store, or what is left of one.
  static func isRunOrRemains(_ bytes: [UInt8], of uuid: String) -> Bool {
    guard SelfCheck.holds(bytes) || LineEnds.areChanged(bytes) else {
      return isRemains(bytes, of: "{\n  \"slab_run\": 1,")
    }
    let run = try? JSONText(checking: bytes, depthLimit: 32)
    return run?.member("store")?.is(uuid) == true
  }

  /// Whether a file names the holder of a lock or claim, or is what is left of one that did.
  static func isHolderOrRemains(_ bytes: [UInt8]) -> Bool {
    let holder = (try? JSONParser.parse(bytes))?.object
    return holder?["pid"] != nil || isRemains(bytes, of: "{\"writer\": ")
  }
}
