import HyperslabCodecs
import HyperslabCore

/// Empties the trash. What proves to be the store's own is removed; whatever else lay in a data set's
/// directory is moved to `__slab/lost`, under its name.
struct TrashSweep {
  let files: any FileSystem
  /// Where the data sets stood that lie in the trash, as far as is known.
  let paths: [Int: NodePath]

  /// Begins the names of arrays of other programs that were taken in, chunks and all.
  static let adopted = "adopted-"
  /// A prefix that is longer than this is no chunk's of ours.
  private static let longestPrefix = 1 << 24

  /// Removes what stands at a place in the trash.
  func run(_ entry: StorePath) throws(HyperslabError) {
    let path = DatasetRecord.id(entry.name).flatMap { paths[$0] }
    let name = path.map { $0.components.joined(separator: ".") } ?? entry.name
    try remove(entry, [], named: name)
  }

  /// - Parameter place: The names that lead to it from what was moved to the trash.
  private func remove(
    _ path: StorePath, _ place: [String], named name: String
  ) throws(HyperslabError) {
    guard let kind = try files.status(path)?.kind else { return }
    switch kind {
    case .directory where isOwnDirectory(place):
      for entry in try files.list(path) {
        try remove(path / entry.name, place + [entry.name], named: "\(name).\(entry.name)")
      }
      // Fails while something in it could not be removed.
      try files.removeDirectory(path)
    case .file where try isOwnFile(path, place): try files.remove(path)
    default: try setAside(path, named: name)
    }
  }

  /// Of a data set: itself, `c`, and what is named by coordinates; once, `c` alone was moved here.
  private func isOwnDirectory(_ place: [String]) -> Bool {
    guard place.count <= 64 else { return false }
    return place.allSatisfy { $0 == "c" || StoreLayout.coordinate($0) != nil }
  }

  private func isOwnFile(_ path: StorePath, _ place: [String]) throws(HyperslabError) -> Bool {
    let isAdopted = path.components.contains { $0.hasPrefix(Self.adopted) }
    if isAdopted, place.first == "c", isOwnDirectory(place) { return true }
    if place == ["zarr.json"] { return true }
    if place == [StoreLayout.arrivalMark] { return try files.status(path)?.byteCount == 0 }
    return isOwnDirectory(place) ? try isFrame(path) : false
  }

  /// Whether a file begins as a chunk's frame of ours does, sealed by its checksum.
  private func isFrame(_ path: StorePath) throws(HyperslabError) -> Bool {
    let file = try files.open(path)
    var head = [UInt8](repeating: 0, count: 16)
    guard try file.fill(&head, at: 0) else { return false }
    let (size, block) = head.withUnsafeBytes { bytes in
      (
        Int(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 4, as: UInt32.self))),
        Int(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt32.self)))
      )
    }
    guard head[0] == 2, head[1] == 1, block > 0 else { return false }
    let sealed = 16 + 8 * ((size + block - 1) / block)
    guard sealed + 4 <= file.byteCount, sealed <= Self.longestPrefix else { return false }
    var prefix = [UInt8](repeating: 0, count: sealed + 4)
    guard try file.fill(&prefix, at: 0) else { return false }
    let seal = prefix.withUnsafeBytes {
      UInt32(littleEndian: $0.loadUnaligned(fromByteOffset: sealed, as: UInt32.self))
    }
    return CRC32C.of(Array(prefix.prefix(sealed))) == seal
  }

  private func setAside(_ path: StorePath, named name: String) throws(HyperslabError) {
    _ = try files.setAside(path, named: name)
  }
}

extension FileHandle {
  /// Reads as many bytes as an array has; false where the file has fewer.
  fileprivate func fill(_ bytes: inout [UInt8], at offset: Int) throws(HyperslabError) -> Bool {
    let result = bytes.withUnsafeMutableBytes { memory -> Result<Int, HyperslabError> in
      do throws(HyperslabError) { return .success(try read(at: offset, into: memory)) } catch {
        return .failure(error)
      }
    }
    return try result.get() == bytes.count
  }
}

extension FileSystem {
  /// Moves something that is not the store's own to `__slab/lost`, for good, whatever it is.
  ///
  /// - Returns: its new place.
  func setAside(_ path: StorePath, named name: String) throws(HyperslabError) -> StorePath {
    var touched = try makeDirectories(StoreLayout.lost)
    // A component may have 255 bytes, and a number may come behind it.
    let base = String(decoding: name.utf8.prefix(200), as: UTF8.self)
    var target = StoreLayout.lost / base
    var count = 1
    while try status(target) != nil {
      count += 1
      target = StoreLayout.lost / "\(base).\(count)"
    }
    try rename(path, to: target)
    touched.formUnion([path.parent, StoreLayout.lost])
    try Settle(files: self, durability: .full).synchronize(touched)
    return target
  }
}
